"""Intervals against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.statistics.curves import curve_of, t_quantile


@pytest.mark.parametrize(("degrees", "within"), [(1, 1e-9), (2, 1e-9), (3, 4e-3), (5, 3e-4), (9, 2e-5), (200, 1e-9)])
def test_quantiles_of_students_t(degrees: int, within: float) -> None:
    for p in (0.95, 0.975):
        assert t_quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), abs=within)


def test_a_curve_is_the_mean_and_its_interval() -> None:
    values = np.random.default_rng(0).normal(size=(8, 3))
    found = curve_of("a", values)
    low, high = stats.t.interval(0.95, 7, loc=values.mean(0), scale=stats.sem(values, axis=0))
    np.testing.assert_allclose(found.mean, values.mean(0))
    np.testing.assert_allclose(found.low, low, rtol=1e-4)
    np.testing.assert_allclose(found.high, high, rtol=1e-4)


def test_one_repetition_has_no_interval() -> None:
    found = curve_of("a", np.array([[1.0, 2.0]]))
    assert found.mean.tolist() == [1, 2]
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()
