"""What exact Bayes says of an outcome's question: the step of `run` that another prior does again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.bayes.exact import ExactBayes
from core.bayes.notes import about_fit, about_outside, about_prior
from core.kernels import kernels_of_prior
from core.study.cleaning import tidied
from core.study.outcome import Outcome
from core.study.question import Question
from core.study.study import TaskPrior

if TYPE_CHECKING:
    from core.models import LanguageModel


def with_bayes(outcome: Outcome, model: LanguageModel, bayes: ExactBayes | None) -> Outcome:
    """The outcome with exact Bayes's answer, posterior, kernel and fit; notes on the fit first, on its prior last.

    Args:
        outcome: what the model said of the question; what exact Bayes said of it before is replaced.
        bayes: of the outcome's question; None where no mixture is known, and then only the note on what lies outside
            the candidates is added.

    Raises:
        StudyError: the question's prior rules every task out.
    """
    if bayes is None:
        return replace(outcome, notes=(*outcome.notes, *about_outside(outcome.answer, None)))
    study, posteriors = bayes.question.study, dict(outcome.posteriors)
    if "exact" in study.posteriors:
        posteriors = {"exact": bayes.posterior} | posteriors | {"exact": bayes.posterior}
    before = {
        *about_fit(outcome.fit),
        *about_outside(outcome.answer, outcome.bayes),
        *about_prior(outcome.study, bayes.mixture),
    }
    return replace(
        outcome,
        bayes=bayes.answer,
        fit=bayes.fit,
        posteriors=posteriors,
        kernels=outcome.kernels | kernels_of_prior(bayes.question, model, bayes),
        notes=(
            *about_fit(bayes.fit),
            *(note for note in outcome.notes if note not in before),
            *about_outside(outcome.answer, bayes.answer),
            *about_prior(study, bayes.mixture),
        ),
    )


def with_prior(outcome: Outcome, model: LanguageModel, prior: tuple[TaskPrior, ...]) -> Outcome:
    """What `run` would give of the same study with this prior, without a pass through the model.

    An outcome without a mixture is returned with its study changed and nothing else.

    Raises:
        StudyError: the prior rules every task out.
    """
    given = outcome.study.model_copy(update={"prior": prior})
    if model.mixture is None or prior == outcome.study.prior:
        return replace(outcome, study=given)
    question = Question(tidied(given), outcome.demonstrations, outcome.answer.labels, outcome.prompt)
    return replace(with_bayes(outcome, model, ExactBayes(question, model.mixture)), study=given)
