"""Two accuracies on the same questions, against SciPy's distributions and against plain sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from core.statistics.paired import paired


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 9))
def test_mcnemar_against_the_binomial_distribution(a: int, b: int, both: int) -> None:
    first = np.array([True] * a + [False] * b + [True] * both)
    second = np.array([False] * a + [True] * b + [True] * both)
    test = paired(first, second)
    assert (test.only_a, test.only_b) == (a, b)
    assert test.p == pytest.approx(min(1.0, 2 * binom.cdf(min(a, b), a + b, 0.5)))
    turned = paired(second, first)
    assert turned.p == pytest.approx(test.p)
    assert turned.interval == pytest.approx((-test.interval[1], -test.interval[0]))


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
