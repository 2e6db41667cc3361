"""Softmax and entropies, on arrays of any leading shape, and the interval of a share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def softmax(scores: Floats) -> Floats:
    """exp(s) / Σ exp(s) over the last axis; uniform where every score is −∞."""
    peak = np.max(scores, axis=-1, keepdims=True)
    weights = np.exp(np.where(np.isneginf(peak), 0.0, scores - np.where(np.isneginf(peak), 0.0, peak)))
    total: Floats = weights / np.sum(weights, axis=-1, keepdims=True)
    return total


def entropy(p: Floats) -> Floats:
    """H(p) = −Σ p ln p over the last axis, in nats, with 0 ln 0 = 0."""
    logs = np.log(np.where(p > 0, p, 1.0))
    result: Floats = np.maximum(0.0, -np.sum(p * logs, axis=-1))
    return result
