"""What exact Bayes answers to a question of which nothing else is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.bayes.exact import exact_bayes
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.question import Question
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


def bayes_answer(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str]
) -> Answer | None:
    """`ExactBayes.answer` after `shown`; None without a mixture, or where no label has any probability.

    Raises:
        StudyError: the study's prior rules every task out.
    """
    bayes = exact_bayes(Question.of(study, shown, labels), model)
    return None if bayes is None else bayes.answer
