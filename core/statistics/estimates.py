"""The mean of a crossed experiment, and the difference of two, with an interval over all that was drawn at once.

With one value an item and factors f of which n_f levels were drawn (questions, demonstration sets), the mean varies by

    V = Σ_u σ²_u Σ_g n_g²/I²,   u over all factors and their products,

which for sets × questions is (E[MS_sets] + E[MS_questions] − E[MS_sets×questions]) / I. Five sets say little of how
much sets differ, and a bootstrap of them holds the truth too seldom where they matter and too often where they do not
(benchmarks/experiment_intervals.py). Here every mean square is replaced by SS/W, W of its χ² distribution, and the
interval's half width h solves E_W[Φ(h/√V_W)] = .975: a generalised confidence interval (Weerahandi 1993). With one
factor that is Student's t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.statistics.bootstrap import widened
from core.statistics.crossed import Crossed, DrawnFactors, Sums, Terms, count, differences, drawn_of, sums_of, terms_of
from core.statistics.intervals import wilson

Floats = NDArray[np.float64]
NODES, FEWER = 1024, 256
"""Points over which the χ² distributions are averaged, of one mean and of many: Sobol's, the same at every call."""
FLOOR = 0.25
"""Share of the finest cells' mean square that V is at least (`pivots`)."""


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % interval.

    Attributes:
        mean: over all items.
        low, high: of the interval; NaN where nothing can be said (`notes` says why).
        error: standard error √V, of the estimated components of variance.
        freedom: its degrees of freedom (Satterthwaite 1946); NaN where there is no error.
        items: how many outcomes.
        drawn: factor -> how many levels were drawn; the interval is for other draws of all of these.
        within: factor -> the drawn one that covers it: nested in that, or drawn together with it.
        fixed: factors with one level, which the interval says nothing beyond.
        notes: sentences on what is special here.
    """

    mean: float
    low: float
    high: float
    error: float
    freedom: float
    items: int
    drawn: Mapping[str, int]
    within: Mapping[str, str]
    fixed: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def covers(self) -> str:
        """What the interval is over, in words: "5 demonstrations × 100 questions; template held fixed"."""
        top = [f"{number} {name}" for name, number in self.drawn.items() if name not in self.within]
        inner = [f"{name} within {outer}" for name, outer in self.within.items()]
        said = " × ".join(top) or "nothing drawn"
        return "; ".join([said, *inner, *(f"{name} held fixed" for name in self.fixed)])


def difference(a: Crossed, b: Crossed) -> Estimate:
    """b − a, paired on every factor that both have: `mean_of` of the `differences`."""
    return mean_of(differences(a, b))


def mean_of(crossed: Crossed, level: float = 0.95) -> Estimate:
    """The mean over all items and its interval over everything that was drawn.

    Shares (0 or 1) have Wilson's form of the interval (1927), as if of so many cases that their variance were V; one
    case a question alone is Wilson's interval itself. Where all outcomes are alike there is no variance to go by: the
    interval is what as many outcomes as the largest factor has levels leave open (`core.statistics.bootstrap.unseen`).
    """
    drawn = drawn_of(crossed)
    values, mean = crossed.values, float(crossed.values.mean())
    said = (drawn.counts, drawn.within, drawn.fixed)
    if not drawn.top:
        why = "Nothing was drawn more than once, so that nothing is known of other draws."
        return Estimate(mean, np.nan, np.nan, np.nan, np.nan, len(values), *said, notes=(why,))
    if np.ptp(values) <= 1e-12:
        return _alike(crossed, drawn, level)
    sums = sums_of(values, terms_of(drawn.top))
    error, freedom = error_of(sums, len(values))
    if single(crossed, drawn) and crossed.binary:
        low, high = wilson(int(values.sum()), len(values), level)
    else:
        low, high = _interval(crossed, mean, half_width(sums, len(values), level))
    return Estimate(mean, low, high, error, freedom, len(values), *said)


def single(crossed: Crossed, drawn: DrawnFactors) -> bool:
    """Whether one factor alone was drawn, with one item a level: plain independent outcomes."""
    return len(drawn.top) == 1 and count(next(iter(drawn.top.values()))) == len(crossed.values)


def _interval(crossed: Crossed, mean: float, half: float) -> tuple[float, float]:
    """mean ± half, kept to what an outcome can be; of shares in Wilson's form."""
    if not crossed.binary:
        least, most = crossed.span or (-np.inf, np.inf)
        return max(mean - half, least), min(mean + half, most)
    ratio = half**2 / (mean * (1 - mean))  # z²/n of as many cases as have this half width
    middle = (mean + ratio / 2) / (1 + ratio)
    reach = float(np.sqrt(ratio * mean * (1 - mean) + ratio**2 / 4)) / (1 + ratio)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def _alike(crossed: Crossed, drawn: DrawnFactors, level: float) -> Estimate:
    """The estimate where all outcomes are the same number."""
    mean, size = float(crossed.values.mean()), len(crossed.values)
    name, most = max(((n, count(codes)) for n, codes in drawn.top.items()), key=lambda pair: pair[1])
    said = (drawn.counts, drawn.within, drawn.fixed)
    if crossed.span is None:
        why = "All outcomes are alike and could have been anything else, so that there is no interval."
        return Estimate(mean, np.nan, np.nan, 0.0, np.nan, size, *said, notes=(why,))
    low, high = widened(mean, np.asarray(mean), np.asarray(mean), most, crossed.span, level)
    why = f"All outcomes are alike: the interval is what {most} levels of {name} leave open."
    return Estimate(mean, float(low), float(high), 0.0, np.nan, size, *said, notes=(why,))


