"""Outcomes of a crossed experiment: every question after every demonstration set, and what of that was drawn.

The questions, the demonstration sets, their orders and the seeds of an experiment are a sample of those that might have
been drawn. Outcomes that share one of them are not independent, so each is a *random factor* with levels, and a mean
over all outcomes has an error that comes from every factor of which more than one level was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Levels = NDArray[np.int64]


@dataclass(frozen=True)
class Crossed:
    """One value an item, and the level that every random factor had there; what was not measured is left out.

    Attributes:
        values: (I,) finite: right or not as 1 and 0, log-loss in nats, …
        factors: of every factor (I,) whole numbers, one a level; any numbers do. The same number is the same level
            wherever experiments are compared.
        nested: factor -> the factor that it is drawn within: its level 0 is another one under every level of that,
            as where every demonstration set has orders of its own.
        span: the least and the most that a value can be, (0, 1) of shares; None where that is not known.

    Raises:
        ValueError: there is no item, a value is not finite or out of its span, or lengths differ.
    """

    values: Floats
    factors: Mapping[str, Levels]
    nested: Mapping[str, str] = field(default_factory=dict)
    span: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        if values.ndim != 1 or not values.size:
            raise ValueError("there is no outcome")
        if not np.isfinite(values).all():
            raise ValueError("every outcome must be a finite number; leave out what failed")
        if self.span is not None and not (self.span[0] <= values.min() and values.max() <= self.span[1]):
            raise ValueError(f"outcomes must lie from {self.span[0]:g} to {self.span[1]:g}")
        factors = {name: np.asarray(levels) for name, levels in self.factors.items()}
        for name, levels in factors.items():
            if levels.shape != values.shape or levels.dtype.kind not in "iu":
                raise ValueError(f"{name} must have a whole number for every outcome")
        for inner, outer in self.nested.items():
            if {inner, outer} - set(factors) or inner == outer or self.nested.get(outer) == inner:
                raise ValueError(f"{inner} cannot be drawn within {outer}")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "factors", {name: levels.astype(np.int64) for name, levels in factors.items()})

    @property
    def binary(self) -> bool:
        """Whether outcomes are shares of single cases: 0 or 1."""
        return self.span == (0.0, 1.0) and bool(np.isin(self.values, (0.0, 1.0)).all())

    def codes(self, name: str) -> Levels:
        """(I,) the levels of a factor as 0, 1, …, those of a nested one apart under every level of the other."""
        own = numbered(self.factors[name])
        return joint(self.codes(self.nested[name]), own) if name in self.nested else own

    def take(self, items: NDArray[np.bool_] | NDArray[np.int64]) -> Crossed:
        """The same of some items."""
        factors = {name: levels[items] for name, levels in self.factors.items()}
        return Crossed(self.values[items], factors, self.nested, self.span)


@dataclass(frozen=True)
class DrawnFactors:
    """What of an experiment was drawn, and so may differ in another one.

    Attributes:
        top: factor -> (I,) levels 0, 1, …, of those factors whose draws cover all others.
        counts: factor -> how many levels it has, of every factor that was drawn.
        within: factor -> the one of `top` whose draws cover it: it is nested in that, or drawn together with it.
        fixed: factors with one level, of which nothing is known beyond that level.
    """

    top: Mapping[str, Levels]
    counts: Mapping[str, int]
    within: Mapping[str, str]
    fixed: tuple[str, ...]


def drawn_of(crossed: Crossed) -> DrawnFactors:
    """Which factors were drawn, and which of them cover the others.

    A factor is covered by another where each of its levels occurs under one level of that alone: orders of a set, or
    sets that are drawn anew for every question. Of two factors whose levels go together one to one the first covers.
    """
    codes = {name: crossed.codes(name) for name in crossed.factors}
    counts = {name: count(levels) for name, levels in codes.items()}
    fixed = tuple(name for name in codes if counts[name] == 1)
    names = sorted((name for name in codes if name not in fixed), key=lambda name: counts[name])
    top: dict[str, Levels] = {}
    within: dict[str, str] = {}
    for name in names:  # from few levels to many: what covers has no more of them
        outer = next((other for other in top if refines(codes[name], top[other])), None)
        if outer is None:
            top[name] = codes[name]
        else:
            within[name] = outer
    order = [name for name in codes if name in top]
    return DrawnFactors(
        {name: top[name] for name in order}, {n: counts[n] for n in codes if n not in fixed}, within, fixed
    )


def differences(a: Crossed, b: Crossed) -> Crossed:
    """b − a, item by item: every outcome of b beside every one of a with the same level on all factors of both.

    A factor that one side alone has (the order, where the other side orders by a rule) stays a factor of the
    differences. Items without a partner are left out.

    Raises:
        ValueError: the two share no factor, or no item.
    """
    shared = [name for name in a.factors if name in b.factors]
    if not shared:
        raise ValueError("the two settings share nothing that was drawn, so that they cannot be paired")
    keys = [np.concatenate([a.factors[name], b.factors[name]]) for name in shared]
    code = joint(*(numbered(key) for key in keys))
    code_a, code_b = code[: len(a.values)], code[len(a.values) :]
    order = np.argsort(code_b, kind="stable")
    first, last = (np.searchsorted(code_b[order], code_a, side) for side in ("left", "right"))
    times = last - first
    if not times.any():
        raise ValueError(f"the two settings have no item with the same {' and '.join(shared)}")
    of_a = np.repeat(np.arange(len(code_a)), times)
    step = np.arange(len(of_a)) - np.repeat(np.cumsum(times) - times, times)
    of_b = order[np.repeat(first, times) + step]
    factors = {name: levels[of_a] for name, levels in a.factors.items()}
    factors |= {name: levels[of_b] for name, levels in b.factors.items() if name not in factors}
    return Crossed(b.values[of_b] - a.values[of_a], factors, {**b.nested, **a.nested}, _span_between(a, b))


def _span_between(a: Crossed, b: Crossed) -> tuple[float, float] | None:
    if a.span is None or b.span is None:
        return None
    return b.span[0] - a.span[1], b.span[1] - a.span[0]


def numbered(levels: ArrayLike) -> Levels:
    """(I,) any whole numbers -> 0, 1, …, in their order."""
    return np.asarray(np.unique(np.asarray(levels), return_inverse=True)[1], dtype=np.int64).ravel()


def count(codes: Levels) -> int:
    """How many levels there are of codes 0, 1, …"""
    return int(codes.max()) + 1


def joint(*codes: Levels) -> Levels:
    """(I,) codes of the cells of several factors: 0, 1, … of those cells that occur."""
    found = codes[0]
    for other in codes[1:]:
        key = found * count(other) + other
        size = count(found) * count(other)
        if size > 8 * len(key) + 1024:
            found = numbered(key)
        else:  # without sorting
            occurs = np.zeros(size, dtype=np.int64)
            occurs[key] = 1
            found = (np.cumsum(occurs) - 1)[key]
    return found


def refines(fine: Levels, coarse: Levels) -> bool:
    """Whether every level of one occurs under one level of the other alone."""
    return count(joint(fine, coarse)) == count(fine)


@dataclass(frozen=True)
class Sums:
    """Sums of squares of a crossed design, and what they would be on average (Henderson 1953, method I).

    Attributes:
        terms: names of the T terms: a factor, a product of factors as a tuple of their names, () for single items.
        squares: (T,) sum of squares of each term's own part.
        freedom: (T,) its degrees of freedom, at least 1.
        expected: (T, T) E[squares_u] = Σ_v expected_uv σ²_v.
        share: (T,) Σ_g n_g²/I² over the levels of a term: the mean's variance is Σ_v share_v σ²_v.
    """

    terms: tuple[tuple[str, ...], ...]
    squares: Floats
    freedom: Floats
    expected: Floats
    share: Floats

    @property
    def components(self) -> Floats:
        """(T,) σ²_v, by setting every sum of squares equal to its expectation; may be negative."""
        return np.asarray(np.linalg.solve(self.expected, self.squares))

    @property
    def weights(self) -> Floats:
        """(T,) the mean's variance is on average Σ_u weights_u squares_u."""
        return np.asarray(np.linalg.solve(self.expected.T, self.share))


