"""The posterior that a model's own answers imply, decoded from them by the tasks of a mixture that is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.exact import ExactBayes
from core.bayes.probing import choose_probes
from core.posterior.decoding import DECODERS, condition, mixed, residual
from core.posterior.evidence import Evidence, ProbePrompts, ask, before_labels, gather
from core.posterior.interval import SOLVER, features, interval_of
from core.runtime.progress import check, counting
from core.study.demonstrations import Demonstration
from core.study.outcome import Posterior
from core.study.question import Question

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
PROBES, FEWEST, WORDS = 8, 4, 28  # probes at most, at least, and words in them where there is a choice
ALIVE = 1e-4  # weight below which a task is ruled out
HELD = 0.01  # weight from which a task counts for the condition number
ILL_CONDITIONED = 100.0
UNLIKELY_RESIDUAL = 0.3
"""Nats. Of the embedded model's answers to documents of its own mixture, about one in a hundred leaves more
(benchmarks/misfit.py)."""
CHUNK = 12  # orders decoded between two looks at the stop flag: their columns are copied for each


@dataclass(frozen=True)
class ImplicitReading:
    """An implicit posterior, and what it was decoded from.

    Attributes:
        posterior: the posterior.
        evidence: what the model answered, and what each task would have.
        before: (k + 1, F) the weak prior, not normalised.
    """

    posterior: Posterior
    evidence: Evidence
    before: Floats


def implicit_posterior(bayes: ExactBayes, model: LanguageModel, *, stop: Callable[[], bool] | None = None) -> Posterior:
    """`read_implicit` without what it was decoded from."""
    return read_implicit(bayes, model, stop=stop).posterior


def read_implicit(
    bayes: ExactBayes, model: LanguageModel, *, stop: Callable[[], bool] | None = None
) -> ImplicitReading:
    """Find w_n on the simplex with q_n = P w_n, q_n what the model answers after n demonstrations.

    It is asked for the label of inputs on which the tasks still alive disagree, and of the query; the candidates are
    the words that some task of the mixture could answer, and "any other text". And it is asked which domain the next
    input comes from, since labels alone cannot tell tasks apart that share no input. `core.posterior.decoding` solves
    for w (docs/methods.md §1.10: EM/KL, or least squares) with columns p(x_j, a | T, D_n) of the mixture, so that
    seeing x_j counts as evidence here as it does in exact Bayes. Its weak prior, for what the answers leave open, is
    Bayes before it reads a label: P(T | the instruction and the inputs x_1 … x_n). Tasks that both this and exact Bayes
    hold for ruled out take no part.

    `predictive` is Pw at the query. `residual` is the mean over questions of KL(q‖Pw); `condition` is that of P over
    the tasks that hold a hundredth of the weight or more: those that the answers confuse share weight, and so are
    among them.

    `reach` says how far exact Bayes may be from it, where that was learned (`core.posterior.interval`).

    Args:
        bayes: exact Bayes of the question that the model is asked.

    Raises:
        PromptTooLong: not one probe fits after the demonstrations.
        Cancelled: `stop` said so.
    """
    study = bayes.question.written.study
    before = alive_prior(bayes)
    asked = ask(bayes.question, model, probes_of(bayes))
    evidence = gather(bayes, model, asked, before, stop=stop)
    groups = DECODERS[study.posterior_solver](evidence.q, evidence.columns, evidence.by_group(before))
    weights = evidence.by_task(groups, before)
    misfit = residual(evidence.q, evidence.columns, groups)
    held = weights >= HELD
    some = np.flatnonzero(held.any(0))
    conditions = condition(evidence.columns[:, :, evidence.group[some]], held[:, some])
    posterior = Posterior(
        kind="implicit",
        tasks=tuple(bayes.mixture.families),
        weights=weights,
        predictive=_at_query(bayes.question, evidence, groups),
        residual=misfit,
        condition=conditions,
        reach=_reach(bayes.question, model, weights, before, misfit),
        note=_note(conditions, misfit),
    )
    return ImplicitReading(posterior, evidence, before)


def _reach(question: Question, model: LanguageModel, weights: Floats, before: Floats, misfit: Floats) -> Floats | None:
    """How sure the weights are, (k + 1,), where that is known of this model and solver."""
    study = question.written.study
    sure = interval_of(model) if study.posterior_solver == SOLVER else None
    if sure is None:
        return None
    return sure.reach(features(weights, before, misfit, np.arange(len(weights)), bool(study.instruction)))


def implicit_after_all(
    bayes: ExactBayes,
    model: LanguageModel,
    arranged: Sequence[Sequence[Demonstration]],
    *,
    stop: Callable[[], bool] | None = None,
) -> Floats:
    """The last row of `implicit_posterior` for M orders of the question's demonstrations: (M, F).

    What the tasks would answer after all of the demonstrations does not depend on their order, so P is worked out once;
    the model is asked in one call.

    Raises:
        PromptTooLong: not one probe fits after the demonstrations.
        Cancelled: `stop` said so.
    """
    question = bayes.question
    before = alive_prior(bayes)[-1:]
    asked = ask(question, model, probes_of(bayes))
    openings = tuple(_opening(question, rows) for rows in arranged)
    evidence = gather(bayes, model, replace(asked, openings=openings), before, stop=stop)
    prior = evidence.by_group(before)[0]
    rows = []
    with counting(len(evidence.q), "prompts") as advance:
        for start in range(0, len(evidence.q), CHUNK):
            check(stop)
            some = evidence.q[start : start + CHUNK]
            columns = np.broadcast_to(evidence.columns, (len(some), *evidence.columns.shape[1:]))
            groups = DECODERS[question.study.posterior_solver](some, columns, prior)
            rows.append(evidence.by_task(groups, np.broadcast_to(before, (len(some), before.shape[1]))))
            advance(start + len(some))
    return np.concatenate(rows)


def probes_of(bayes: ExactBayes) -> tuple[str, ...]:
    """Inputs on which the tasks still alive disagree, all of short inputs and fewer of long ones, which cost k + 1
    passes over every word; and the query, last."""
    probes = choose_probes(bayes.mixture, bayes.question.pairs, PROBES)
    words = np.cumsum([len(probe.split()) for probe in probes])
    affordable = probes[: max(FEWEST, int((words <= WORDS).sum()))]
    return tuple(dict.fromkeys([*affordable, bayes.question.query]))


def alive_prior(bayes: ExactBayes) -> Floats:
    """Bayes before labels, (k + 1, F), without the tasks that it and exact Bayes rule out."""
    question = bayes.question
    before = before_labels(bayes.mixture, [x for x, _ in question.pairs], question.study.instruction)
    exact = bayes.under_mixture[0]
    return np.where((before >= ALIVE) | (exact >= ALIVE), before, 0.0)


def _opening(question: Question, rows: Sequence[Demonstration]) -> str:
    """The prompt with its demonstrations in another order, up to where the query begins."""
    return ProbePrompts.of(Question.of(question.study, rows, ())).openings[-1]


def _at_query(question: Question, evidence: Evidence, weights: Floats) -> Floats | None:
    """Pw at the query over the labels, (k + 1, L); a label that no task gives has 0; None where no task knows it.

    Args:
        weights: (k + 1, G) by group.
    """
    if question.query not in evidence.probes:
        return None
    j = evidence.probes.index(question.query)
    if not evidence.columns[:, j].any():
        return None
    fitted = mixed(evidence.columns[:, j : j + 1], weights)[:, 0]  # (k + 1, A)
    place = {word: a for a, word in enumerate(evidence.answers[j])}
    nothing = np.zeros(fitted.shape[0])
    columns = [fitted[:, place[label]] if label in place else nothing for label in question.written.labels]
    return np.stack(columns, axis=1) if columns else np.zeros((fitted.shape[0], 0))


def _note(conditions: Floats, misfit: Floats) -> str:
    said = []
    if (conditions > ILL_CONDITIONED).any():
        said.append(
            "Some tasks agree on every probe, so the answers cannot tell them apart and they share weight as the "
            "prior has it"
        )
    if misfit.max() > UNLIKELY_RESIDUAL:
        limit = f"{UNLIKELY_RESIDUAL:.1f}".removeprefix("0")
        said.append(f"a residual above {limit} nats means that the answers are not a mixture of these tasks")
    return f"{'; '.join(said)}." if said else ""
