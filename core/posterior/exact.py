"""Exact Bayes over the tasks of a mixture that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.demonstrations import Demonstration
from core.outcome import Posterior
from core.selection import selections
from core.study import Study

if TYPE_CHECKING:
    from core.pretraining.mixture import Mixture


def exact_posterior(study: Study, mixture: Mixture, shown: Sequence[Demonstration], labels: Sequence[str]) -> Posterior:
    """log P(T | D_n) = log P(T) + log p(D_n | T) − log P(D_n) for n = 0 … k, in closed form (METHODS §1).

    `predictive` is p(y | x, D_n) = Σ_T P(T | D_n, x) p(y | x, T, D_n) over all the words that the mixture can say, so
    a row over the candidate labels sums to at most one. The note says when a strategy chose the demonstrations by
    looking at them or at the query: then they are not independent draws, and this posterior is not the right one.
    """
    pairs = [(d.input, d.label) for d in shown]
    weights, log_evidence = mixture.posterior(pairs, study.instruction)
    note = ""
    strategy = selections.find(study.selection)
    if not strategy.sampled:
        note = (
            f"Demonstrations picked by {strategy.name} are not independent draws from a task, so exact Bayes is "
            "misspecified here and no upper bound."
        )
    return Posterior(
        kind="exact",
        tasks=tuple(mixture.families),
        weights=weights,
        log_evidence=log_evidence,
        predictive=mixture.predictive(pairs, study.query, labels, study.instruction),
        note=note,
    )
