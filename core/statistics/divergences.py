"""How far two distributions are apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


SMOOTHING = 1e-6
"""Share of the uniform distribution that takes part where a divergence would otherwise be infinite."""


def total_variation(p: Floats, q: Floats) -> Floats:
    """½ Σ |p − q| over the last axis, in [0, 1]: the most by which the two can differ on any event."""
    distance: Floats = 0.5 * np.abs(p - q).sum(-1)
    return distance


def divergence(p: Floats, q: Floats, smoothing: float = SMOOTHING) -> Floats:
    """KL(p ‖ q_ε) = Σ p log(p / q_ε) over the last axis, in nats, with q_ε = (1 − ε) q + ε · uniform.

    ε = 1e-6 keeps it finite where q rules out what p holds: by at most log(T / ε) for T outcomes. Where q has no zero
    it differs from KL(p ‖ q) by about ε. Never negative beyond −log(1 − ε); that rounding is cut off.
    """
    mixed = (1 - smoothing) * q + smoothing / q.shape[-1]
    held = p > 0
    ratio = np.log(np.where(held, p, 1.0)) - np.log(np.where(held, mixed, 1.0))
    total: Floats = np.maximum((p * ratio).sum(-1), 0.0)
    return total
