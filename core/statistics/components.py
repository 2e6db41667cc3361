"""How much of what outcomes vary by comes from the question, the demonstration set, its order, seed or template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.statistics.crossed import Crossed, Sums, drawn_of, pattern, sums_of, terms_of
from core.statistics.estimates import chi_squares

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Component:
    """One part of the variance.

    Attributes:
        name: the factor, two factors as "question × demonstrations" (which question the set suits), or "rest".
        levels: how many levels, or cells, it has.
        variance: σ², in squared units of the outcome; 0 where the estimate came out negative.
        share: of the sum of all parts.
        low, high: 95 % interval of the share; NaN where there is no variance at all.
        negative: whether the estimate came out below 0: no sign of this part.
    """

    name: str
    levels: int
    variance: float
    share: float
    low: float
    high: float
    negative: bool


@dataclass(frozen=True)
class VarianceSplit:
    """The variance of single outcomes, taken apart.

    Attributes:
        parts: factors first, then pairs of factors, "rest" last.
        total: sum of all parts.
        notes: sentences on what could not be told apart.
    """

    parts: tuple[Component, ...]
    total: float
    notes: tuple[str, ...]


def split_variance(crossed: Crossed, level: float = 0.95) -> VarianceSplit:
    """Components of variance of every drawn factor, nested ones too, every pair of factors, and the rest.

    By the method of moments: sums of squares set equal to their expectations (Henderson 1953, method I; the analysis of
    variance where every cell has as many items). What came out below 0 counts as 0. The rest is what is left between
    items that share all levels: products of three factors, and of right and wrong the chance of a single answer.
    Intervals of shares draw every sum of squares anew: E[SS] = SS ν/W, W from χ²_ν (generalised intervals, Weerahandi
    1993), and take the percentiles.
    """
    drawn = drawn_of(crossed)
    aliased = {name: outer for name, outer in drawn.within.items() if drawn.counts[name] == drawn.counts[outer]}
    factors = {name: crossed.codes(name) for name in drawn.counts if name not in aliased}
    notes = [f"{name} was drawn together with {outer}, and is counted there." for name, outer in aliased.items()]
    notes += [f"{name} has one level, so that its part is not known." for name in drawn.fixed]
    if not factors:
        return VarianceSplit((), 0.0, (*notes, "Nothing was drawn more than once."))
    terms = terms_of(factors, most=2)
    sums = sums_of(crossed.values, terms)
    found, drawn_anew = sums.components, _redrawn(sums)
    kept = np.maximum(found, 0.0)
    total = float(kept.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = kept / total
        ends = np.quantile(drawn_anew / drawn_anew.sum(axis=0), [(1 - level) / 2, (1 + level) / 2], axis=1).T
    parts = []
    for place, names in enumerate(terms.names):
        cells = int(terms.codes[place].max()) + 1
        name = "rest" if cells == len(crossed.values) else pattern(names)
        bare = bool(found[place] < -1e-12 * max(total, 1e-300))
        low, high = (float(end) for end in ends[place])
        parts.append(Component(name, cells, float(kept[place]), float(shares[place]), low, high, bare))
    return VarianceSplit(tuple(parts), total, tuple(notes))


def _redrawn(sums: Sums) -> Floats:
    """(T, J) components of variance, none negative, with sums of squares drawn anew."""
    ratio = chi_squares(tuple(sums.freedom.tolist()))
    found = np.linalg.solve(sums.expected, sums.squares[:, None] / ratio)
    return np.asarray(np.maximum(found, 0.0))
