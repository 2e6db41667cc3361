"""Targets of the embedded model: where a figure has an interval, that decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy import stats

from benchmarks.embedded import Target, difference_of
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
