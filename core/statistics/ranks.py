"""Rank correlation of many scores with one: Spearman and Kendall, with p-values, and intervals over queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Literal["spearman", "kendall"]

EXACT = 8  # up to so many values, p is counted over all n! orders
SAME = 1e-6  # values nearer than this share of the largest are ties: packed passes differ by about 1e-7
RESAMPLES = 2_000
WORK = 1 << 24  # numbers in one product of the count over all orders


@dataclass(frozen=True)
class Interval:
    """A mean over queries with a percentile bootstrap interval.

    Attributes:
        mean, low, high: (…) of the queries where the correlation is defined; NaN where it is nowhere.
        count: (…) how many those are.
    """

    mean: Floats
    low: Floats
    high: Floats
    count: NDArray[np.intp]


def rank_correlation(scores: Floats, outcome: Floats, method: Method = "spearman") -> Floats:
    """Correlation of each row of `scores` with `outcome`.

    spearman  Pearson's r of the mid-ranks
    kendall   τ_b = Σ_{i<j} sign(x_i − x_j) sign(y_i − y_j) / √(pairs untied in x · pairs untied in y)

    Args:
        scores: (E, n).
        outcome: (n,).

    Returns:
        (E,) in [−1, 1]; NaN where either side is constant or holds a NaN, or n < 2.
    """
    features = _features(np.vstack([np.atleast_2d(scores), outcome]), method)
    result: Floats = features[:-1] @ features[-1]
    return np.clip(result, -1.0, 1.0)


def p_values(scores: Floats, outcome: Floats, method: Method = "spearman") -> Floats:
    """Two-sided p of each correlation under "ranks are paired at random", (E,).

    Up to eight values, the share of all n! orders of `outcome` whose correlation is at least as far from 0: exact,
    ties included. Above, scipy's: Student's t for Spearman, for Kendall exact without ties and normal with them.
    Nothing is corrected for looking at many scores.
    """
    rows = np.atleast_2d(scores)
    if len(outcome) > EXACT:
        return np.array([_scipy_p(row, outcome, method) for row in rows])
    observed = np.abs(rank_correlation(rows, outcome, method))  # (E,)
    features = _features(rows, method)  # (E, f)
    beyond, total = np.zeros(len(rows)), 0
    orders = _orders(len(outcome))
    size = max(1, WORK // max(1, len(rows) + features.shape[1]))
    for start in range(0, len(orders), size):
        shuffled = _features(np.asarray(outcome)[orders[start : start + size]], method)  # (size, f)
        beyond += (np.abs(features @ shuffled.T) >= observed[:, None] - 1e-9).sum(axis=1)
        total += len(shuffled)
    return np.where(np.isnan(observed), np.nan, beyond / max(1, total))


def bootstrap(correlations: Floats, seed: int = 0, resamples: int = RESAMPLES, level: float = 0.95) -> Interval:
    """The mean over queries, and the percentile interval of that mean when queries are drawn anew with replacement.

    Args:
        correlations: (Q, …), NaN where undefined: such a query counts for nothing.
        seed, resamples: of the draws.
        level: of the interval.
    """
    count = np.sum(~np.isnan(correlations), axis=0)
    flat = correlations.reshape(len(correlations), -1)
    known = (~np.isnan(flat)).astype(np.float64)
    filled = np.nan_to_num(flat)
    queries = len(flat)
    drawn = np.random.default_rng(seed).multinomial(queries, np.full(queries, 1 / queries), size=resamples)
    weights = np.vstack([np.ones(queries), drawn])  # the first row is the sample itself
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (weights @ filled) / (weights @ known)  # (1 + resamples, …)
    some = known.sum(axis=0) > 0
    ends = np.full((2, flat.shape[1]), np.nan)
    if some.any():
        tails = [(1 - level) / 2, (1 + level) / 2]
        ends[:, some] = np.nanquantile(means[1:, some], tails, axis=0)
    shape = correlations.shape[1:]
    return Interval(means[0].reshape(shape), ends[0].reshape(shape), ends[1].reshape(shape), np.asarray(count))


def _features(rows: Floats, method: Method) -> Floats:
    """Rows of unit length whose inner products are the correlations; NaN where a row is constant or not a number."""
    tidy = _tied(np.asarray(rows, dtype=np.float64))
    if method == "kendall":
        first, second = np.triu_indices(tidy.shape[1], 1)
        centred = np.sign(tidy[:, first] - tidy[:, second])
    else:
        from scipy.stats import rankdata

        ranks = np.asarray(rankdata(tidy, axis=1), dtype=np.float64)
        centred = ranks - ranks.mean(axis=1, keepdims=True) if ranks.size else ranks
    lengths = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    broken = ~np.isfinite(tidy).all(axis=1, keepdims=True) | (lengths == 0)
    return np.where(broken, np.nan, centred / np.where(lengths == 0, 1.0, lengths))


def _tied(rows: Floats) -> Floats:
    """Rows whose values are whole numbers of steps, so that what differs by rounding alone is equal."""
    finite = np.where(np.isfinite(rows), rows, 0.0)
    step = SAME * np.abs(finite).max(axis=1, keepdims=True, initial=0.0)
    return np.where(np.isfinite(rows), np.round(finite / np.where(step > 0, step, 1.0)), np.nan)


@lru_cache(maxsize=2)
def _orders(n: int) -> NDArray[np.intp]:
    """(n!, n) all orders."""
    return np.array(list(permutations(range(n))), dtype=np.intp).reshape(-1, n)


def _scipy_p(row: Floats, outcome: Floats, method: Method) -> float:
    from scipy import stats

    pair = _tied(np.stack([row, outcome]))
    if not np.isfinite(pair).all() or (np.ptp(pair, axis=1) == 0).any():
        return float("nan")
    test = stats.spearmanr if method == "spearman" else stats.kendalltau
    return float(test(pair[0], pair[1]).pvalue)