@dataclass(frozen=True)
class Terms:
    """The terms of a random-effects model of a design, which do not depend on what came out.

    Attributes:
        names: as in `Sums`, coarse before fine.
        codes: of every term (I,) its levels.
        below: of every term the places of the coarser ones, whose parts are taken out of its own.
    """

    names: tuple[tuple[str, ...], ...]
    codes: tuple[Levels, ...]
    below: tuple[tuple[int, ...], ...]


def terms_of(factors: Mapping[str, Levels], most: int | None = None) -> Terms:
    """Factors, their products and single items, without those that come to the same cells as one before.

    A term that leaves no degree of freedom of its own, as a product of which few cells were measured, is left out: its
    variance then counts to the next finer one.

    Args:
        factors: name -> (I,) levels 0, 1, …
        most: factors of a product; all where it is not given.
    """
    size = len(next(iter(factors.values())))
    items = np.arange(size, dtype=np.int64)
    products = [c for r in range(1, (most or len(factors)) + 1) for c in combinations(factors, r)]
    candidates = [(names, joint(*(factors[name] for name in names))) for names in products] + [((), items)]
    names: list[tuple[str, ...]] = []
    codes: list[Levels] = []
    below: list[tuple[int, ...]] = []
    freedom: list[int] = []
    for name, levels in candidates:
        if any(count(levels) == count(other) and refines(levels, other) for other in codes):
            continue
        coarser = tuple(place for place, other in enumerate(codes) if refines(levels, other))
        own = count(levels) - 1 - sum(freedom[place] for place in coarser)
        if own > 0:
            names, codes = [*names, name], [*codes, levels]
            below, freedom = [*below, coarser], [*freedom, own]
    return Terms(tuple(names), tuple(codes), tuple(below))


