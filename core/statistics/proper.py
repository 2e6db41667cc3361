"""What an answer's probabilities are worth, item by item: their means have intervals as accuracy has.

They are taken as logarithms: what is too small for a float64 still has one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
LEAST = float(np.log(np.nextafter(0.0, 1.0)))
"""log of the smallest number that float64 has: what was ruled out costs so much, since a mean takes no infinity."""


def right(log_probabilities: Floats, truth: Places) -> Floats:
    """(N, L) log p of L labels -> (N,) 1 where the likeliest is the true one, the first of equals counting."""
    return np.asarray((np.argmax(log_probabilities, axis=1) == truth).astype(np.float64))


def log_loss(log_probabilities: Floats, truth: Places) -> Floats:
    """(N,) −ln p(true label), nats, 744 where it was ruled out."""
    own = np.take_along_axis(log_probabilities, truth[:, None], axis=1)[:, 0]
    return np.asarray(-np.maximum(own, LEAST))


def brier(log_probabilities: Floats, truth: Places) -> Floats:
    """(N,) Σ_y (p_y − [y is true])², from 0 to 2 (Brier 1950); of two labels twice the squared error of one."""
    hit = np.zeros(log_probabilities.shape)
    np.put_along_axis(hit, truth[:, None], 1.0, axis=1)
    return np.asarray(((np.exp(log_probabilities) - hit) ** 2).sum(axis=1))
