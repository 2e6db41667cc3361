"""Shapley values from the values of coalitions. A coalition is a whole number whose bit i says that i takes part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError

Floats = NDArray[np.float64]
Orders = NDArray[np.intp]

EXACT_LIMIT = 10  # demonstrations; 2^10 = 1,024 prompts
LEAST = 4  # permutations: two antithetic pairs, below which there is no standard error


@dataclass(frozen=True)
class Shapley:
    """Shapley values.

    Attributes:
        values: (n,) φ_i.
        errors: (n,) standard errors, or None where the values are exact.
        residual: Σ_i φ_i − (v(all) − v(none)): zero but for rounding, by the axiom of efficiency.
        coalitions: how many distinct ones were looked at.
    """

    values: Floats
    errors: Floats | None
    residual: float
    coalitions: int


def exact(values: Floats) -> Shapley:
    """φ_i = Σ_{S ∌ i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)) (Shapley 1953).

    Args:
        values: (2^n,) v by coalition.

    Raises:
        ValueError: the number of values is no power of two.
    """
    n = len(values).bit_length() - 1
    if n < 0 or len(values) != 1 << n:
        raise ValueError(f"{len(values)} values are not those of all coalitions of some number of players")
    masks = np.arange(1 << n)
    sizes = np.array([mask.bit_count() for mask in range(1 << n)])
    weights = np.array([1.0 / (n * comb(n - 1, s)) for s in range(n)])
    shares = np.zeros(n)
    for i in range(n):
        without = masks[(masks >> i) & 1 == 0]
        shares[i] = weights[sizes[without]] @ (values[without | (1 << i)] - values[without])
    return Shapley(shares, None, float(shares.sum() - (values[-1] - values[0])), 1 << n)


def antithetic(n: int, count: int, seed: int) -> Orders:
    """`count` orders of n players in which each uniform draw is followed by its reverse, (count, n).

    A player that comes early in one comes late in the other, so that their contributions err in opposite directions
    (Mitchell et al. 2022, section 3). For n ≤ 1 all orders are equal.

    Raises:
        StudyError: an odd number, or fewer than four.
    """
    if count < LEAST or count % 2:
        raise StudyError(f"Shapley values are sampled from an even number of permutations, at least {LEAST}.")
    draw = np.random.default_rng(seed)
    forward = np.array([draw.permutation(n) for _ in range(count // 2)], dtype=np.intp).reshape(count // 2, n)
    return np.stack([forward, forward[:, ::-1]], axis=1).reshape(count, n)


def prefixes(orders: Orders) -> list[list[int]]:
    """For every order, the coalitions that it passes through, from nobody to everybody."""
    paths = []
    for row in orders.tolist():
        mask, path = 0, [0]
        for player in row:
            mask |= 1 << player
            path.append(mask)
        paths.append(path)
    return paths


def sampled(orders: Orders, values: Mapping[int, float]) -> Shapley:
    """φ_i = mean over orders π of v(before i in π, and i) − v(before i in π) (Castro et al. 2009).

    Every order telescopes, so the values sum to v(all) − v(none) whatever was drawn. Standard errors are those of the
    mean over pairs (an order and its reverse are not independent): sd(pair means) / √pairs.

    Args:
        orders: (count, n) from `antithetic`.
        values: v of every coalition in `prefixes(orders)`.
    """
    count, n = orders.shape
    steps = np.zeros((count, n))
    for row, path in enumerate(prefixes(orders)):
        along = np.array([values[mask] for mask in path])
        steps[row, orders[row]] = np.diff(along)
    pairs = steps.reshape(count // 2, 2, n).mean(axis=1)
    shares = pairs.mean(axis=0)
    errors = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))
    whole = values[(1 << n) - 1] - values[0]
    return Shapley(shares, errors, float(shares.sum() - whole), len(values))
