"""The predictive as a mixture, task by task, beside what the model itself answers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.by_family import by_family
from core.posterior.instruction import answer_groups, answer_pairs
from core.runtime.progress import Stop, part
from core.scoring.alike import score_alike
from core.scoring.direct import mass_outside
from core.statistics.divergences import divergence, total_variation
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Posterior
from core.study.prompts import render
from core.study.question import Question
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair

Floats = NDArray[np.float64]
OTHER = "any other text"


@dataclass(frozen=True)
class Explanation:
    """One posterior's reading of the model's answer, for n = 0 … k.

    Attributes:
        kind: which posterior.
        tasks: (T,).
        shares: (k + 1, T, L + 1) P(T|D_n,x) p(y|x,T,D_n), the last column any other text; a whole row n sums to one.
        residual: (k + 1,) KL(q_n ‖ Σ_T shares) in nats: what this mixture leaves unexplained of the model's answer.
        distance: (k + 1,) total variation between the two.
    """

    kind: str
    tasks: tuple[str, ...]
    shares: Floats
    residual: Floats
    distance: Floats

    @property
    def predictive(self) -> Floats:
        """Σ_T shares, (k + 1, L + 1)."""
        total: Floats = self.shares.sum(1)
        return total


@dataclass(frozen=True)
class TaskMixture:
    """The model's answers and what each posterior makes of them.

    Attributes:
        labels: (L + 1,) the candidates and `OTHER`.
        own: (k + 1, L + 1) q_n(y) = p_LM(y | D_n, x), whatever the study's scorer: mixtures are of this.
        explanations: by kind.
    """

    labels: tuple[str, ...]
    own: Floats
    explanations: dict[str, Explanation]


def task_mixture(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    posteriors: Mapping[str, Posterior],
    *,
    stop: Stop | None = None,
) -> TaskMixture:
    """Take p(y|x,D_n) = Σ_T P(T|D_n,x) p(y|x,T,D_n) apart for every posterior, and hold it against the model's own.

    P(T|D_n,x) counts the query's input as evidence where the mixture is known (w_T p(x|T,D_n), normalised); written
    hypotheses say nothing of inputs, so theirs is P(T|D_n). The model's q_n and the hypotheses' answers are scored in
    one call.

    Args:
        shown: the demonstrations in the prompt, in order.
        labels: (L,) candidates.
        posteriors: those of the outcome, by kind.

    Raises:
        PromptTooLong: a prompt does not fit the model's context.
        Cancelled: `stop` said so.
    """
    names, k = tuple(labels), len(shown)
    question = Question.of(tidied(study), shown, labels).written
    study, shown, labels = question.study, question.shown, question.labels
    prompts = [render(shown[:n], study.query, study.template, study.instruction) for n in range(k + 1)]
    pairs: list[Pair] = [(prompt.text, prompt.gap + label) for prompt in prompts for label in labels]
    asked = answer_pairs(question) if "instruction" in posteriors else []
    with part(0.0, 0.8):
        groups: list[Hashable] = [place // len(labels) for place in range(len(pairs))]
        groups += answer_groups(asked, len(study.hypotheses), len(labels))
        scored = score_alike(model, [*pairs, *asked], groups, stop)

    logs = np.array([float(s.logprobs.sum()) for s in scored], dtype=np.float64)
    tokens = [s.ids for s in scored[: len(labels)]]
    own = _with_rest(logs[: len(pairs)].reshape(k + 1, -1), tokens)
    shares: dict[str, Floats] = {}
    if model.mixture is not None and any(kind in posteriors for kind in ("exact", "implicit")):
        said = by_family(model.mixture, question.pairs, study.query, labels, study.instruction)
        rest = np.maximum(1 - said.answers.sum(2, keepdims=True), 0.0)
        answers = np.concatenate([said.answers, rest], axis=2)  # (k + 1, F, L + 1)
        for kind in ("exact", "implicit"):
            if kind in posteriors:
                shares[kind] = said.at_query(posteriors[kind].weights)[..., None] * answers
    if "instruction" in posteriors:
        of_task = logs[len(pairs) :].reshape(len(study.hypotheses), -1, len(labels)).swapaxes(0, 1)
        by_task = np.stack([_with_rest(row, tokens) for row in of_task])  # (k + 1 or 1, T, L + 1)
        shares["instruction"] = posteriors["instruction"].weights[..., None] * by_task
    kinds = [kind for kind in posteriors if kind in shares]
    explanations = {kind: _explain(kind, posteriors[kind].tasks, shares[kind], own) for kind in kinds}
    return TaskMixture((*names, OTHER), own, explanations)


def _with_rest(logs: Floats, tokens: Sequence[tuple[int, ...]]) -> Floats:
    """exp(logs), (rows, L), with what they leave to any other text as the last column; rows sum to one.

    A label that begins another holds its mass as well: such rows are scaled to one.
    """
    p = np.exp(logs)
    outside = np.array([mass_outside(row, tokens) for row in logs]).reshape(-1, 1)
    whole = np.concatenate([p, outside], axis=1)
    scaled: Floats = whole / whole.sum(1, keepdims=True)
    return scaled


def _explain(kind: str, tasks: tuple[str, ...], shares: Floats, own: Floats) -> Explanation:
    mixed = shares.sum(1)
    return Explanation(kind, tasks, shares, divergence(own, mixed), total_variation(own, mixed))