def error_of(sums: Sums, items: int) -> tuple[float, float]:
    """√V and its degrees of freedom, V²/Σ_u (w_u SS_u)²/ν_u (Satterthwaite 1946).

    V is at least what the finest drawn cells' mean square alone gives: no component of it can be negative.
    """
    parts = sums.weights * sums.squares
    variance = max(float(parts.sum()), float(floor_of(sums, items)))
    freedom = variance**2 / float((parts**2 / sums.freedom).sum())
    return float(np.sqrt(variance)), freedom


def floor_of(sums: Sums, items: int) -> float:
    """The least that V can be: the mean square of the cells of all drawn factors together, an item."""
    place = finest(sums)
    return float(sums.squares[place] / sums.freedom[place] / items)


def finest(sums: Sums) -> int:
    """The place of the cells of all factors together, or else of the finest term there is."""
    crossed = [place for place, names in enumerate(sums.terms) if names]
    return max(crossed, key=lambda place: len(sums.terms[place])) if crossed else len(sums.terms) - 1


@lru_cache(maxsize=64)
def chi_squares(freedom: tuple[float, ...], nodes: int = NODES) -> Floats:
    """(T, J) χ² values of each term over the mean of that distribution, W/ν, at Sobol's points."""
    from scipy.stats import chi2, qmc

    points = qmc.Sobol(len(freedom), scramble=True, rng=0).random(nodes)
    return np.array([chi2.ppf(row, nu) / nu for row, nu in zip(points.T, freedom, strict=True)])


def pivots(sums: Sums, items: int, nodes: int = NODES) -> tuple[Floats, Floats]:
    """What V is made of at every point: (T, J) factors of the squares, and (J,) of that of the finest cells, its floor.

    V cannot truly be below the finest cells' mean square an item, MS_c/I. With the whole of it as a floor intervals
    hold the truth too often where sets do not matter, as what is drawn low is lifted and what is drawn high is not;
    without one V may come out negative.
    """
    ratio = chi_squares(tuple(sums.freedom.tolist()), nodes)
    place = finest(sums)
    return sums.weights[:, None] / ratio, FLOOR / (ratio[place] * sums.freedom[place] * items)


def half_width(sums: Sums, items: int, level: float = 0.95) -> float:
    """h with E_W[Φ(h / √V_W)] = (1 + level)/2."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    factors, floor = pivots(sums, items)
    spread = np.sqrt(np.maximum(sums.squares @ factors, sums.squares[finest(sums)] * floor))
    spread = np.maximum(spread, 1e-12 * spread.max())
    most = 1e3 * float(spread.max())
    return float(brentq(lambda h: float(ndtr(h / spread).mean()) - (1 + level) / 2, 0.0, most, xtol=1e-12 * most))


def p_of_mean(means: Floats, squares: Floats, sums: Sums, items: int) -> Floats:
    """(B,) two-sided p of "the mean is 0", 2 (1 − E_W[Φ(|m|/√V_W)]), the one that `half_width` makes .05.

    Args:
        means: (B,).
        squares: (B, T) sums of squares of each.
        sums: of the same design, for weights and degrees of freedom.
    """
    from scipy.special import ndtr

    factors, floor = pivots(sums, items, FEWER)
    spread = np.sqrt(np.maximum(squares @ factors, squares[:, [finest(sums)]] * floor))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(means)[:, None] / spread
    return np.asarray(2 * ndtr(-np.where(np.isnan(z), 0.0, z)).mean(axis=1))


def design_of(crossed: Crossed) -> tuple[DrawnFactors, Terms]:
    """What was drawn, and the terms of the model."""
    drawn = drawn_of(crossed)
    return drawn, terms_of(drawn.top)
