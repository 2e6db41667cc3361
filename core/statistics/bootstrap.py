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


def mean_over(values: Floats, seed: int = 0, times: int = RESAMPLES, level: float = 0.95) -> Interval:
    """The mean over the first axis, and its interval when that axis (queries, questions) is drawn anew.

    Args:
        values: (Q, …), NaN where undefined: such a one counts for nothing.
        seed, times: of the draws.
        level: of the interval.
    """
    count = np.sum(~np.isnan(values), axis=0)
    flat = values.reshape(len(values), -1)
    known = (~np.isnan(flat)).astype(np.float64)
    weights = np.vstack([np.ones(len(flat)), resamples(len(flat), seed, times)])  # the first row is the sample itself
    with np.errstate(invalid="ignore", divide="ignore"):
        means = ((weights @ np.nan_to_num(flat)) / (weights @ known)).reshape(-1, *values.shape[1:])
    low, high = percentiles(means[1:], level)
    return Interval(means[0], low, high, np.asarray(count))


def mean_over_both(values: NDArray[Any], seed: int = 0, times: int = 1_000) -> tuple[Floats, Floats, Floats]:
    """Mean over draws and questions with a 95 % interval, (…, D, N) -> three of (…).

    Draws and questions are drawn anew each with replacement and crossed: a question is asked after every draw, and a
    draw is used for every question, so neither alone is independent.
    """
    cells = np.asarray(values, dtype=np.float64)
    draws, questions = cells.shape[-2:]
    rng = np.random.default_rng(seed)
    by_draw, by_question = (resamples(count, rng, times) / count for count in (draws, questions))  # (B, D), (B, N)
    means = np.einsum("...dn,bn,bd->b...", cells, by_question, by_draw, optimize=True)
    return (cells.mean(axis=(-2, -1)), *percentiles(means))


def mean_within_groups(values: Floats, group: NDArray[np.intp], seed: int = 0, times: int = RESAMPLES) -> Interval:
    """The mean over all values and its 95 % interval, when whole groups are drawn anew.

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
    return Interval(means[0], *percentiles(means[1:]), np.asarray(known.sum(0).reshape(values.shape[1:])))


def mean_over_groups(cells: Sequence[Sequence[Floats]], seed: int = 0) -> tuple[float, float, float]:
    """Mean over all values and its 95 % interval, when the groups of each stratum are drawn anew.

    Args:
        cells: strata × groups, an array of values each: of each stratum its groups are drawn with replacement, the
            values of a group together.
    """
    sums = np.array([[cell.sum() for cell in row] for row in cells])  # (S, G)
    sizes = np.array([[len(cell) for cell in row] for row in cells], dtype=np.float64)
    rng = np.random.default_rng(seed)
    totals, counts = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for row, size in zip(sums, sizes, strict=True):
        weights = resamples(sums.shape[1], rng)
        totals += weights @ row
        counts += weights @ size
    low, high = percentiles(totals / counts)
    return float(sums.sum() / sizes.sum()), float(low), float(high)
