"""What kernels weigh, and what has been read of the model so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.attention import read_attention
from core.bayes.exact import ExactBayes, exact_bayes
from core.embeddings.vector_cache import input_vectors
from core.runtime.progress import Stop, check
from core.study.demonstrations import Demonstration
from core.study.outcome import Attention
from core.study.prompts import Prompt, render
from core.study.question import Question
from core.study.study import Study, TaskPrior

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Reading

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KernelWeights:
    """What a kernel says.

    Attributes:
        raw: (Q, n) K(x, x_i), queries × demonstrations.
        detail: one short line: which heads, layer, similarity.
        notes: (Q,) a sentence where a query's weights mean less than they seem to, or ""; may be empty.
    """

    raw: Floats
    detail: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """A prompt and what the model did with it; `attention` is None where the architecture gives none."""

    prompt: Prompt
    reading: Reading | None
    attention: Attention | None


@dataclass
class KernelContext:
    """Demonstrations in the order shown, and queries; what one kernel reads of the model serves the next.

    Attributes:
        study: how prompts are written; what else is set in it, kernels take from the study they are given.
        model: the language model.
        shown: (n,) the demonstrations, in order.
        queries: (Q,) inputs.
        stop: asked between passes; True raises `Cancelled`.
        memory: what was read of texts alone; contexts on the same model and template may share one.
    """

    study: Study
    model: LanguageModel
    shown: Sequence[Demonstration]
    queries: Sequence[str]
    stop: Stop | None = None
    memory: dict[Any, Any] = field(default_factory=dict)
    _read: dict[str, Read] = field(default_factory=dict)
    _bayes: dict[tuple[TaskPrior, ...], ExactBayes | None] = field(default_factory=dict)

    def know_bayes(self, bayes: ExactBayes) -> None:
        """Take over exact Bayes of these demonstrations, worked out before."""
        self._bayes[bayes.question.study.prior] = bayes

    def bayes(self, prior: tuple[TaskPrior, ...]) -> ExactBayes | None:
        """Exact Bayes of these demonstrations and the first query under a prior; None where no mixture is known."""
        if prior not in self._bayes:
            asked = {"query": next(iter(self.queries), self.study.query), "prior": prior}
            question = Question.of(self.study.model_copy(update=asked), self.shown, ())
            self._bayes[prior] = exact_bayes(question, self.model)
        return self._bayes[prior]

    @property
    def inputs(self) -> list[str]:
        """(n,) inputs of the demonstrations."""
        return [d.input for d in self.shown]

    def know(self, query: str, prompt: Prompt, reading: Reading | None, attention: Attention | None) -> None:
        """Take over what was read before."""
        self._read[query] = Read(prompt, reading, attention)

    def read(self, query: str) -> Read:
        """The prompt with this query, read by the model; the last row of its attention is kept.

        Raises:
            PromptTooLong: it does not fit the model's context.
        """
        if query not in self._read:
            check(self.stop)
            prompt = render(self.shown, query, self.study.template, self.study.instruction)
            reading, attention = read_attention(self.study.model_copy(update={"token_head": None}), self.model, prompt)
            self._read[query] = Read(prompt, reading, attention)
        return self._read[query]

    def states(self, layer: int) -> dict[str, Floats]:
        """(d,) mean hidden state of this layer for the study's query, every query and every input, each read alone.

        Raises:
            PromptTooLong: a text is longer than the model's context.
        """
        texts = list(dict.fromkeys([self.study.query, *self.queries, *self.inputs]))
        found: dict[str, Floats] = self.memory.setdefault(("states", layer), {})
        missing = [text for text in texts if text not in found]
        if missing:
            check(self.stop)
            last = layer == self.model.layers  # the vectors that selections read too, kept from study to study
            rows = input_vectors(self.model, missing) if last else self.model.embed(missing, layer)
            found |= dict(zip(missing, rows.astype(np.float64), strict=True))
        return found

    def predictions(self) -> dict[str, NDArray[np.float32]]:
        """(V,) p_LM(· | x) after every query and every input, each alone in the template.

        Raises:
            PromptTooLong, Cancelled: as for any pass.
        """
        texts = list(dict.fromkeys([*self.queries, *self.inputs]))
        found: dict[str, NDArray[np.float32]] = self.memory.setdefault("predictions", {})
        missing = [text for text in texts if text not in found]
        if missing:
            prompts = [render((), text, self.study.template).text for text in missing]
            logs = self.model.next_logprobs(prompts, stop=self.stop)
            found |= dict(zip(missing, np.exp(logs), strict=True))
        return found
