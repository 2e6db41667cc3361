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


def log_softmax(scores: Floats) -> Floats:
    """s − log Σ exp(s) over the last axis, nats: finite where softmax(s) has run out of digits; even where that is."""
    peak = np.max(scores, axis=-1, keepdims=True)
    shifted = np.where(np.isneginf(peak), 0.0, scores - np.where(np.isneginf(peak), 0.0, peak))
    logs: Floats = shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return logs


def log_odds(scores: Floats, places: NDArray[np.intp]) -> Floats:
    """ln p(y) − ln Σ_{y'≠y} p(y'), p = softmax(s) over the last axis, in nats; y at `places`, of the shape before it.

    From the scores, since 1 − p of a p near 1 is rounding.
    """
    own = np.asarray(places)[..., None]
    others = np.array(scores, dtype=np.float64)
    np.put_along_axis(others, own, -np.inf, axis=-1)
    mine = np.take_along_axis(np.asarray(scores, dtype=np.float64), own, axis=-1)[..., 0]
    odds: Floats = mine - np.logaddexp.reduce(others, axis=-1)
    return odds


def entropy(p: Floats) -> Floats:
    """H(p) = −Σ p ln p over the last axis, in nats, with 0 ln 0 = 0."""
    logs = np.log(np.where(p > 0, p, 1.0))
    result: Floats = np.maximum(0.0, -np.sum(p * logs, axis=-1))
    return result