def sums_of(values: Floats, terms: Terms) -> Sums:
    """Sums of squares by term.

    T_u = Σ_g (sum of level g)²/n_g, less T_0 = (Σ y)²/I and less the parts of all coarser terms. With
    k_uv = Σ_i n_(u,v)(i)/n_u(i), n the number of items in i's level or cell, E[T_u] = I μ² + Σ_v k_uv σ²_v. Where every
    cell has as many items these are the sums of squares of the analysis of variance.
    """
    size, centred = len(values), values - values.mean()
    many = len(terms.codes)
    total, freedom, share = np.zeros((3, many))
    level = [np.bincount(codes) for codes in terms.codes]
    expected = np.zeros((many, many))
    for u, codes in enumerate(terms.codes):
        total[u] = float((np.bincount(codes, centred) ** 2 / level[u]).sum())
        freedom[u] = len(level[u]) - 1
        share[u] = float((level[u] ** 2).sum()) / size**2
        own = level[u][codes]
        for v, other in enumerate(terms.codes):
            if u in terms.below[v]:
                cells = level[v][other]
            elif v in terms.below[u] or u == v:
                cells = own
            else:
                both = joint(codes, other)
                cells = np.bincount(both)[both]
            expected[u, v] = float((cells / own).sum())
    expected -= share * size  # E[T_0], as the outcomes are centred
    for u in range(many):  # coarse before fine, so that what is taken off is already the own part
        for v in terms.below[u]:
            total[u] -= total[v]
            freedom[u] -= freedom[v]
            expected[u] -= expected[v]
    return Sums(terms.names, np.maximum(total, 0.0), freedom, expected, share)


def pattern(names: Sequence[str]) -> str:
    """A term in words: question × demonstrations."""
    return " × ".join(names)
