"""How large an effect must be for so many sets and questions to show it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.statistics.crossed import Crossed, Sums, count, drawn_of, sums_of, terms_of
from core.statistics.estimates import error_of


def smallest_effect(
    differences: Crossed, levels: Mapping[str, int] | None = None, power: float = 0.8, alpha: float = 0.05
) -> float:
    """The smallest true difference that is shown at `alpha`, two-sided, with probability `power`; in units of outcomes.

    δ with P(|T| > t_(1−α/2, ν)) = power, T of a noncentral t with ν degrees of freedom and noncentrality δ/√V; V and ν
    (Satterthwaite 1946) of the variance components of the differences at hand. NaN where these do not vary.

    Args:
        differences: of two settings, `core.statistics.crossed.differences`.
        levels: factor -> how many of its levels are to be drawn instead, for an experiment that is being planned, with
            every level of one under every level of the others.

    Raises:
        ValueError: `levels` names a factor that was not drawn, or fewer than two levels.
    """
    drawn = drawn_of(differences)
    unknown = set(levels or ()) - set(drawn.top)
    if unknown or any(number < 2 for number in (levels or {}).values()):
        raise ValueError(f"levels can be given for {', '.join(drawn.top) or 'nothing'}, two of each at least")
    if not drawn.top or np.ptp(differences.values) <= 1e-12:
        return float("nan")
    sums, items = sums_of(differences.values, terms_of(drawn.top)), len(differences.values)
    if levels:
        counts = {name: (levels or {}).get(name, count(codes)) for name, codes in drawn.top.items()}
        cells = int(np.prod([count(codes) for codes in drawn.top.values()]))
        sums, items = _planned(sums, counts, max(1, round(items / cells)))
    error, freedom = error_of(sums, items)
    return detectable(error, freedom, power, alpha)


def detectable(error: float, freedom: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """δ for a standard error and its degrees of freedom."""
    from scipy.optimize import brentq
    from scipy.special import ndtr
    from scipy.stats import chi2, t

    if not error > 0:
        return float("nan")
    reach = float(t.isf(alpha / 2, freedom))
    points, weights = np.polynomial.legendre.leggauss(400)  # over the distribution of the error; SciPy's nct gives NaN
    ends = reach * np.sqrt(chi2.ppf((points + 1) / 2, freedom) / freedom)

    def missing(shift: float) -> float:
        return float(weights @ (ndtr(shift - ends) + ndtr(-shift - ends))) / 2 - power

    return error * float(brentq(missing, 0.0, 2 * reach + 10.0))


def _planned(sums: Sums, counts: Mapping[str, int], copies: int) -> tuple[Sums, int]:
    """What sums of squares are to be expected of a full design with so many levels and items a cell."""
    places = np.indices((*counts.values(), copies)).reshape(len(counts) + 1, -1)
    plan = sums_of(np.zeros(places.shape[1]), terms_of(dict(zip(counts, places, strict=False))))
    known = dict(zip(sums.terms, np.maximum(sums.components, 0.0), strict=True))
    squares = plan.expected @ np.array([known.get(names, 0.0) for names in plan.terms])
    return Sums(plan.terms, squares, plan.freedom, plan.expected, plan.share), places.shape[1]
