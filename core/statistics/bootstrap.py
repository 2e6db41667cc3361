"""Percentile bootstrap: what a figure might have been on other questions, queries, tasks or draws of the same kind.

A resample is a row of weights, how often each thing was drawn; a mean over a resample is then one matrix product, for
all resamples and all figures at once, which `scipy.stats.bootstrap` cannot do and the tests compare with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 2_000
DRAWS = 3
"""Draws of demonstrations below which nothing is said of other draws, and so no interval given."""


@dataclass(frozen=True)
class Interval:
    """A mean with a percentile bootstrap interval.

    Attributes:
        mean, low, high: (…) of what is defined; NaN where nothing is.
        count: (…) how much is.
    """

    mean: Floats
    low: Floats
    high: Floats
    count: NDArray[np.intp]


def resamples(count: int, generator: np.random.Generator | int = 0, times: int = RESAMPLES) -> NDArray[np.int64]:
    """(B, N) how often each of N things is drawn, N draws with replacement; by a generator, or one of this seed."""
    rng = np.random.default_rng(generator)
    drawn: NDArray[np.int64] = rng.multinomial(count, np.full(count, 1 / count), size=times)
    return drawn


def percentiles(values: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """(B, …) values of resamples -> the two ends of the interval, (…) each, of what is finite; NaN where nothing is."""
    flat = np.where(np.isfinite(values), values, np.nan).reshape(len(values), -1)
    ends = np.full((2, flat.shape[1]), np.nan)
    some = ~np.isnan(flat).all(axis=0)
    if some.any():
        ends[:, some] = np.nanquantile(flat[:, some], [(1 - level) / 2, (1 + level) / 2], axis=0)
    low, high = ends.reshape(2, *values.shape[1:])
    return low, high


def unseen(count: NDArray[Any] | int, level: float = 0.95) -> Floats:
    """Share that other outcomes may have where `count` outcomes were all alike: 1 − ((1 − level)/2)^(1/count).

    The upper end of Clopper and Pearson's interval for none of `count` (1934): about 3.7 of them at 95 %. All for 0.
    """
    tail = (1 - level) / 2
    share: Floats = 1 - tail ** (1 / np.maximum(np.asarray(count, dtype=np.float64), 1e-9))
    return share


def widened(
    mean: Floats | float,
    low: Floats,
    high: Floats,
    count: NDArray[Any] | int,
    span: tuple[float, float],
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """The ends of intervals, where those of no width reach as far as outcomes that were not seen may move the mean.

    A bootstrap of outcomes that are all alike draws the same ones again, and would be certain after three of them.
    With the share s of `unseen`, the mean lies from (1 − s) mean + s · least to (1 − s) mean + s · most.

    Args:
        count: how many outcomes there were.
        span: the least and the most that an outcome can be.
    """
    mean, share = np.asarray(mean, dtype=np.float64), unseen(count, level)
    alike = np.asarray(high - low) <= 1e-12
    least, most = ((1 - share) * mean + share * end for end in span)
    return np.where(alike, least, low)[()], np.where(alike, most, high)[()]


def mean_over(
    values: Floats,
    seed: int = 0,
    times: int = RESAMPLES,
    level: float = 0.95,
    span: tuple[float, float] = (-1.0, 1.0),
) -> Interval:
    """The mean over the first axis, and its interval when that axis (queries, questions) is drawn anew.

    Args:
        values: (Q, …), NaN where undefined: such a one counts for nothing.
        seed, times: of the draws.
        level: of the interval.
        span: the least and the most that a value can be (`widened`); that of a correlation if none is given.
    """
    count = np.sum(~np.isnan(values), axis=0)
    flat = values.reshape(len(values), -1)
    known = (~np.isnan(flat)).astype(np.float64)
    weights = np.vstack([np.ones(len(flat)), resamples(len(flat), seed, times)])  # the first row is the sample itself
    with np.errstate(invalid="ignore", divide="ignore"):
        means = ((weights @ np.nan_to_num(flat)) / (weights @ known)).reshape(-1, *values.shape[1:])
    low, high = widened(means[0], *percentiles(means[1:], level), count, span, level)
    return Interval(means[0], low, high, np.asarray(count))


def mean_over_both(
    values: NDArray[Any], seed: int = 0, times: int = 1_000, span: tuple[float, float] = (0.0, 1.0)
) -> tuple[Floats, Floats, Floats]:
    """Mean over draws and questions with a 95 % interval, (…, D, N) -> three of (…).

    Draws and questions are drawn anew each with replacement and crossed: a question is asked after every draw, and a
    draw is used for every question, so neither alone is independent. Fewer than three draws say nothing of others, and
    have no interval (NaN).

    Args:
        span: the least and the most that a value can be (`widened`, with as many outcomes as questions).
    """
    cells = np.asarray(values, dtype=np.float64)
    draws, questions = cells.shape[-2:]
    rng = np.random.default_rng(seed)
    by_draw, by_question = (resamples(count, rng, times) / count for count in (draws, questions))  # (B, D), (B, N)
    means = np.einsum("...dn,bn,bd->b...", cells, by_question, by_draw, optimize=True)
    mean = np.asarray(cells.mean(axis=(-2, -1)))
    if draws < DRAWS:
        return mean, np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
    return (mean, *widened(mean, *percentiles(means), questions, span))


def mean_within_groups(values: Floats, group: NDArray[np.intp], seed: int = 0, times: int = RESAMPLES) -> Interval:
    """The mean over all values and its 95 % interval, when whole groups are drawn anew; NaN where all are alike.

    Args:
        values: (N, …), NaN where undefined: such a one counts for nothing.
        group: (N,) which group each belongs to; the groups are drawn with replacement, the values of one together.
    """
    members, row = np.unique(group, return_inverse=True)
    flat = values.reshape(len(values), -1)
    known = ~np.isnan(flat)
    sums, counts = np.zeros((2, len(members), flat.shape[1]))
    np.add.at(sums, row, np.nan_to_num(flat))
    np.add.at(counts, row, known)
    weights = np.vstack([np.ones(len(members)), resamples(len(members), seed, times)])
    with np.errstate(invalid="ignore", divide="ignore"):
        means = ((weights @ sums) / (weights @ counts)).reshape(-1, *values.shape[1:])
    low, high = percentiles(means[1:])
    alike = high - low <= 1e-12
    count = np.asarray(known.sum(0).reshape(values.shape[1:]))
    return Interval(means[0], np.where(alike, np.nan, low)[()], np.where(alike, np.nan, high)[()], count)


def mean_over_groups(
    cells: Sequence[Sequence[Floats]], seed: int = 0, span: tuple[float, float] = (-1.0, 1.0)
) -> tuple[float, float, float]:
    """Mean over all values and its 95 % interval, when the groups of each stratum are drawn anew.

    Args:
        cells: strata × groups, an array of values each: of each stratum its groups are drawn with replacement, the
            values of a group together.
        span: the least and the most that a value can be (`widened`, with as many outcomes as groups); that of a
            difference of shares if none is given.
    """
    sums = np.array([[cell.sum() for cell in row] for row in cells])  # (S, G)
    sizes = np.array([[len(cell) for cell in row] for row in cells], dtype=np.float64)
    rng = np.random.default_rng(seed)
    totals, counts = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for row, size in zip(sums, sizes, strict=True):
        weights = resamples(sums.shape[1], rng)
        totals += weights @ row
        counts += weights @ size
    mean = float(sums.sum() / sizes.sum())
    low, high = widened(mean, *percentiles(totals / counts), sums.size, span)
    return mean, float(low), float(high)
