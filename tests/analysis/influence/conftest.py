"""Small studies, and v by the plain way: a study of its own for every prompt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core import Answer, Demonstration, Study, load_model, run
from core.models import LanguageModel
from tests.tiny import REVIEWS, rows

LABELS = ("positive", "negative", "good")
REVIEW = Study(demonstrations=REVIEWS[:4], query="the plot of the film", labels=LABELS, posteriors=())
WORDS = Study(
    demonstrations=rows([("cat", "chat"), ("lion", "lion"), ("dog", "chien"), ("bird", "oiseau")]),
    query="horse",
    labels=("cheval", "horse", "horses"),
    posteriors=(),
)


@pytest.fixture(scope="session")
def embedded() -> LanguageModel:
    return load_model("embedded")


def answer_of(study: Study, model: LanguageModel, shown: Sequence[Demonstration], bayes: bool = False) -> Answer:
    """A whole run with just these demonstrations."""
    outcome = run(study.model_copy(update={"demonstrations": tuple(shown), "selection": "hand-picked"}), model)
    if not bayes:
        return outcome.answer
    assert outcome.bayes is not None
    return outcome.bayes


def log_odds(answer: Answer, label: str) -> float:
    """ln p/(1 − p), by its definition."""
    p = float(answer.probabilities[answer.labels.index(label)])
    return float(np.log(p / (1 - p)))
