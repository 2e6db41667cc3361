"""Sensitivity over a family, against scoring one by one."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.format.family import family
from core.analysis.format.sensitivity import sensitivity, sensitivity_records, spread_by_chance
from core.errors import Cancelled, StudyError
from core.models import LanguageModel
from core.statistics.intervals import wilson
from core.study.prompts import ARROW
from tests.analysis.format.conftest import QUESTIONS, STUDY, one_by_one
from tests.listening import listening
from tests.tiny import tiny


def test_it_equals_scoring_one_by_one(embedded: LanguageModel) -> None:
    templates = family(STUDY, 7, 1)[3:]
    with listening() as told:
        found = sensitivity(STUDY, embedded, templates, QUESTIONS)
    labels = ("foo", "bar")
    said = [[labels[int(np.argmax(one_by_one(embedded, t, q.input, labels)))] for q in QUESTIONS] for t in templates]
    assert [list(row) for row in found.answers] == said
    right = np.array([[y == q.gold for y, q in zip(row, QUESTIONS, strict=True)] for row in said])
    np.testing.assert_allclose(found.accuracy, right.mean(axis=1))
    assert found.spread == pytest.approx(right.mean(axis=1).max() - right.mean(axis=1).min())
    assert tuple(found.interval[0]) == pytest.approx(wilson(int(right[0].sum()), len(QUESTIONS)))
    assert found.changed == pytest.approx(np.mean([len({row[i] for row in said}) > 1 for i in range(len(QUESTIONS))]))
    for i, one in enumerate(said):
        for j, other in enumerate(said):
            assert found.agreement[i, j] == pytest.approx(np.mean([a == b for a, b in zip(one, other, strict=True)]))
    accuracies = [row["accuracy"] for row in sensitivity_records(found)]
    assert accuracies == sorted(accuracies, reverse=True)
    assert told[-1] == 1


def test_words_are_scored_in_every_member(embedded: LanguageModel) -> None:
    words = (("foo", "positive"), ("bar", "negative"))
    study = STUDY.model_copy(update={"template": ARROW.model_copy(update={"words": words})})
    found = sensitivity(study, embedded, family(study, 6, 0), QUESTIONS)
    shown = tuple(row.model_copy(update={"label": dict(words)[row.label]}) for row in STUDY.demonstrations)
    logs = one_by_one(embedded, ARROW, QUESTIONS[0].input, ("positive", "negative"), shown)
    assert found.answers[0][0] == ("foo", "bar")[int(np.argmax(logs))]


def test_signs_that_cannot_be_read_are_marked(embedded: LanguageModel) -> None:
    strange = ARROW.model_copy(update={"label_prefix": " ☃ "})
    found = sensitivity(STUDY, embedded, (ARROW, strange), QUESTIONS[:2])
    assert found.unread == (False, True)


def test_any_model() -> None:
    found = sensitivity(STUDY, tiny(), family(STUDY, 5, 0), QUESTIONS[:2])
    assert found.accuracy.shape == (5,)


def test_chance() -> None:
    alike = np.tile(np.array([True, False, True, True]), (6, 1))
    assert spread_by_chance(alike) == (0, 0)
    rng = np.random.default_rng(3)
    noise = rng.random((12, 40)) < 0.5
    mean, most = spread_by_chance(noise)
    spread = noise.mean(axis=1).max() - noise.mean(axis=1).min()
    assert 0 < mean < most < 1
    assert abs(spread - mean) < 0.15
    one_good = np.zeros((4, 30), dtype=bool)
    one_good[2] = True
    assert spread_by_chance(one_good)[1] < 1


def test_one_template_has_no_spread(embedded: LanguageModel) -> None:
    with pytest.raises(StudyError, match="at least two"):
        sensitivity(STUDY, embedded, (ARROW,), QUESTIONS)


def test_it_can_be_stopped(embedded: LanguageModel) -> None:
    with pytest.raises(Cancelled):
        sensitivity(STUDY, embedded, family(STUDY, 8, 0), QUESTIONS, stop=lambda: True)
