"""Intervals against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.statistics.curves import curve_of


@pytest.mark.parametrize("repetitions", [2, 3, 4, 8, 40])
def test_a_curve_is_the_mean_and_its_interval(repetitions: int) -> None:
    values = np.random.default_rng(0).normal(size=(repetitions, 3))
    found = curve_of("a", values)
    low, high = stats.t.interval(0.95, repetitions - 1, loc=values.mean(0), scale=stats.sem(values, axis=0))
    np.testing.assert_allclose(found.mean, values.mean(0))
    np.testing.assert_allclose(found.low, low, rtol=1e-12)
    np.testing.assert_allclose(found.high, high, rtol=1e-12)


def test_one_repetition_has_no_interval() -> None:
    found = curve_of("a", np.array([[1.0, 2.0]]))
    assert found.mean.tolist() == [1, 2]
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()


def test_repetitions_that_are_alike_are_certain_of_nothing() -> None:
    """Three seeds that agree give no interval; of shares, the exact one that SciPy gives for three of three."""
    values = np.array([[1.0, 0.2], [1.0, 0.4], [1.0, 0.6]])
    plain, shares = curve_of("a", values), curve_of("a", values, span=(0.0, 1.0))
    assert np.isnan([plain.low[0], plain.high[0]]).all()
    exact = stats.binomtest(3, 3).proportion_ci(0.95, method="exact")
    assert (shares.low[0], shares.high[0]) == pytest.approx((exact.low, exact.high))
    for found in (plain, shares):  # what differs keeps Student's interval
        ends = stats.t.interval(0.95, 2, loc=0.4, scale=stats.sem(values[:, 1]))
        assert (found.low[1], found.high[1]) == pytest.approx(ends)
