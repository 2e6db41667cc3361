"""Where ways to score part: against plain counting, and `run` one question at a time."""

from __future__ import annotations

import pytest

from core import Demonstration, Study, run
from core.analysis.scoring.agreement import (
    ScorerAgreement,
    accuracy_records,
    item_records,
    scorer_agreement,
)
from core.analysis.scoring.grid import combinations
from core.errors import StudyError
from core.evaluation.questions import questions_of
from core.statistics.intervals import wilson
from tests.tiny import REVIEWS, tiny

POOL = (
    *REVIEWS,
    *(Demonstration(input=f"the {w} film", label=y) for w, y in (("very", "positive"), ("bad", "negative"))),
)
STUDY = Study(pool=POOL, labels=("positive", "negative"), selection="similarity", k=2)
WAYS = combinations()


@pytest.fixture(scope="module")
def found() -> ScorerAgreement:
    return scorer_agreement(STUDY, tiny(), questions_of(STUDY, tiny(), "pool", 20, 0), WAYS)


def test_answers_are_those_of_run(found: ScorerAgreement) -> None:
    for n, question in enumerate(found.questions):
        for c in range(0, len(WAYS), 5):
            study = found.combinations[c].of(STUDY).model_copy(update={"query": question.input})
            outcome = run(study, tiny())
            assert found.answers[c, n] == outcome.answer.best
            assert found.right[c, n] == (outcome.answer.best == question.gold)
            assert found.shown[n] == outcome.demonstrations
            place = outcome.answer.labels.index(question.gold)
            assert found.gold_probability[c, n] == pytest.approx(outcome.answer.probabilities[place], abs=1e-4)


def test_accuracy_and_its_interval(found: ScorerAgreement) -> None:
    for row, share, bounds in zip(found.right, found.accuracy, found.interval, strict=True):
        assert share == row.sum() / len(row)
        assert tuple(bounds) == pytest.approx(wilson(int(row.sum()), len(row)))
    records = accuracy_records(found)
    assert [r["right"] for r in records] == found.right.sum(axis=1).tolist()
    assert found.bayes == ()


def test_split_holds_every_question_that_divides_them(found: ScorerAgreement) -> None:
    columns = found.answers.T.tolist()
    assert set(found.split.tolist()) == {n for n, column in enumerate(columns) if len(set(column)) > 1}
    counts = [len(set(columns[n])) for n in found.split]
    assert counts == sorted(counts, reverse=True)
    rows = item_records(found)
    assert [row["different_answers"] for row in rows] == [len(set(column)) for column in columns]
    assert rows[0][found.combinations[3].key] == found.answers[3, 0]


def test_ways_that_cannot_answer_are_left_out_with_the_reason() -> None:
    study = Study(demonstrations=REVIEWS[:3], labels=("positive", "negative"))
    asked = questions_of(STUDY, tiny(), "pool", 4, 0)
    found = scorer_agreement(study, tiny(), asked, WAYS)
    assert {way.calibration for way, _ in found.left_out} == {"prior"}
    assert len(found.combinations) + len(found.left_out) == len(WAYS)
    assert found.answers.shape == (len(found.combinations), 4)
    with pytest.raises(StudyError, match="nothing to compare"):
        scorer_agreement(study, tiny(), [], WAYS)
