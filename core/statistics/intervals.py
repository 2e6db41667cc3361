"""Intervals of shares, and around them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=4096)
def wilson(hits: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), by SciPy; (0, 1) where count is 0.

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), p = hits / n. Kept, as SciPy works out a p-value on the way and
    a page asks again at every redraw.
    """
    if count == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest

    found = binomtest(hits, count).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def intervals(right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(R, N) -> (R, 2) Wilson's 95 % interval of every row's share."""
    return np.array([wilson(int(row.sum()), len(row)) for row in right]).reshape(-1, 2)


def around(shares: NDArray[np.float64], reach: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Low and high ends at an angle from each share p: sin²(asin √p ∓ τ), kept to 0 … 1.

    On the scale of asin √p the error of a share does not depend on the share (Fisher 1922).

    Args:
        shares: (…, T) in 0 … 1.
        reach: (…, 1) or what fits, τ in radians, at least 0.
    """
    angle = np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0)))
    low, high = np.maximum(angle - reach, 0.0), np.minimum(angle + reach, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2
