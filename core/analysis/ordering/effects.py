"""What the order of demonstrations does, read off a table of orders: gains, entropy against accuracy, positions.

Means over random orders are taken over the orders drawn (`OrderTable.drawn`). Intervals are percentiles over
bootstrap samples of the questions: how far a figure may lie from that on all such questions, for these
demonstrations on this model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.ordering.table import OrderTable
from core.statistics.bootstrap import percentiles, resamples, unseen, widened
from core.statistics.ranks import rank_correlation
from core.statistics.verdicts import holm, p_of_interval, verdict

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

PERMUTATIONS = 9999  # of the null distribution, where there are too many orders for all of them
KEPT = 4  # orders of highest entropy that Lu et al. keep (of 24)


@dataclass(frozen=True)
class Gain:
    """How much more often some orders are right than random ones.

    Attributes:
        accuracy: mean over these orders.
        mean: over random orders.
        relative: accuracy / mean − 1, NaN where the mean is 0; low, high: its 95 % interval.
    """

    accuracy: float
    mean: float
    relative: float
    low: float
    high: float


@dataclass(frozen=True)
class Correlation:
    """Spearman's ρ between a measure of orders and their accuracy, in its own words.

    Attributes:
        rho: NaN where one side is the same for every order.
        p: two-sided (`scipy.stats.permutation_test`): twice the share of the ways to pair measure and accuracy whose ρ
            is at least as far out on this side, of all of them where they are few, else of `PERMUTATIONS` at random.
        low, high: 95 % interval over questions.
        exact: whether all pairings were counted.
    """

    rho: float
    p: float
    low: float
    high: float
    exact: bool


def told_apart(found: Sequence[Gain | Correlation], questions: int) -> tuple[bool, ...]:
    """Which of these, shown together, differ from 0: one family of tests (docs/methods.md §12.10).

    Each has a two-sided p, a correlation that of its pairings, a gain one from its interval; corrected by Holm it must
    be at most .05, and the interval over questions must leave 0 out. None of them does below 20 questions.
    """
    p = [one.p if isinstance(one, Correlation) else p_of_interval(one.relative, one.low, one.high) for one in found]
    values = [one.rho if isinstance(one, Correlation) else one.relative for one in found]
    said = [verdict(value, float(one), questions) for value, one in zip(values, holm(p), strict=True)]
    apart = [one.low > 0 or one.high < 0 for one in found]
    return tuple(ends and word in ("gain", "harm") for ends, word in zip(apart, said, strict=True))


def merit(table: OrderTable) -> Floats:
    """(M,) what ranks orders: accuracy, then mean p(gold); without questions p of the answer most orders give.

    p(gold) counts for less than one question, so that it only decides between equal accuracies.
    """
    if table.questions:
        result: Floats = table.accuracy + 0.999 * table.gold.mean(axis=1) / len(table.questions)
        return result
    commonest = int(np.bincount(table.best, minlength=len(table.labels)).argmax())
    only: Floats = table.answers[:, commonest]
    return only


def best_and_worst(table: OrderTable) -> tuple[int, int]:
    """Rows of highest and lowest `merit`, ties to the first."""
    values = np.round(merit(table), 9)
    return int(np.argmax(values)), int(np.argmin(values))


def held_out(table: OrderTable) -> tuple[float, float]:
    """Accuracy of the best and of the worst order, each chosen on one half of the questions and held against the other.

    The best of many orders is partly lucky on the questions it was chosen by; this is what is left of it. Halves are
    the even and the odd questions, each serves both ways, orders that tie count alike; (NaN, NaN) with fewer than two.
    """
    if len(table.questions) < 2:
        return np.nan, np.nan
    halves = [np.arange(len(table.questions)) % 2 == half for half in (0, 1)]
    best, worst = [], []
    for choosing, reporting in (halves, halves[::-1]):
        score = table.right[:, choosing].mean(axis=1) + 0.999 * table.gold[:, choosing].mean(axis=1) / choosing.sum()
        reported = table.right[:, reporting].mean(axis=1)
        score = np.round(score, 9)
        best.append(reported[score == score.max()].mean())
        worst.append(reported[score == score.min()].mean())
    return float(np.mean(best)), float(np.mean(worst))


def gain(table: OrderTable, right: Bools, seed: int = 0) -> Gain:
    """Mean accuracy of `right`, (…, N), against the mean over random orders, in pairs on the same questions."""
    mine = right.reshape(-1, right.shape[-1]).mean(axis=0)  # (N,)
    random = table.right[table.drawn].mean(axis=0)
    weights = resamples(len(table.questions), seed)  # (B, N)
    low, high = percentiles(_ratio(weights @ mine, weights @ random) - 1)
    a, b = float(mine.mean()), float(random.mean())
    ratio = float(_ratio(mine.mean(), random.mean()))
    if high - low <= 1e-12 and b > 0:  # every question says the same: others may not, and either accuracy may be theirs
        s = float(unseen(len(table.questions)))
        low = np.asarray(a * (1 - s) / (b + (1 - b) * s) - 1)
        high = np.asarray((a + (1 - a) * s) / (b * (1 - s)) - 1)
    return Gain(a, b, ratio - 1, float(low), float(high))


def highest(table: OrderTable, measure: Floats, most: int = KEPT) -> Ints:
    """Rows of the `most` highest values among the orders drawn, ties to the first: those that Lu et al. keep."""
    rows = np.flatnonzero(table.drawn)
    ranked: Ints = rows[np.argsort(-np.round(measure[rows], 6), kind="stable")[:most]]
    return ranked


def correlation(table: OrderTable, measure: Floats, seed: int = 0) -> Correlation:
    """Spearman's ρ between a measure of orders, (M,), and their accuracy, over the orders drawn."""
    from scipy.stats import permutation_test

    measure, right = measure[table.drawn], table.right[table.drawn]

    accuracy = right.mean(axis=1)
    if np.isnan(rank_correlation(measure, accuracy)).all():
        return Correlation(np.nan, np.nan, np.nan, np.nan, True)

    def rho(x: Floats, axis: int = -1) -> Floats:
        found = rank_correlation(x.reshape(-1, x.shape[-1]), accuracy)
        return found.reshape(x.shape[:-1])

    test = permutation_test(
        (measure,),
        rho,
        permutation_type="pairings",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(seed),
        batch=500,
    )
    weights = resamples(right.shape[1], seed).astype(np.float64)  # (B, N)
    ends = percentiles(rank_correlation(weights @ right.T, measure))
    low, high = widened(test.statistic, *ends, right.shape[1], (-1.0, 1.0))
    exact = len(test.null_distribution) < PERMUTATIONS
    return Correlation(float(test.statistic), float(test.pvalue), float(low), float(high), exact)


