"""Targets of the embedded model: where a figure has an interval, that decides."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks.embedded import Target, difference_of, over_documents
from benchmarks.embedded_report import limits

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "embedded.json"


@pytest.mark.parametrize(
    ("value", "interval", "smaller", "met"),
    [
        (0.033, None, False, True),
        (0.033, (-0.004, 0.071), False, None),
        (0.033, (0.001, 0.071), False, True),
        (-0.033, (-0.071, -0.004), False, False),
        (0.05, (0.01, 0.09), True, False),
        (0.0, (-0.01, 0.09), True, None),
    ],
)
def test_an_interval_over_the_target_meets_nothing(
    value: float, interval: tuple[float, float] | None, smaller: bool, met: bool | None
) -> None:
    assert Target(value, 0.0, smaller, interval).row()["met"] is met


def test_similarity_is_not_shown_to_be_above_random() -> None:
    """21 of 300 questions right by similarity alone, 11 at random alone: p = .11."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    difference = difference_of(found["selection"])
    assert (difference.only_a, difference.only_b, difference.count) == (11, 21, 300)
    assert difference.p == pytest.approx(stats.binomtest(21, 32).pvalue)
    row = found["overall"]["similarity above random selection, accuracy"]
    assert row == Target(difference.difference, 0.0, False, difference.interval).row()
    assert row["met"] is None
    assert any("Not shown to meet its target: similarity" in line for line in limits(found))


def test_documents_are_drawn_whole() -> None:
    """Ten equal values of a document are one value said ten times: the interval is that of the documents."""
    rng = np.random.default_rng(0)
    means = rng.normal(0.1, 0.05, 400)
    found = over_documents([[value] * 10 for value in means], 0.2, True)
    assert found.interval is not None
    assert found.value == pytest.approx(means.mean())
    exact = stats.t.interval(0.95, 399, loc=means.mean(), scale=stats.sem(means))
    assert found.interval == pytest.approx(exact, abs=6e-4)
    assert found.row()["met"] is True
    assert over_documents([[], [0.5], [0.5]], 0.6, True).row()["met"] is None  # two that agree


def test_every_target_of_the_card_is_judged_by_an_interval() -> None:
    """Of rows by entropy and of n the worst row's own."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["overall"]
    assert len(rows) >= 15
    for name, row in rows.items():
        assert row["low"] <= row["value"] <= row["high"], name
        smaller = row["better"] == "lower"
        assert row["met"] is Target(row["value"], row["target"], smaller, (row["low"], row["high"])).row()["met"], name
