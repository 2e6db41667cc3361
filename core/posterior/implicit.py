"""The posterior that a model's own answers imply, decoded from them by the tasks of a mixture that is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.probing import choose_probes
from core.posterior.decoding import DECODERS, condition, mixed, residual
from core.posterior.evidence import Evidence, before_labels, gather
from core.study.demonstrations import Demonstration
from core.study.outcome import Posterior
from core.study.study import Study
from core.study.verbalisers import as_written

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

Floats = NDArray[np.float64]
PROBES, FEWEST, WORDS = 8, 4, 28  # probes at most, at least, and words in them where there is a choice
ALIVE = 1e-4  # weight below which a task is ruled out
HELD = 0.01  # weight from which a task counts for the condition number
ILL_CONDITIONED = 100.0


def implicit_posterior(
    study: Study,
    model: LanguageModel,
    mixture: Mixture,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    *,
    stop: Callable[[], bool] | None = None,
) -> Posterior:
    """Find w_n on the simplex with q_n = P w_n, q_n what the model answers after n demonstrations.

    It is asked for the label of inputs on which the tasks still alive disagree, and of the query; the candidates are
    the words that some task of the mixture could answer, and "any other text". And it is asked which domain the next
    input comes from, since labels alone cannot tell tasks apart that share no input. `core.posterior.decoding` solves
    for w (docs/methods.md §1.10: EM/KL, or least squares) with
    columns p(x_j, a | T, D_n) of the mixture, so that seeing x_j
    counts as evidence here as it does in exact Bayes. Its weak prior, for what the answers leave open, is Bayes before
    it reads a label: P(T | the instruction and the inputs x_1 … x_n). Tasks that both this and exact Bayes hold for
    ruled out take no part.

    `predictive` is Pw at the query. `residual` is the mean over questions of KL(q‖Pw); `condition` is that of P over
    the tasks that hold a hundredth of the weight or more: those that the answers confuse share weight, and so are
    among them.

    Raises:
        PromptTooLong: not one probe fits after the demonstrations.
        Cancelled: `stop` said so.
    """
    study, shown, labels = as_written(study, shown, labels)
    pairs = [(d.input, d.label) for d in shown]
    probes = tuple(dict.fromkeys([*_affordable(choose_probes(mixture, pairs, PROBES)), study.query]))
    before = before_labels(mixture, [d.input for d in shown], study.instruction)
    exact = mixture.posterior(pairs, study.instruction)[0]
    before = np.where((before >= ALIVE) | (exact >= ALIVE), before, 0.0)
    evidence = gather(study, model, mixture, shown, probes, before, stop=stop)
    groups = DECODERS[study.posterior_solver](evidence.q, evidence.columns, evidence.by_group(before))
    weights = evidence.by_task(groups, before)
    misfit = residual(evidence.q, evidence.columns, groups)
    held = weights >= HELD
    some = np.flatnonzero(held.any(0))
    conditions = condition(evidence.columns[:, :, evidence.group[some]], held[:, some])
    return Posterior(
        kind="implicit",
        tasks=tuple(mixture.families),
        weights=weights,
        predictive=_at_query(study.query, evidence, groups, labels),
        residual=misfit,
        condition=conditions,
        note=_note(conditions, misfit),
    )


def _affordable(probes: Sequence[str]) -> Sequence[str]:
    """The first probes: all of short inputs, fewer of long ones, which cost k + 1 passes over every word."""
    words = np.cumsum([len(probe.split()) for probe in probes])
    return probes[: max(FEWEST, int((words <= WORDS).sum()))]


def _at_query(query: str, evidence: Evidence, weights: Floats, labels: Sequence[str]) -> Floats | None:
    """Pw at the query over the labels, (k + 1, L); a label that no task gives has 0; None where no task knows it.

    Args:
        weights: (k + 1, G) by group.
    """
    if query not in evidence.probes:
        return None
    j = evidence.probes.index(query)
    if not evidence.columns[:, j].any():
        return None
    fitted = mixed(evidence.columns[:, j : j + 1], weights)[:, 0]  # (k + 1, A)
    place = {word: a for a, word in enumerate(evidence.answers[j])}
    nothing = np.zeros(fitted.shape[0])
    columns = [fitted[:, place[label]] if label in place else nothing for label in labels]
    return np.stack(columns, axis=1) if columns else np.zeros((fitted.shape[0], 0))


def _note(conditions: Floats, misfit: Floats) -> str:
    said = []
    if (conditions > ILL_CONDITIONED).any():
        said.append(
            "Some tasks agree on every probe, so the answers cannot tell them apart and they share weight as the "
            "prior has it"
        )
    if misfit.max() > 0.5:
        said.append("a residual above 0.5 nats means that the answers are not a mixture of these tasks")
    return f"{'; '.join(said)}." if said else ""
