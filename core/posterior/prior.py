"""Another prior for exact Bayes: the demonstrations' likelihoods stay, so nothing has to be run again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError
from core.outcome import Outcome
from core.study import TaskPrior

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.pretraining.mixture import Mixture

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
    weights = mixture_prior(mixture)
    place = {name: i for i, name in enumerate(mixture.families)}
    for entry in prior:
        if entry.task in place:
            weights[place[entry.task]] = entry.weight
    total = weights.sum()
    if not total > 0:
        raise StudyError("The prior rules every task out; give at least one a weight above zero.")
    scaled: Floats = weights / total
    return scaled


def log_factors(mixture: Mixture, prior: Sequence[TaskPrior]) -> Floats:
    """log π'_T/π_T, (F,); −∞ for a task that the prior rules out."""
    with np.errstate(divide="ignore"):
        ratio: Floats = np.log(edited_prior(mixture, prior)) - np.log(mixture_prior(mixture))
    return ratio


def unknown_tasks(mixture: Mixture, prior: Iterable[TaskPrior]) -> tuple[str, ...]:
    """Names in the prior that are no task of this mixture."""
    return tuple(entry.task for entry in prior if entry.task not in mixture.families)


def with_prior(outcome: Outcome, model: LanguageModel, prior: tuple[TaskPrior, ...]) -> Outcome:
    """What `run` would give of the same study with this prior, without a pass through the model.

    Exact Bayes alone reads the prior: its posterior, evidence and predictive, the answer beside the model's, and the
    exact kernel. An outcome without a mixture is returned with its study changed and nothing else.

    Raises:
        StudyError: the prior rules every task out.
    """
    from core.kernels import Scene, kernel_of
    from core.notes import about_prior
    from core.posterior.exact import exact_posterior
    from core.scoring.bayes import bayes_answer
    from core.tidy import tidied

    given = outcome.study.model_copy(update={"prior": prior})
    if model.mixture is None or prior == outcome.study.prior:
        return replace(outcome, study=given)
    study, shown, labels = tidied(given), outcome.demonstrations, outcome.answer.labels
    posteriors = dict(outcome.posteriors)
    if "exact" in posteriors:
        posteriors["exact"] = exact_posterior(study, model.mixture, shown, labels)
    before = set(about_prior(outcome.study, model))
    notes = (*(note for note in outcome.notes if note not in before), *about_prior(study, model))
    kernels = dict(outcome.kernels)
    if "exact" in kernels:
        kernels["exact"] = kernel_of("exact", study, Scene(study, model, shown, [study.query]), labels)
    bayes = bayes_answer(study, model, shown, labels)
    return replace(outcome, study=given, posteriors=posteriors, kernels=kernels, bayes=bayes, notes=notes)
