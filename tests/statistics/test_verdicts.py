"""Holm's correction against its definition by brute force and its error rate, p-values against a normal test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from core.statistics.verdicts import LEAST, holm, p_of_interval, verdict


def test_holm_of_a_worked_example() -> None:
    """Holm 1979 as R's p.adjust gives it: .01, .02, .03, .04 become .04, .06, .06, .06."""
    assert holm([0.01, 0.04, 0.03, 0.02]) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm([0.5, 0.9, float("nan")]) == pytest.approx([1.0, 1.0, 1.0])
    assert len(holm([])) == 0


def test_holm_is_statsmodels() -> None:
    rng = np.random.default_rng(2)
    for count in (1, 2, 5, 19):
        p = rng.beta(0.3, 3, size=count)
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_holm_rejects_what_stepping_down_rejects() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = rng.beta(0.3, 3, size=7)
        left = list(np.argsort(p))
        rejected = set()
        while left and p[left[0]] <= 0.05 / len(left):
            rejected.add(int(left.pop(0)))
        assert set(np.flatnonzero(holm(p) <= 0.05).tolist()) == rejected


def test_of_nineteen_true_nothings_one_is_called_a_difference_in_a_twentieth_of_cases() -> None:
    rng = np.random.default_rng(1)
    p = rng.random((2_000, 19))
    wrong = np.mean([(holm(row) <= 0.05).any() for row in p])
    assert stats.binomtest(int(wrong * 2_000), 2_000, 0.05).pvalue > 0.001
    assert (p <= 0.05).any(axis=1).mean() > 0.55  # without a correction


def test_p_of_an_interval_is_that_of_a_z_test() -> None:
    for value, error in ((0.03, 0.01), (-0.02, 0.02), (0.0, 0.1)):
        reach = stats.norm.ppf(0.975) * error
        expected = 2 * stats.norm.sf(abs(value) / error)
        assert p_of_interval(value, value - reach, value + reach) == pytest.approx(expected)
    assert p_of_interval(0.0, 0.0, 0.0) == 1.0
    assert np.isnan(p_of_interval(0.2, 0.2, 0.2))


def test_verdicts_go_both_ways_and_are_silent_below_their_sample() -> None:
    assert verdict(0.1, 0.01, LEAST) == "gain"
    assert verdict(-0.1, 0.01, LEAST) == "harm"
    assert verdict(0.1, 0.06, LEAST) == "not shown"
    assert verdict(0.1, float("nan"), LEAST) == "not shown"
    assert verdict(0.1, 0.001, LEAST - 1) == "too few"
