"""How far several ways to answer the same questions agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.statistics.crossed import Crossed, joint, numbered

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


def flipped(answers: NDArray[Any], factors: Mapping[str, NDArray[np.int64]], over: str) -> Crossed:
    """Of every cell of the other factors whether its answers differ over the levels of one: 1 or 0.

    Over orders, the flip rate is the share of questions whose answer is not the same in all orders of a set; over two
    settings, the share whose answer changes. `core.statistics.estimates.mean_of` gives it with an interval.

    Args:
        answers: (I,) the answer of every item, in any coding.
        factors: of every item the level of each factor, `over` among them.
        over: the factor whose levels are compared. Cells with one answer alone are left out.

    Raises:
        ValueError: no cell has two answers.
    """
    others = {name: np.asarray(levels) for name, levels in factors.items() if name != over}
    one = np.zeros(len(answers), dtype=np.int64)
    cell = joint(one, *(numbered(levels) for levels in others.values()))
    said = numbered(np.unique(np.asarray(answers), return_inverse=True)[1])
    first = np.unique(cell, return_index=True)[1]
    several = np.bincount(cell) > 1
    if not several.any():
        raise ValueError(f"no question was answered at two levels of {over}")
    least, most = np.full(len(first), said.max() + 1), np.full(len(first), -1)
    np.minimum.at(least, cell, said)
    np.maximum.at(most, cell, said)
    kept = first[several]
    return Crossed((least < most)[several].astype(np.float64), {n: v[kept] for n, v in others.items()}, span=(0.0, 1.0))
