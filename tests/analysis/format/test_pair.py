"""Two templates on the same questions, against scoring one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.analysis.format.pair import compare_templates, pair_records
from core.models import LanguageModel
from core.statistics.paired import paired
from core.study.prompts import ARROW, INPUT_LABEL
from tests.analysis.format.conftest import QUESTIONS, STUDY, one_by_one


def test_it_equals_scoring_one_by_one(embedded: LanguageModel) -> None:
    found = compare_templates(STUDY, embedded, ARROW, INPUT_LABEL, QUESTIONS)
    labels = ("foo", "bar")
    p = np.array(
        [
            [
                np.exp(logs) / np.exp(logs).sum()
                for q in QUESTIONS
                for logs in [one_by_one(embedded, t, q.input, labels)]
            ]
            for t in (ARROW, INPUT_LABEL)
        ]
    )  # (2, N, L)
    gold = np.array([labels.index(q.gold) for q in QUESTIONS])
    np.testing.assert_allclose(found.gold, p[:, np.arange(len(gold)), gold], atol=1e-4)
    np.testing.assert_allclose(found.distance, 0.5 * np.abs(p[0] - p[1]).sum(axis=1), atol=1e-4)
    assert found.evaluation.right.tolist() == (p.argmax(axis=2) == gold).tolist()
    assert found.differ.tolist() == (p[0].argmax(axis=1) != p[1].argmax(axis=1)).tolist()


def test_differences_come_first(embedded: LanguageModel) -> None:
    found = compare_templates(STUDY, embedded, ARROW, ARROW.model_copy(update={"label_prefix": " "}), QUESTIONS)
    assert sorted(found.order) == list(range(len(QUESTIONS)))
    keys = [(not found.differ[i], -round(float(found.distance[i]), 6)) for i in found.order]
    assert keys == sorted(keys)
    assert [row["question"] - 1 for row in pair_records(found)] == list(found.order)


def test_a_template_against_itself_is_no_difference(embedded: LanguageModel) -> None:
    found = compare_templates(STUDY, embedded, ARROW, ARROW, QUESTIONS)
    assert not found.differ.any()
    assert found.paired.difference == 0
    assert found.paired.p == 1


def test_mcnemar_by_its_sum() -> None:
    a = np.array([1] * 9 + [0] * 2 + [1] * 20 + [0] * 5, dtype=bool)
    b = np.array([0] * 9 + [1] * 2 + [1] * 20 + [0] * 5, dtype=bool)
    found = paired(a, b)
    assert (found.only_a, found.only_b, found.count) == (9, 2, 36)
    assert found.p == pytest.approx(min(1, 2 * sum(math.comb(11, i) for i in range(3)) / 2**11))
    low, high = found.interval
    p_a, p_b = 10 / 38, 3 / 38
    reach = 1.959964 * math.sqrt((p_a + p_b - (p_b - p_a) ** 2) / 38)
    assert (low, high) == pytest.approx((p_b - p_a - reach, p_b - p_a + reach))
    assert found.difference == pytest.approx(-7 / 36)


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    both, only_a, only_b = 0.5, 0.2, 0.1
    hits = 0
    for _ in range(300):
        kind = rng.choice(4, 60, p=[both, only_a, only_b, 1 - both - only_a - only_b])
        low, high = paired((kind == 0) | (kind == 1), (kind == 0) | (kind == 2)).interval
        hits += low <= only_b - only_a <= high
    assert 0.91 < hits / 300 < 0.99


def test_sides_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        paired([True], [True, False])
