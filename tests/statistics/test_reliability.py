"""Bins and expected calibration error, against hand-counted ones and against what they must be."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.bootstrap import mean_over, mean_within_groups
from core.statistics.reliability import reliability


def test_by_hand() -> None:
    found = reliability(np.array([0.05, 0.15, 0.95, 1.0]), np.array([True, False, True, False]), np.arange(4), bins=10)
    assert found.count.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found.said[9] == pytest.approx(0.975)
    assert found.true[9] == 0.5
    assert np.isnan(found.said[4])
    # bins: |1 − .05|, |0 − .15|, 2 · |.5 − .975|, over four cases
    assert found.error == pytest.approx((0.95 + 0.15 + 0.95) / 4)


def test_who_says_the_truth_is_calibrated_and_who_overstates_is_not() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    true, group = rng.random(20_000) < p, np.arange(20_000) // 5
    assert reliability(p, true, group).error < 0.02
    sure = reliability(np.where(p > 0.5, 1.0, 0.0), true, group)
    assert sure.error == pytest.approx(0.25, abs=0.02)
    assert sure.low < 0.25 < sure.high
    assert sure.high - sure.low < 0.03


def test_nothing_said() -> None:
    found = reliability(np.array([]), np.array([], bool), np.array([], np.intp))
    assert np.isnan(found.error)
    assert not found.count.any()


def test_groups_of_one_are_resampled_as_values_are() -> None:
    values = np.random.default_rng(1).normal(size=(40, 3))
    values[3, 1] = np.nan
    ours, plain = mean_within_groups(values, np.arange(40)), mean_over(values)
    for a, b in ((ours.mean, plain.mean), (ours.low, plain.low), (ours.high, plain.high), (ours.count, plain.count)):
        assert a == pytest.approx(b)


def test_values_that_repeat_within_a_group_say_no_more() -> None:
    values = np.random.default_rng(2).normal(size=30)
    once, thrice = (
        mean_within_groups(values, np.arange(30)),
        mean_within_groups(np.repeat(values, 3), np.arange(90) // 3),
    )
    assert (once.low, once.mean, once.high) == pytest.approx((thrice.low, thrice.mean, thrice.high))
    assert thrice.count == 90
