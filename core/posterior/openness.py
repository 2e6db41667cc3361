"""How open the task still is: rows by the entropy of exact Bayes's belief over task families, in nats.

Where the belief is nearly a point, a model that has merely found the task is right; what it makes of a belief that is
spread out shows in the rows above. So figures are reported by row.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.statistics.distributions import entropy

ROWS = (0.0, 0.05, 0.3, 0.7, 1.5, np.inf)
"""Bounds in nats: row r holds ROWS[r] ≤ entropy < ROWS[r + 1]."""
NAMES = tuple(f"above {low:g}" if np.isinf(high) else f"{low:g} – {high:g}" for low, high in pairwise(ROWS))


def row_at(nats: ArrayLike) -> NDArray[np.intp]:
    """The row of each entropy, of the shape given."""
    return np.asarray(np.searchsorted(ROWS, np.asarray(nats), side="right") - 1, dtype=np.intp)


def row_of(belief: ArrayLike) -> NDArray[np.intp]:
    """The row of each belief, (…, F) -> (…)."""
    return row_at(entropy(np.asarray(belief, dtype=np.float64)))
