"""A posterior over tasks that the user describes in words, for any language model."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.scoring.alike import score_alike
from core.statistics.distributions import log_softmax
from core.study.demonstrations import Demonstration
from core.study.outcome import Posterior
from core.study.prompts import render
from core.study.question import Question
from core.study.study import Hypothesis, Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair

Floats = NDArray[np.float64]


def instruction_posterior(
    question: Question, model: LanguageModel, *, stop: Callable[[], bool] | None = None
) -> Posterior:
    """log P(T | D_n) = log P(T) + Σ_{i ≤ n} log p_LM(y_i | I_T, x_i) − log P(D_n), I_T the hypothesis's instruction.

    Chained (`study.chained`), the earlier demonstrations stand before x_i as well: log p_LM(y_i | I_T, D_{i−1}, x_i),
    and the order matters. Log-probabilities are summed over a label's tokens (the joint probability, which is what
    Bayes needs; a mean per token would be tempering). I_T takes the place of `study.instruction`. A hypothesis with
    label words has y_i read as its word for it, in what is scored and in the demonstrations that stand before; where
    it has none for y_i, the template's word stands. What is compared is scored from one place (`score_alike`).

    `predictive` (k + 1, L) is Σ_T P(T | D_n) p_LM(y | I_T, x), with D_n before x when chained; over all texts, so that
    a row sums to at most one unless a label is the beginning of another.

    Raises:
        PromptTooLong: an instruction with what follows does not fit the model's context.
        Cancelled: `stop` said so.

    Source: docs/methods.md §1.12, after Xie et al. 2022 (arXiv 2111.02080).
    """
    study, hypotheses, k = question.study, question.study.hypotheses, len(question.shown)
    tasks, count = len(hypotheses), len(question.labels)
    shown, asked = demonstration_pairs(question), answer_pairs(question)
    groups: list[Hashable] = [*demonstration_groups(shown, k), *answer_groups(asked, tasks, count)]
    found = score_alike(model, [*shown, *asked], groups, stop)
    scores = np.array([float(scored.logprobs.sum()) for scored in found], dtype=np.float64)

    likelihood = scores[: tasks * k].reshape(tasks, k)  # (T, k)
    answers = scores[tasks * k :].reshape(tasks, -1, count)  # (T, k + 1 or 1, L)
    weights, log_evidence = bayes(log_prior(hypotheses), likelihood)
    predictive = np.einsum("nt,tnl->nl", weights, np.exp(np.broadcast_to(answers, (tasks, k + 1, count))))
    return Posterior(
        kind="instruction",
        tasks=tuple(h.name for h in hypotheses),
        weights=weights,
        log_evidence=log_evidence,
        predictive=predictive,
        note="Chained: each label is read after the earlier demonstrations, so the order matters."
        if study.chained
        else "",
    )


def log_prior(hypotheses: Sequence[Hypothesis]) -> Floats:
    """log P(T), (T,), normalised: in log space, since weights may be larger than their sum can be."""
    return log_softmax(np.log(np.array([h.prior for h in hypotheses], dtype=np.float64)))


def demonstration_pairs(question: Question) -> list[Pair]:
    """What p(y_i | I_T, x_i) is scored by, T · k of them, the demonstrations of one hypothesis together."""
    study, shown = question.written.study, question.written.shown
    return [
        _pair(study, shown[:i] if study.chained else (), row.input, hypothesis, row.label)
        for hypothesis in study.hypotheses
        for i, row in enumerate(shown)
    ]


def answer_pairs(question: Question) -> list[Pair]:
    """What p(y | I_T, x) is scored by: T · (k + 1) · L where chained, else T · L, the labels of one prompt together."""
    study, shown, labels = question.written.study, question.written.shown, question.written.labels
    return [
        _pair(study, shown[:n], study.query, hypothesis, label)
        for hypothesis in study.hypotheses
        for n in (range(len(shown) + 1) if study.chained else (0,))
        for label in labels
    ]


def demonstration_groups(pairs: Sequence[Pair], k: int) -> list[tuple[str, int]]:
    """Of `demonstration_pairs`, which are compared: the labels of one demonstration under every hypothesis."""
    return [("shown", place % k) for place in range(len(pairs))]


def answer_groups(pairs: Sequence[Pair], tasks: int, count: int) -> list[tuple[str, int]]:
    """Of `answer_pairs`, which are compared: all labels under every hypothesis after as many demonstrations."""
    steps = len(pairs) // max(1, tasks * count)
    return [("asked", place // count % steps) for place in range(len(pairs))]


def bayes(log_prior: Floats, log_likelihood: Floats) -> tuple[Floats, Floats]:
    """Bayes after every observation: P(T | D_n), (k + 1, T), and log P(D_n), (k + 1,).

    Args:
        log_prior: (T,) log P(T), normalised.
        log_likelihood: (T, k) log p(observation i | T, what came before); −inf is allowed. Where every task has −inf,
            nothing is left to compare: the weights stay as they were and the evidence is −inf.
    """
    joint = log_prior + np.concatenate([np.zeros((1, log_prior.size)), np.cumsum(log_likelihood.T, axis=0)])
    peak = joint.max(1)  # (k + 1,)
    weights = np.empty_like(joint)
    log_evidence = np.full(joint.shape[0], -np.inf)
    for n, row in enumerate(joint):
        if np.isneginf(peak[n]):
            weights[n] = weights[n - 1] if n else np.full(row.size, 1 / row.size)
            continue
        mass = np.exp(row - peak[n])
        weights[n] = mass / mass.sum()
        log_evidence[n] = peak[n] + np.log(mass.sum())
    return weights, log_evidence


def _pair(study: Study, before: Sequence[Demonstration], query: str, hypothesis: Hypothesis, label: str) -> Pair:
    read = [row.model_copy(update={"label": hypothesis.word(row.label)}) for row in before]
    prompt = render(read, query, study.template, hypothesis.instruction)
    return prompt.text, prompt.gap + hypothesis.word(label)
