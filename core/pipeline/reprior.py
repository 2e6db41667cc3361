"""Another prior for exact Bayes: the demonstrations' likelihoods stay, so nothing has to be run again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.study.outcome import Outcome
from core.study.study import TaskPrior

if TYPE_CHECKING:
    from core.models import LanguageModel


def with_prior(outcome: Outcome, model: LanguageModel, prior: tuple[TaskPrior, ...]) -> Outcome:
    """What `run` would give of the same study with this prior, without a pass through the model.

    Exact Bayes alone reads the prior: its posterior, evidence and predictive, the answer beside the model's, and the
    exact kernel. An outcome without a mixture is returned with its study changed and nothing else.

    Raises:
        StudyError: the prior rules every task out.
    """
    from core.bayes.answer import bayes_answer
    from core.bayes.notes import about_prior
    from core.bayes.posterior import exact_posterior
    from core.kernels import Scene, kernel_of
    from core.study.cleaning import tidied

    given = outcome.study.model_copy(update={"prior": prior})
    if model.mixture is None or prior == outcome.study.prior:
        return replace(outcome, study=given)
    study, shown, labels = tidied(given), outcome.demonstrations, outcome.answer.labels
    posteriors = dict(outcome.posteriors)
    if "exact" in posteriors:
        posteriors["exact"] = exact_posterior(study, model.mixture, shown, labels)
    before = set(about_prior(outcome.study, model.mixture))
    notes = (*(note for note in outcome.notes if note not in before), *about_prior(study, model.mixture))
    kernels = dict(outcome.kernels)
    if "exact" in kernels:
        kernels["exact"] = kernel_of("exact", study, Scene(study, model, shown, [study.query]), labels)
    bayes = bayes_answer(study, model, shown, labels)
    return replace(outcome, study=given, posteriors=posteriors, kernels=kernels, bayes=bayes, notes=notes)
