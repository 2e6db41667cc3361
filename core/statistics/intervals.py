"""Intervals of shares."""

from __future__ import annotations

import numpy as np


def wilson(hits: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), at 95 % where z is not given; (0, 1) where count is 0.

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), p = hits / n.
    """
    if count == 0:
        return 0.0, 1.0
    p = hits / count
    middle, scale = p + z * z / (2 * count), 1 + z * z / count
    reach = z * float(np.sqrt(p * (1 - p) / count + (z / (2 * count)) ** 2))
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
