"""Wilson's interval against its formula."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.statistics.intervals import intervals, wilson


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_formula(pair: tuple[int, int]) -> None:
    hits, count = pair
    for z, within in ((NormalDist().inv_cdf(0.975), 1e-12), (1.959964, 1e-7)):
        p = hits / count
        middle, scale = p + z * z / (2 * count), 1 + z * z / count
        reach = z * math.sqrt(p * (1 - p) / count + (z / (2 * count)) ** 2)
        expected = (max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale))
        assert wilson(hits, count) == pytest.approx(expected, abs=within)


def test_nothing_asked_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_rows() -> None:
    right = np.array([[True, True, False], [False, False, False]])
    np.testing.assert_array_equal(intervals(right), [wilson(2, 3), wilson(0, 3)])
    assert intervals(np.zeros((0, 3), dtype=bool)).shape == (0, 2)
