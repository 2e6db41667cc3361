"""Many prompts through a scorer at once say what each says alone, in as few calls as the scorer allows."""

from __future__ import annotations

import numpy as np
import pytest

from core import Answer, Cancelled, Study
from core.scoring import scorers
from core.scoring.together import score, score_together
from tests.tiny import REVIEWS, tiny

LABELS = ("positive", "negative", "good")
QUERY = "the plot of the film"
SHOWN = [REVIEWS[:0], REVIEWS[:3], REVIEWS[1:4], REVIEWS[:3]]


class Counted:
    """A model that counts how often it is asked, and what for."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __getattr__(self, name: str) -> object:
        return getattr(tiny(), name)

    def score(self, pairs, *, stop=None):
        self.calls.append(len(pairs))
        return tiny().score(pairs, stop=stop)


@pytest.mark.parametrize("name", ["direct", "perplexity", "channel"])
def test_as_one_by_one_in_a_single_call(name: str) -> None:
    study = Study(query=QUERY, scoring=name)
    model = Counted()
    together = score_together([(study, shown, LABELS) for shown in SHOWN], model)  # type: ignore[arg-type]
    assert model.calls == [3 * len(LABELS)]  # the fourth request is the second again
    for answer, shown in zip(together, SHOWN, strict=True):
        alone = score(study, tiny(), shown, LABELS)
        np.testing.assert_allclose(answer.scores, alone.scores, atol=2e-5)
        assert answer.labels == alone.labels


def test_a_scorer_that_asks_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets its second answers in a second call, and sees no difference."""
    direct = scorers.find("direct")

    def twice(study, model, shown, labels, stop) -> Answer:
        first = direct.function(study, model, shown, labels, stop)
        free = direct.function(study.model_copy(update={"query": first.best}), model, shown, labels, stop)
        return Answer(first.labels, first.scores - free.scores, first.probabilities)

    monkeypatch.setattr("core.scoring.together.score", lambda s, m, d, y, stop=None: twice(s, m, d, y, stop))
    model = Counted()
    study = Study(query=QUERY)
    (answer,) = score_together([(study, REVIEWS[:2], LABELS)], model)  # type: ignore[arg-type]
    assert len(model.calls) == 2
    np.testing.assert_allclose(answer.scores, twice(study, tiny(), REVIEWS[:2], LABELS, None).scores, atol=2e-5)


def test_nothing_asked_and_stopped() -> None:
    assert score_together([], tiny()) == []
    with pytest.raises(Cancelled):
        score_together([(Study(query=QUERY), REVIEWS[:1], LABELS)], tiny(), stop=lambda: True)
