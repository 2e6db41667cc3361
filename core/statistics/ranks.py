"""Rank correlation of many scores with one: Spearman and Kendall, with p-values."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Literal["spearman", "kendall"]

EXACT = 8  # up to so many values, p is counted over all n! orders
SAME = 1e-6  # values nearer than this share of the largest are ties: packed passes differ by about 1e-7
WORK = 1 << 24  # numbers in one product of the count over all orders


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
    *rows, other = _centred(np.vstack([np.atleast_2d(scores), outcome]), method)
    centred = np.array(rows).reshape(-1, len(other))
    # Ranks are whole or halves, so that the sums are exact and a perfect order is 1 and not nearly so.
    result: Floats = centred @ other / np.sqrt((centred**2).sum(axis=1) * (other @ other))
    return np.clip(result, -1.0, 1.0)


def p_values(scores: Floats, outcome: Floats, method: Method = "spearman") -> Floats:
    """Two-sided p of each correlation under "ranks are paired at random", (E,).

    Up to eight values, the share of all n! orders of `outcome` whose correlation is at least as far from 0: exact,
    ties included. Above, scipy's: Student's t for Spearman, for Kendall exact without ties and normal with them.
    Nothing is corrected for looking at many scores.

    `scipy.stats.permutation_test` counts too, but one row at n = 8 takes it as long (.07 s) as the matrix product over
    all orders takes for a hundred, and a page asks for every head of a model.
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


def _features(rows: Floats, method: Method) -> Floats:
    """Rows of unit length whose inner products are the correlations; NaN where a row is constant or not a number."""
    centred = _centred(rows, method)
    unit: Floats = centred / np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return unit


def _centred(rows: Floats, method: Method) -> Floats:
    """Mid-ranks around their mean, or signs of all pairs; NaN where a row is constant or not a number."""
    tidy = _tied(np.asarray(rows, dtype=np.float64))
    if method == "kendall":
        first, second = np.triu_indices(tidy.shape[1], 1)
        centred = np.sign(tidy[:, first] - tidy[:, second])
    else:
        from scipy.stats import rankdata

        ranks = np.asarray(rankdata(tidy, axis=1), dtype=np.float64)
        centred = ranks - ranks.mean(axis=1, keepdims=True) if ranks.size else ranks
    broken = ~np.isfinite(tidy).all(axis=1) | (centred == 0).all(axis=1)
    return np.where(broken[:, None], np.nan, centred)


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
