"""What the explanations say of a study with demonstrations and labels of a test's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.bayes.exact import ExactBayes, exact_bayes
from core.posterior import compute_posteriors, implicit_posterior, instruction_posterior
from core.study.demonstrations import Demonstration
from core.study.outcome import Posterior
from core.study.question import Question
from core.study.study import Study

Shown = Sequence[Demonstration]


def bayes_of(study: Study, mixture: Any, shown: Shown, labels: Sequence[str]) -> ExactBayes:
    """Exact Bayes over a mixture, or a stand-in for one."""
    return ExactBayes(Question.of(study, shown, labels), mixture)


def exact_posterior(study: Study, mixture: Any, shown: Shown, labels: Sequence[str]) -> Posterior:
    """Exact Bayes over the tasks."""
    return bayes_of(study, mixture, shown, labels).posterior


def implicit(study: Study, model: Any, mixture: Any, shown: Shown, labels: Sequence[str]) -> Posterior:
    """`implicit_posterior`."""
    return implicit_posterior(bayes_of(study, mixture, shown, labels), model)


def instruction(study: Study, model: Any, shown: Shown, labels: Sequence[str], **options: Any) -> Posterior:
    """`instruction_posterior`."""
    return instruction_posterior(Question.of(study, shown, labels), model, **options)


def posteriors_of(study: Study, model: Any, shown: Shown, labels: Sequence[str]) -> dict[str, Posterior]:
    """`compute_posteriors`."""
    question = Question.of(study, shown, labels)
    return compute_posteriors(question, model, exact_bayes(question, model))
