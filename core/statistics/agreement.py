"""How far several ways to answer the same questions agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def equal_share(answers: NDArray[np.str_]) -> Floats:
    """(C, N) answers -> (C, C) share of questions that two ways answer alike."""
    share: Floats = (answers[:, None] == answers[None]).mean(axis=2)
    return share


def kappa(answers: NDArray[np.str_]) -> Floats:
    """Cohen's κ = (p_o − p_e) / (1 − p_e) of every pair (Cohen 1960), (C, N) -> (C, C).

    p_o is the share of equal answers, p_e = Σ_y share_a(y) share_b(y) what two that answer at random with these shares
    would reach. Where both give one and the same answer throughout, p_e = 1 and κ is taken as 1, where scikit-learn's
    `cohen_kappa_score`, which takes one pair a call, is not defined.
    """
    words = np.unique(answers)
    shares = (answers[:, :, None] == words).mean(axis=1)  # (C, words)
    chance = shares @ shares.T
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (equal_share(answers) - chance) / (1 - chance)
    result: Floats = np.where(chance > 1 - 1e-12, 1.0, found)
    return result
