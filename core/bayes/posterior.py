"""Exact Bayes over the tasks of a mixture that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.bayes.notes import about_bayes
from core.bayes.predictive import predictive
from core.bayes.prior import log_factors
from core.study.demonstrations import Demonstration
from core.study.outcome import Posterior
from core.study.study import Study
from core.study.verbalisers import as_written

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture


def exact_posterior(study: Study, mixture: Mixture, shown: Sequence[Demonstration], labels: Sequence[str]) -> Posterior:
    """log P(T | D_n) = log P(T) + log p(D_n | T) − log P(D_n) for n = 0 … k, in closed form (docs/methods.md §1.1).

    `predictive` is p(y | x, D_n) = Σ_T P(T | D_n, x) p(y | x, T, D_n) over all the words that the mixture can say, so
    a row over the candidate labels sums to at most one. The note says when a strategy chose the demonstrations by
    looking at them or at the query: then they are not independent draws, and this posterior is not the right one.

    With a prior π' of the user's own (`study.prior`) in place of the mixture's π: P'(T | D_n) ∝ P(T | D_n) π'_T/π_T,
    and the evidence and the predictive follow.

    Raises:
        StudyError: the prior rules every task out.
    """
    study, shown, labels = as_written(study, shown, labels)
    pairs = [(d.input, d.label) for d in shown]
    if study.prior:
        from core.bayes.by_family import by_family

        said = by_family(mixture, pairs, study.query, labels, study.instruction)
        factors = log_factors(mixture, study.prior)
        weights, log_evidence = said.posterior(factors), said.log_evidence(factors)
        answers = said.shares(weights).sum(1)
    else:
        weights, log_evidence = mixture.posterior(pairs, study.instruction)
        answers = predictive(mixture, pairs, study.query, labels, study.instruction)
    return Posterior(
        kind="exact",
        tasks=tuple(mixture.families),
        weights=weights,
        log_evidence=log_evidence,
        predictive=answers,
        note="".join(about_bayes(study)),
    )
