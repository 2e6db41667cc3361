"""A second reading of the model's posterior, from inside: a linear probe of its residual stream, layer by layer.

At the last token of a prompt, where the answer is read, the residual stream of layer l is h_l (d,), h_0 the embedding
and the last one as normalised for the output. The probe of a layer is

    softmax(h_l W_l + b_l) ≈ P(T | D, x),

a softmax regression on exact posteriors of documents that it is not reported on (`core.posterior.fit_residual_probe`).
It says what could be read off a layer by a linear map, and not that the model reads it so: a probe may find what the
layers behind make no use of. Its own error, by how open the task is, is kept beside the weights.

Source: docs/methods.md §8.9; Alain and Bengio 2017 for linear probes by layer; Shai et al. 2024 (arXiv 2405.15943) for
beliefs over hidden states in the residual stream, which is this for tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.bayes.beliefs import beliefs_at_inputs
from core.models.embedded import EMBEDDED
from core.posterior.fitted import belonging, load_fitted
from core.posterior.openness import row_of
from core.statistics.distributions import softmax
from core.statistics.divergences import total_variation
from core.study.question import Question

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.encoding import Encoding
    from core.models.reading import Reading
    from core.study.prompts import Prompt

Floats = NDArray[np.float64]
FILE = EMBEDDED / "residual_probe.npz"


@dataclass(frozen=True)
class ResidualProbe:
    """One probe a layer, and how far it is off.

    Attributes:
        weights, bias: (L + 1, d, F) and (L + 1, F).
        tasks: (F,) names.
        fingerprint: of the model's weights that it was fitted on.
        errors: (L + 1, rows) mean total variation to the exact posterior on documents apart, by how open it leaves the
            task (`core.posterior.openness`).
        states: (rows,) how many of those there were.
        documents: how many it was fitted on.
    """

    weights: Floats
    bias: Floats
    tasks: tuple[str, ...]
    fingerprint: str
    errors: Floats
    states: NDArray[np.int64]
    documents: int

    def read(self, hidden: Floats) -> Floats:
        """(…, L + 1, d) residual stream -> (…, L + 1, F) weights of tasks, each row summing to one."""
        return read(hidden, self.weights, self.bias)

    @property
    def overall(self) -> Floats:
        """(L + 1,) mean total variation over all states."""
        mean: Floats = np.nan_to_num(self.errors) @ self.states / max(int(self.states.sum()), 1)
        return mean

    def save(self, path: Path = FILE) -> None:
        """Write it, weights in half precision."""
        np.savez_compressed(
            path,
            weights=self.weights.astype(np.float16),
            bias=self.bias.astype(np.float16),
            tasks=np.array(self.tasks),
            fingerprint=np.array(self.fingerprint),
            errors=self.errors,
            states=self.states,
            documents=np.array(self.documents),
        )

    @classmethod
    def made_of(cls, found: Mapping[str, Any]) -> ResidualProbe:
        """From what `save` wrote."""
        return cls(
            found["weights"].astype(np.float64),
            found["bias"].astype(np.float64),
            tuple(str(name) for name in found["tasks"]),
            str(found["fingerprint"]),
            found["errors"],
            found["states"],
            int(found["documents"]),
        )


def read(hidden: Floats, weights: Floats, bias: Floats) -> Floats:
    """softmax(h_l W_l + b_l): (…, L + 1, d), (L + 1, d, F) and (L + 1, F) -> (…, L + 1, F)."""
    return softmax(np.einsum("...ld,ldf->...lf", hidden, weights) + bias)


def load_probe(path: Path = FILE) -> ResidualProbe | None:
    """The probe that comes with the embedded model, or None where there is none that can be read."""
    return load_fitted(path, ResidualProbe.made_of)


def probe_of(model: LanguageModel, path: Path = FILE) -> ResidualProbe | None:
    """The probe of this model; None where its mixture is unknown, or where the probe is of other weights or tasks."""
    return belonging(load_probe(path), model)


@dataclass(frozen=True)
class LayerBeliefs:
    """What each layer holds at the place of an answer, after n = 0 … k demonstrations and the input that follows.

    Attributes:
        tasks: (F,) names.
        layers: (k + 1, L + 1, F) read by the probe.
        exact: (k + 1, F) P(T | D_n, x_{n+1}), x_{k+1} the query.
        errors: (L + 1, rows) the probe's own error, by how open the exact posterior leaves the task.
        states: (rows,) on how many states.
    """

    tasks: tuple[str, ...]
    layers: Floats
    exact: Floats
    errors: Floats
    states: NDArray[np.int64]

    def apart(self, n: int) -> Floats:
        """Total variation of each layer to exact Bayes after n demonstrations and the input that follows, (L + 1,)."""
        return total_variation(self.layers[n], self.exact[n])

    def row(self, n: int) -> int:
        """The row of errors that exact Bayes's own belief falls into there."""
        return int(row_of(self.exact[n]))


def layer_beliefs(question: Question, model: LanguageModel) -> LayerBeliefs | None:
    """The belief by layer along a question's prompt, in one pass; None where `probe_of` has no probe.

    In the pass over the whole prompt the place before every label has read what stands before it alone, so one pass
    serves all n. Exact Bayes starts from the mixture's own prior here, as the probe does.

    Raises:
        PromptTooLong: the prompt does not fit the model's context.
    """
    probe = probe_of(model)
    if probe is None or model.mixture is None:
        return None
    prompt = question.bare
    reading = model.read(prompt.text, hidden=True)
    assert reading.hidden is not None
    hidden = reading.hidden[:, answer_places(reading, prompt)].astype(np.float64)  # (L + 1, k + 1, d)
    exact = beliefs_at_inputs(model.mixture, question.pairs, question.query, question.study.instruction)
    return LayerBeliefs(probe.tasks, probe.read(hidden.swapaxes(0, 1)), exact, probe.errors, probe.states)


def answer_places(tokens: Encoding | Reading, prompt: Prompt) -> list[int]:
    """The last token before every label of the prompt, and its last token: where each answer is read, (k + 1,)."""
    ends = np.array(tokens.ends)
    starts = [part.start for part in prompt.parts if part.kind == "label"]
    return [*(int(np.flatnonzero(ends <= start)[-1]) for start in starts), len(ends) - 1]
