"""What an answer's probabilities are worth, item by item: their means have intervals as accuracy has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def right(probabilities: Floats, truth: NDArray[np.intp]) -> Floats:
    """(N, L) probabilities of L labels -> (N,) 1 where the likeliest is the true one, the first of equals counting."""
    return np.asarray((np.argmax(probabilities, axis=1) == truth).astype(np.float64))


def log_loss(probabilities: Floats, truth: NDArray[np.intp]) -> Floats:
    """(N,) −ln p(true label), nats; p is taken as float64's 2.2e-16 at least, as scikit-learn takes it."""
    own = np.take_along_axis(np.asarray(probabilities, dtype=np.float64), np.asarray(truth)[:, None], axis=1)[:, 0]
    return np.asarray(-np.log(np.maximum(own, np.finfo(np.float64).eps)))


def brier(probabilities: Floats, truth: NDArray[np.intp]) -> Floats:
    """(N,) Σ_y (p_y − [y is true])², from 0 to 2 (Brier 1950); of two labels twice the squared error of one."""
    hit = np.zeros(np.shape(probabilities))
    np.put_along_axis(hit, np.asarray(truth)[:, None], 1.0, axis=1)
    return np.asarray(((np.asarray(probabilities, dtype=np.float64) - hit) ** 2).sum(axis=1))
