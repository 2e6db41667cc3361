"""Rank correlations, their p-values, against SciPy and against counting."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.statistics.ranks import p_values, rank_correlation

SCIPY = {"spearman": stats.spearmanr, "kendall": stats.kendalltau}
METHODS = ("spearman", "kendall")
PAIRS = st.integers(2, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(-4, 4), min_size=n, max_size=n) for _ in range(2)])
)


@pytest.mark.parametrize("method", METHODS)
@given(PAIRS)
def test_scipy(method: str, pair: tuple[list[int], list[int]]) -> None:
    x, y = (np.array(side, dtype=float) for side in pair)
    (found,) = rank_correlation(x[None], y, method)  # type: ignore[arg-type]
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(SCIPY[method](x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ties", [False, True])
def test_p_of_few_values_is_counted_over_all_orders(method: str, ties: bool) -> None:
    draw = np.random.default_rng(4)
    rows, y = draw.normal(size=(3, 6)), draw.normal(size=6)
    if ties:
        rows, y = np.round(rows), np.round(y)
    found = p_values(rows, y, method)  # type: ignore[arg-type]
    for row, p in zip(rows, found, strict=True):
        observed = abs(SCIPY[method](row, y).statistic)
        others = [abs(SCIPY[method](row, np.array(order)).statistic) for order in permutations(y)]
        assert p == pytest.approx(np.mean(np.array(others) >= observed - 1e-9))


def test_p_of_four_in_perfect_order_is_one_in_twelve() -> None:
    assert p_values(np.arange(4.0)[None], np.arange(4.0)) == pytest.approx([2 / 24])


@pytest.mark.parametrize("method", METHODS)
def test_p_of_many_values_is_scipys(method: str) -> None:
    draw = np.random.default_rng(5)
    rows, y = draw.normal(size=(3, 15)), draw.normal(size=15)
    rows[1] = 1.0
    found = p_values(rows, y, method)  # type: ignore[arg-type]
    assert np.isnan(found[1])
    for place in (0, 2):
        assert found[place] == pytest.approx(SCIPY[method](rows[place], y).pvalue)


def test_p_is_about_uniform_where_nothing_is_going_on() -> None:
    draw = np.random.default_rng(6)
    for n in (7, 12):
        p = np.array([p_values(draw.normal(size=(1, n)), draw.normal(size=n))[0] for _ in range(120)])
        assert 0.40 < np.mean(p <= 0.5) < 0.60


@pytest.mark.parametrize("method", METHODS)
def test_rounding_is_no_rank(method: str) -> None:
    x = np.array([[1.0, 1.0 + 1e-8, 2.0, 3.0]])
    same = np.array([[1.0, 1.0, 2.0, 3.0]])
    y = np.array([0.0, -1.0, 2.0, 1.0])
    assert rank_correlation(x, y, method) == pytest.approx(rank_correlation(same, y, method))  # type: ignore[arg-type]


def test_nothing_is_said_where_there_is_nothing_to_rank() -> None:
    y = np.array([1.0, 2.0, 3.0])
    assert np.isnan(rank_correlation(np.array([[np.nan, 1.0, 2.0], [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]]), y)).all()
    assert np.isnan(rank_correlation(np.array([[1.0]]), np.array([1.0]))).all()
    assert np.isnan(p_values(np.array([[5.0, 5.0, 5.0]]), y)).all()
    assert rank_correlation(np.zeros((0, 3)), y).shape == (0,)
