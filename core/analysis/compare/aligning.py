"""Two distributions over names that need not be the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Aligned:
    """Two distributions side by side.

    Attributes:
        names: (N,) A's in A's order, then those that only B has.
        a, b: (N,) probabilities, NaN where that side lacks the name.
    """

    names: tuple[str, ...]
    a: Floats
    b: Floats

    @property
    def change(self) -> Floats:
        """(N,) b − a, NaN where a side lacks the name."""
        return self.b - self.a

    @property
    def only_a(self) -> tuple[str, ...]:
        """Names that B lacks."""
        return tuple(name for name, value in zip(self.names, self.b, strict=True) if np.isnan(value))

    @property
    def only_b(self) -> tuple[str, ...]:
        """Names that A lacks."""
        return tuple(name for name, value in zip(self.names, self.a, strict=True) if np.isnan(value))

    @property
    def total_variation(self) -> float:
        """½ Σ |a − b|, 0 to 1, over the names of both; NaN where they share too little (see `_shared`)."""
        a, b = self._shared()
        return float(0.5 * np.abs(a - b).sum())

    @property
    def kl_from_a(self) -> float:
        """KL(A‖B) = Σ a ln(a / b) in nats, over the names of both; ∞ where B excludes what A allows."""
        return _kl(*self._shared())

    @property
    def kl_from_b(self) -> float:
        """KL(B‖A) = Σ b ln(b / a) in nats, over the names of both; ∞ where A excludes what B allows."""
        a, b = self._shared()
        return _kl(b, a)

    def _shared(self) -> tuple[Floats, Floats]:
        """Both sides over the names of both.

        Where a side has names of its own, both are conditioned on the shared ones, which is what they would have been
        with the shared names alone for any softmax and for a posterior. NaN where fewer than two are left to tell
        apart, or where one side gives them no mass.
        """
        here = ~np.isnan(self.a) & ~np.isnan(self.b)
        a, b = self.a[here], self.b[here]
        if here.all():
            return a, b
        if len(a) < 2 or not a.sum() > 0 or not b.sum() > 0:
            nothing = np.array([np.nan])
            return nothing, nothing
        return a / a.sum(), b / b.sum()


def align(names_a: Sequence[str], a: ArrayLike, names_b: Sequence[str], b: ArrayLike) -> Aligned:
    """Line two distributions up by name; a name that comes twice meets its own repetition.

    Args:
        names_a, a: (N_a,) names and probabilities.
        names_b, b: (N_b,) the same of the other side.
    """
    by_a, by_b = _by_name(names_a, a), _by_name(names_b, b)
    keys = list(dict.fromkeys((*by_a, *by_b)))
    sides = [np.array([side.get(key, np.nan) for key in keys], dtype=np.float64) for side in (by_a, by_b)]
    return Aligned(tuple(name for name, _ in keys), *sides)


def _by_name(names: Sequence[str], values: ArrayLike) -> dict[tuple[str, int], float]:
    """Values by name and how often that name came before."""
    seen: dict[str, int] = {}
    found = {}
    for name, value in zip(names, np.asarray(values, dtype=np.float64), strict=True):
        found[name, seen.get(name, 0)] = float(value)
        seen[name] = seen.get(name, 0) + 1
    return found


def _kl(p: Floats, q: Floats) -> float:
    """Σ p ln(p / q) with 0 ln 0 = 0; NaN stays NaN."""
    if np.isnan(p).any():
        return float("nan")
    inside = p > 0
    if (q[inside] <= 0).any():
        return float("inf")
    return max(0.0, float((p[inside] * np.log(p[inside] / q[inside])).sum()))