def positions(orders: Ints, values: Floats) -> Floats:
    """(k, k) mean value of the orders in which demonstration i stands in position j; NaN where none was tried.

    Args:
        orders: (M, k).
        values: (M,).
    """
    k = orders.shape[1]
    sums, counts = np.zeros((k, k)), np.zeros((k, k))
    where = (orders, np.broadcast_to(np.arange(k), orders.shape))
    np.add.at(sums, where, np.broadcast_to(values[:, None], orders.shape))
    np.add.at(counts, where, 1.0)
    means: Floats = _ratio(sums, counts)
    return means


def copied(orders: Ints, labels: tuple[str, ...], replies: NDArray[np.str_]) -> Floats:
    """(k,) share of answers that are the label of the demonstration in position j.

    Over all k! orders an answer that does not depend on the order gives every position the same share, how often its
    label is shown divided by k; recency is a share that rises towards the last position.

    Args:
        orders: (M, k).
        labels: (k,) of the demonstrations.
        replies: (M, …) answers as text.
    """
    by_place = np.array(labels)[orders]  # (M, k)
    flat = replies.reshape(len(orders), -1)
    return np.array([(flat == by_place[:, j, None]).mean() for j in range(orders.shape[1])])


def replies_of(table: OrderTable) -> NDArray[np.str_]:
    """(M, N) the answers to the questions as text."""
    columns = [np.array(labels)[table.replies[:, n]] for n, labels in enumerate(table.candidates)]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table.orders), 0), dtype=np.str_)


def flip_rate(places: Ints) -> Floats:
    """Share of orders that answer otherwise than most do: (M, …) places of answers -> (…)."""
    flat = places.reshape(len(places), -1)
    shares = [1 - np.bincount(column).max() / len(column) for column in flat.T]
    result: Floats = np.array(shares).reshape(places.shape[1:])
    return result


def _ratio(over: Floats, under: Floats) -> Floats:
    """over / under, NaN where under is 0."""
    over, under = np.asarray(over, dtype=np.float64), np.asarray(under, dtype=np.float64)
    result: Floats = np.divide(over, under, out=np.full(np.broadcast(over, under).shape, np.nan), where=under > 0)
    return result
