"""Another prior for exact Bayes: the demonstrations' likelihoods stay, so nothing has to be run again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError
from core.statistics.distributions import log_softmax
from core.study.study import TaskPrior

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

Floats = NDArray[np.float64]


def mixture_prior(mixture: Mixture) -> Floats:
    """The mixture's own P(T), (F,), summing to one."""
    own = mixture.by_family(np.exp(mixture.log_prior))
    scaled: Floats = own / own.sum()
    return scaled


def edited_prior(mixture: Mixture, prior: Sequence[TaskPrior]) -> Floats:
    """π', (F,), summing to one: the weights named, the mixture's own for every other task, then normalised.

    Names that are no task of the mixture are left out (`unknown_tasks` lists them).

    Raises:
        StudyError: every task was given a weight of zero.
    """
    weights = _weights(mixture, prior)
    scaled: Floats = weights / weights.sum()
    return scaled


def _weights(mixture: Mixture, prior: Sequence[TaskPrior]) -> Floats:
    """`edited_prior` before it is normalised."""
    weights = mixture_prior(mixture)
    place = {name: i for i, name in enumerate(mixture.families)}
    for entry in prior:
        if entry.task in place:
            weights[place[entry.task]] = entry.weight
    if not (weights > 0).any():
        raise StudyError("The prior rules every task out; give at least one a weight above zero.")
    return weights


def log_factors(mixture: Mixture, prior: Sequence[TaskPrior]) -> Floats:
    """log π'_T/π_T, (F,); −∞ for a task that the prior rules out, and for no other, however small its weight."""
    with np.errstate(divide="ignore"):
        ratio: Floats = log_softmax(np.log(_weights(mixture, prior))) - np.log(mixture_prior(mixture))
    return ratio


def unknown_tasks(mixture: Mixture, prior: Iterable[TaskPrior]) -> tuple[str, ...]:
    """Names in the prior that are no task of this mixture."""
    return tuple(entry.task for entry in prior if entry.task not in mixture.families)
