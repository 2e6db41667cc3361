"""Is what is said with probability p true in a share p of cases? Tables of bins, and the expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.statistics.bootstrap import RESAMPLES, percentiles, resamples, widened

Floats = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class Reliability:
    """What was said in bins of equal width over [0, 1], beside how often it was true.

    Attributes:
        said: (B,) mean probability said of the cases of a bin; NaN where it has none.
        true: (B,) share of them that came true.
        count: (B,) how many.
        error: expected calibration error Σ_b (N_b / N) |true_b − said_b|.
        low, high: its 95 % interval. Resampling adds noise of its own to every bin, and an absolute value does not
            average it out: where an error is small, its interval lies above it.
    """

    said: Floats
    true: Floats
    count: NDArray[np.intp]
    error: float
    low: float
    high: float


def reliability(
    said: Floats, true: NDArray[np.bool_], group: NDArray[np.intp], bins: int = BINS, seed: int = 0
) -> Reliability:
    """Bins and expected calibration error, with an interval when whole groups are drawn anew.

    Args:
        said: (N,) probabilities.
        true: (N,) what came of it.
        group: (N,) cases that belong together (of one document); resampled together.

    Source: docs/methods.md §12.9; Naeini, Cooper and Hauskrecht 2015 (AAAI).
    """
    if not len(said):
        nothing = np.full(bins, np.nan)
        return Reliability(nothing, nothing, np.zeros(bins, np.intp), np.nan, np.nan, np.nan)
    place = np.minimum((said * bins).astype(np.intp), bins - 1)
    members, row = np.unique(group, return_inverse=True)
    gap, count = np.zeros((len(members), bins)), np.zeros((len(members), bins))
    np.add.at(gap, (row, place), true - said)
    np.add.at(count, (row, place), 1.0)
    weights = _drawn(len(members), seed)
    ends = percentiles(np.abs(weights @ gap).sum(1) / (weights @ count).sum(1))
    total = count.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [np.bincount(place, values, bins) / total for values in (said, true.astype(np.float64))]
    error = float(np.abs(gap.sum(0)).sum() / len(said))
    low, high = widened(error, *ends, len(members), (0.0, 1.0))
    return Reliability(means[0], means[1], total.astype(np.intp), error, float(low), float(high))


@lru_cache(maxsize=1)
def _drawn(count: int, seed: int) -> Floats:
    """How often each group is drawn, (B, groups): several tables of the same cases ask one after the other."""
    return resamples(count, seed, RESAMPLES).astype(np.float64)
