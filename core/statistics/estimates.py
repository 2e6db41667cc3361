"""The mean of a crossed experiment, and the difference of two, with an interval over all that was drawn at once.

With one value an item and factors f of which n_f levels were drawn (questions, demonstration sets), the mean varies by

    V = Σ_u σ²_u Σ_g n_g²/I²,   u over all factors and their products,

which for sets × questions is (E[MS_sets] + E[MS_questions] − E[MS_sets×questions]) / I. Five sets say little of how
much sets differ, and a bootstrap of them holds the truth too seldom where they matter and too often where they do not
(benchmarks/experiment_intervals.py). Two intervals account for that, and are the same where one factor alone matters:
Student's t with the degrees of freedom of the estimated V (Satterthwaite 1946), else a little too narrow, and a
generalised one (Weerahandi 1993), in which every mean square is replaced by SS/W, W of its χ² distribution, else a
little too wide. The half width h here lies between: ½ T_ν(h/√V) + ½ E_W[Φ(h/√V_W)] = .975. With one factor that is
Student's t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.statistics.bootstrap import widened
from core.statistics.crossed import Crossed, DrawnFactors, Sums, count, differences, drawn_of, sums_of, terms_of
from core.statistics.intervals import wilson

Floats = NDArray[np.float64]
NODES, FEWER = 1024, 256
"""Points over which the χ² distributions are averaged, of one mean and of many: Sobol's, the same at every call."""
FLOOR = 0.25
"""Share of the finest cells' mean square that V is at least (`error_of`)."""


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
    sums = sums_of(values, terms_of(drawn.top))
    if np.ptp(values) <= 1e-12 or uninformed(sums):
        return _alike(crossed, drawn, level)
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
    """The estimate where all outcomes are the same number, or have the same mean in every cell."""
    mean, size = float(crossed.values.mean()), len(crossed.values)
    name, most = max(((n, count(codes)) for n, codes in drawn.top.items()), key=lambda pair: pair[1])
    said = (drawn.counts, drawn.within, drawn.fixed)
    what = "outcomes are" if np.ptp(crossed.values) <= 1e-12 else "means of what was drawn are"
    if crossed.span is None:
        why = f"All {what} alike and could have been anything else, so that there is no interval."
        return Estimate(mean, np.nan, np.nan, 0.0, np.nan, size, *said, notes=(why,))
    low, high = widened(mean, np.asarray(mean), np.asarray(mean), most, crossed.span, level)
    why = f"All {what} alike: the interval is what {most} levels of {name} leave open."
    return Estimate(mean, float(low), float(high), 0.0, np.nan, size, *said, notes=(why,))


def uninformed(sums: Sums) -> bool:
    """Whether nothing that was drawn differs in its mean, so that no variance of a mean can be told."""
    adds = np.maximum(sums.weights, 0.0) > 1e-12 * np.abs(sums.weights).max()
    return bool(sums.squares[adds].sum() <= 1e-12 * max(sums.squares.sum(), 1e-300))


def error_of(sums: Sums, items: int) -> tuple[float, float]:
    """√V and its degrees of freedom (`_students`); 0 and NaN where nothing varies."""
    error, freedom = _students(sums.squares[None], sums, items)
    return (float(error[0]), float(freedom[0])) if error[0] > 0 else (0.0, float("nan"))


def _students(squares: Floats, sums: Sums, items: int) -> tuple[Floats, Floats]:
    """(B, T) sums of squares -> (B,) √V and V²/Σ_u (w_u SS_u)²/ν_u (Satterthwaite 1946), no fewer than of any term.

    V cannot truly be below the finest cells' mean square an item, MS_c/I. With the whole of it as a floor intervals
    hold the truth too often where sets do not matter, as what is drawn low is lifted and what is drawn high is not;
    without one V may come out negative. A quarter of it is the floor here, and in `pivots`; where cells without any
    spread leave nothing above 0, only what adds to V is counted.
    """
    place, parts = finest(sums), squares * sums.weights
    floor = FLOOR * squares[:, place] / (sums.freedom[place] * items)
    variance = np.maximum(parts.sum(axis=1), floor)
    variance = np.where(variance > 0, variance, np.maximum(parts, 0.0).sum(axis=1))
    spread = np.maximum((parts**2 / sums.freedom).sum(axis=1), 1e-300)
    return np.sqrt(variance), np.maximum(variance**2 / spread, sums.freedom.min())


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


def pivots(squares: Floats, sums: Sums, items: int, nodes: int = NODES) -> Floats:
    """(B, T) sums of squares -> (B, J) √V_W at every point: E[SS_u] replaced by SS_u ν_u/W_u, with the floor of V."""
    ratio = chi_squares(tuple(sums.freedom.tolist()), nodes)
    place = finest(sums)
    floor = FLOOR / (ratio[place] * sums.freedom[place] * items)
    variance = np.maximum(squares @ (sums.weights[:, None] / ratio), squares[:, [place]] * floor)
    added = squares @ (np.maximum(sums.weights, 0.0)[:, None] / ratio)
    return np.asarray(np.sqrt(np.where(variance > 0, variance, added)))


def half_width(sums: Sums, items: int, level: float = 0.95) -> float:
    """h with ½ T_ν(h/√V) + ½ E_W[Φ(h/√V_W)] = (1 + level)/2."""
    from scipy.optimize import brentq
    from scipy.special import ndtr, stdtr

    spread = pivots(sums.squares[None], sums, items)[0]
    error, freedom = error_of(sums, items)
    least = 1e-12 * float(spread.max())
    spread, error = np.maximum(spread, least), max(error, least)

    def missing(h: float) -> float:
        return float(stdtr(freedom, h / error) + ndtr(h / spread).mean()) / 2 - (1 + level) / 2

    most = 1e3 * float(max(spread.max(), error))
    return float(brentq(missing, 0.0, most, xtol=1e-12 * most))


def p_of_mean(means: Floats, squares: Floats, sums: Sums, items: int) -> Floats:
    """(B,) two-sided p of "the mean is 0", the one that is .05 at the end of the interval of `half_width`.

    Args:
        means: (B,).
        squares: (B, T) sums of squares of each.
        sums: of the same design, for weights and degrees of freedom.
    """
    from scipy.special import ndtr, stdtr

    spread = pivots(squares, sums, items, FEWER)
    error, freedom = _students(squares, sums, items)
    with np.errstate(divide="ignore", invalid="ignore"):
        z, t = np.abs(means)[:, None] / spread, np.abs(means) / error
    z, t = np.where(np.isnan(z), 0.0, z), np.where(np.isnan(t), 0.0, t)
    return np.asarray(ndtr(-z).mean(axis=1) + stdtr(freedom, -t))
