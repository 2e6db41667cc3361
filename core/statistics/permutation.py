"""A paired randomisation test of "no difference": signs of the differences flipped by whole levels of what was drawn.

Were the two settings the same, an outcome of one could as well have been the other's, and exchanging the two for whole
questions and whole demonstration sets would change nothing. With signs ε of every set and η of every question the
difference of an item becomes ε_s η_q d_sq (exchanged once where one of the two flips, back again where both do).

What is compared is no bare mean, whose spread these flips would understate where sets or questions differ in which
setting suits them, but the p-value of the mean by its own estimated variance (`core.statistics.estimates.p_of_mean`): a
statistic that has nearly the same distribution whatever the variances are (prepivoting, Beran 1988; a robust
permutation test, Chung and Romano 2013). So the test is exact where the two settings are exchangeable, and nearly right
where only their means agree. With one factor it is the sign-flip test of Fisher (1935).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.statistics.crossed import Crossed, Levels, Terms, count, drawn_of, joint, sums_of, terms_of
from core.statistics.estimates import p_of_mean

Floats = NDArray[np.float64]
DRAWS = 999
EXACT = 12
"""Signs up to which all flips are counted: 2^12 of them."""
LEAST = 6
"""Levels of a single factor below which the least p says .05 too often: all of five alike in sign come in 2 of 2^5."""
WORK = 1 << 22  # numbers in one block of flips


@dataclass(frozen=True)
class FlipTest:
    """What the flips say.

    Attributes:
        p: two-sided, ties counted half; NaN where the test is refused.
        exact: whether all flips were counted, and not a sample.
        draws: how many flips were compared, the data themselves among them.
        why: why there is no p, or "".
    """

    p: float
    exact: bool
    draws: int
    why: str = ""


def permutation(differences: Crossed, draws: int = DRAWS, seed: int = 0) -> FlipTest:
    """Two-sided p of "the two settings are equally good", over everything that was drawn.

    The share of flips that are more extreme than the data, and half of those that are as extreme: of all flips where
    there are at most 2^12, and else (b + 1)/(m + 1) with b of m drawn ones (Davison and Hinkley 1997, §4.2). Counted in
    full, ties would make a test of few questions that differ say far too seldom what it may say in one of twenty cases
    (mid-p, Lancaster 1961; of McNemar's test Fagerland, Lydersen and Laake 2013); without ties the two are the same. 1
    where nothing differs.

    Args:
        differences: `core.statistics.crossed.differences` of the two settings.
        draws: m.
        seed: of the draws.
    """
    drawn = drawn_of(differences)
    if not drawn.top:
        return FlipTest(np.nan, True, 0, "Nothing was drawn more than once, so that there is nothing to exchange.")
    counts = [count(codes) for codes in drawn.top.values()]
    if len(counts) == 1 and counts[0] < LEAST:
        name = next(iter(drawn.top))
        why = f"{counts[0]} levels of {name} have {2 ** counts[0]} flips, too few to tell anything at .05."
        return FlipTest(np.nan, True, 0, why)
    if not differences.values.any():
        return FlipTest(1.0, True, 1)
    exact = sum(counts) - len(counts) + 1 <= EXACT
    signs = _all_signs(counts) if exact else _drawn_signs(counts, draws, seed, len(differences.values))
    own, found = _statistics(differences, drawn.top, signs)
    same = np.abs(found - own) <= 1e-9 * abs(own) + 1e-15
    beyond = float(((found < own) & ~same).sum() + same.sum() / 2)
    if exact:
        return FlipTest(beyond / len(found), True, len(found))
    return FlipTest((beyond + 1) / (len(found) + 1), False, len(found) + 1)


def _all_signs(counts: list[int]) -> Iterator[list[Floats]]:
    """Every flip once, in one block: the first sign of every factor but the first stays, as two flips cancel."""
    free = sum(counts) - len(counts) + 1
    odd = (np.arange(2**free)[:, None] >> np.arange(free)) & 1
    bits = np.asarray(1.0 - 2.0 * odd, dtype=np.float64)
    blocks, start = [bits[:, : counts[0]]], counts[0]
    for number in counts[1:]:
        blocks.append(np.hstack([np.ones((len(bits), 1)), bits[:, start : start + number - 1]]))
        start += number - 1
    yield blocks


def _drawn_signs(counts: list[int], draws: int, seed: int, items: int) -> Iterator[list[Floats]]:
    """Random flips, block by block: (b, levels) signs of every factor."""
    rng = np.random.default_rng(seed)
    block = max(16, WORK // items)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        yield [np.asarray(1.0 - 2.0 * rng.integers(0, 2, (size, number)), dtype=np.float64) for number in counts]


def _statistics(differences: Crossed, top: Mapping[str, Levels], signs: Iterator[list[Floats]]) -> tuple[float, Floats]:
    """The statistic of the data, and of every flip: small where extreme."""
    values, codes, items = differences.values, list(top.values()), len(differences.values)
    if len(codes) == 1:
        sums = np.bincount(codes[0], values)
        return -abs(float(sums.sum())), np.concatenate([-np.abs(block[0] @ sums) for block in signs])
    terms = terms_of(top)
    design = sums_of(values, terms)
    own = p_of_mean(np.array([values.mean()]), design.squares[None], design, items)[0]
    flips = _Flipped(values, codes, terms)
    found = [p_of_mean(*flips.of(block), design, items) for block in signs]
    return float(own), np.concatenate(found)


class _Flipped:
    """Means and sums of squares of flipped differences, many flips at a time."""

    def __init__(self, values: Floats, codes: list[Levels], terms: Terms) -> None:
        self.terms, self.items = terms, len(values)
        cell = joint(*codes)
        self.sums: Floats = np.asarray(np.bincount(cell, values), dtype=np.float64)
        first = np.unique(cell, return_index=True)[1]
        self.codes = [levels[first] for levels in codes]  # (C,) of every cell
        self.levels = [levels[first] for levels in terms.codes]
        sizes = [np.bincount(levels) for levels in terms.codes]
        self.sizes = sizes
        # No flip changes what is within a cell, or a term that has a level a cell.
        self.fixed = [
            float((np.bincount(levels, values) ** 2 / size).sum()) if len(size) >= len(self.sums) else None
            for levels, size in zip(terms.codes, sizes, strict=True)
        ]

    def of(self, signs: list[Floats]) -> tuple[Floats, Floats]:
        """Signs of every factor, (b, levels) each -> (b,) means and (b, T) sums of squares."""
        totals, rest = (self._dense if len(signs) == 2 else self._cells)(signs)
        off = totals**2 / self.items
        squares = np.array([np.full(len(totals), kept) if kept is not None else next(rest) for kept in self.fixed]).T
        squares = squares - off[:, None]
        for u, below in enumerate(self.terms.below):
            for v in below:
                squares[:, u] -= squares[:, v]
        return totals / self.items, np.maximum(squares, 0.0)

    def _dense(self, signs: list[Floats]) -> tuple[Floats, Iterator[Floats]]:
        """Two factors: products of their signs with the table of cells."""
        table = np.zeros((signs[0].shape[1], signs[1].shape[1]))
        table[self.codes[0], self.codes[1]] = self.sums
        by_first, by_second = signs[1] @ table.T, signs[0] @ table
        totals = np.einsum("bq,bq->b", by_second, signs[1])
        parts = zip((by_first, by_second), self.sizes, self.fixed, strict=False)
        return totals, iter([(part**2) @ (1 / size) for part, size, kept in parts if kept is None])

    def _cells(self, signs: list[Floats]) -> tuple[Floats, Iterator[Floats]]:
        """Any number of factors: every cell flipped, and added up by the levels of every term."""
        from scipy import sparse

        flipped = np.tile(self.sums, (len(signs[0]), 1))
        for sign, codes in zip(signs, self.codes, strict=True):
            flipped = flipped * sign[:, codes]
        many, places = len(self.sums), np.arange(len(self.sums))

        def parts() -> Iterator[Floats]:
            for levels, size, kept in zip(self.levels, self.sizes, self.fixed, strict=True):
                if kept is None:
                    adds = sparse.csr_matrix((np.ones(many), (levels, places)), shape=(len(size), many))
                    yield np.asarray(((adds @ flipped.T) ** 2).T @ (1 / size))

        return flipped.sum(axis=1), parts()
