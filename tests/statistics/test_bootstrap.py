"""Percentile intervals, against SciPy's bootstrap and against plain loops over resamples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.statistics.bootstrap import (
    mean_over,
    mean_over_both,
    mean_over_groups,
    mean_within_groups,
    percentiles,
    resamples,
    unseen,
    widened,
)


def test_bootstrap_interval() -> None:
    """Near the normal one on many draws; queries without a correlation count for nothing."""
    draw = np.random.default_rng(7)
    values = np.clip(draw.normal(0.4, 0.2, size=(60, 1)), -1, 1)
    with_gaps = np.vstack([values, np.full((9, 1), np.nan)])
    found = mean_over(with_gaps, seed=1)
    assert found.count.tolist() == [60]
    assert found.mean == pytest.approx(values.mean(axis=0))
    half = 1.96 * values.std(ddof=1) / np.sqrt(60)
    assert found.low[0] == pytest.approx(values.mean() - half, abs=0.012)
    assert found.high[0] == pytest.approx(values.mean() + half, abs=0.012)


def test_bootstrap_agrees_with_scipys() -> None:
    values = np.random.default_rng(8).uniform(-1, 1, size=25)
    ours = mean_over(values[:, None], seed=0, times=20_000)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert (ours.low[0], ours.high[0]) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_bootstrap_of_what_is_nowhere_defined_and_of_one_query() -> None:
    nowhere = mean_over(np.full((5, 2, 3), np.nan))
    assert nowhere.mean.shape == (2, 3)
    assert np.isnan([nowhere.mean, nowhere.low, nowhere.high]).all()
    assert (nowhere.count == 0).all()
    one = mean_over(np.array([[0.5]]))
    assert (one.low[0], one.mean[0], one.high[0]) == pytest.approx((0.5 - 1.5 * 0.975, 0.5, 0.5 + 0.5 * 0.975))


@pytest.mark.parametrize("count", [3, 10, 80])
def test_outcomes_that_are_all_alike_are_no_certainty(count: int) -> None:
    """Right every time: from Clopper and Pearson's lower end, which SciPy gives, to 1; and so in every function."""
    exact = stats.binomtest(count, count).proportion_ci(0.95, method="exact").low
    right = np.ones((3, count))
    found = mean_over(np.ones((count, 1)), span=(0.0, 1.0))
    assert (found.low[0], found.mean[0], found.high[0]) == pytest.approx((exact, 1.0, 1.0))
    assert mean_over_both(right) == pytest.approx((1.0, exact, 1.0))
    assert mean_over_groups([[np.ones(2)] * count], span=(0.0, 1.0)) == pytest.approx((1.0, exact, 1.0))
    same = mean_over_groups([[np.zeros(2)] * count])  # a difference that was never seen
    assert same == pytest.approx((0.0, -(1 - exact), 1 - exact))
    within = mean_within_groups(np.ones(count), np.arange(count))
    assert np.isnan([within.low, within.high]).all()  # of nats, which have no most
    assert unseen(count) == pytest.approx(1 - exact)


def test_what_differs_keeps_its_interval() -> None:
    low, high = widened(np.array([0.5, 1.0]), np.array([0.4, 1.0]), np.array([0.6, 1.0]), 10, (0.0, 1.0))
    assert (low[0], high[0]) == (0.4, 0.6)
    assert low[1] < 0.75


def test_one_or_two_draws_have_no_interval() -> None:
    rng = np.random.default_rng(0)
    for draws in (1, 2):
        mean, low, high = mean_over_both(rng.random((2, draws, 50)))
        assert np.isfinite(mean).all()
        assert np.isnan([low, high]).all()
    assert np.isfinite(mean_over_both(rng.random((3, 50)))).all()


def test_a_ratio_agrees_with_scipys() -> None:
    """Any figure of weighted sums: here one mean over another, on the same questions."""
    rng = np.random.default_rng(3)
    over, under = rng.random(80) < 0.7, rng.random(80) < 0.5
    weights = resamples(80, 1, 20_000)
    ours = percentiles((weights @ over) / (weights @ under))
    theirs = stats.bootstrap(
        (over, under),
        lambda x, y, axis=-1: x.mean(axis=axis) / y.mean(axis=axis),
        paired=True,
        n_resamples=20_000,
        method="percentile",
        rng=0,
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_percentiles_are_of_what_is_finite() -> None:
    values = np.array([[np.nan, np.inf, 1.0], [np.nan, 2.0, 2.0], [np.nan, 4.0, 3.0]])
    low, high = percentiles(values, 0.5)
    np.testing.assert_allclose(low, [np.nan, 2.5, 1.5])
    np.testing.assert_allclose(high, [np.nan, 3.5, 2.5])


def test_draws_and_questions_are_crossed() -> None:
    rng = np.random.default_rng(5)
    cells = rng.normal(size=(2, 4, 9)) + rng.normal(size=(2, 4, 1))
    mean, low, high = mean_over_both(cells, seed=2, times=4_000)
    np.testing.assert_allclose(mean, cells.mean(axis=(1, 2)))
    again = np.array(
        [cells[:, rng.integers(4, size=4)][:, :, rng.integers(9, size=9)].mean(axis=(1, 2)) for _ in range(4_000)]
    )
    np.testing.assert_allclose([low, high], np.percentile(again, [2.5, 97.5], axis=0), atol=0.06)


def test_groups_stay_together() -> None:
    rng = np.random.default_rng(6)
    cells = [[rng.normal(size=size) + group for group, size in enumerate((3, 5, 8, 2))] for _ in range(2)]
    mean, low, high = mean_over_groups(cells)
    assert mean == pytest.approx(np.concatenate([cell for row in cells for cell in row]).mean())
    again = []
    for _ in range(4_000):
        drawn = [row[i] for row in cells for i in rng.integers(4, size=4)]
        again.append(np.concatenate(drawn).mean())
    assert (low, high) == pytest.approx(np.percentile(again, [2.5, 97.5]), abs=0.06)


def test_seeds_draw_what_they_drew() -> None:
    """Intervals of stored figures come back: weights are the multinomial draws of NumPy's generator of this seed."""
    expected = np.random.default_rng(4).multinomial(7, np.full(7, 1 / 7), size=2_000)
    np.testing.assert_array_equal(resamples(7, 4), expected)
