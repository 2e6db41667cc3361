"""Outcomes over the number of demonstrations k: where more stops helping, and the laws fitted to the curve.

Every interval here draws levels of every factor anew with replacement, the same ones at every k (the pigeonhole
bootstrap, Owen 2007), and works the whole curve out again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.statistics.bootstrap import percentiles, resamples
from core.statistics.crossed import Crossed, Levels, drawn_of, joint, numbered

Floats = NDArray[np.float64]
CURVES = 1_000
REFITS = 200


@dataclass(frozen=True)
class Saturation:
    """From which k on more demonstrations do not help.

    Attributes:
        k: the smallest whose fitted mean is within `margin` of that of the largest.
        low, high: 95 % of k over resamples.
        rising: whether k is the largest that was measured, so that more may help still.
        margin: how much better the largest may be without counting, in units of outcomes.
        ks: (K,) measured numbers of demonstrations, ascending.
        means: (K,) as measured.
        fitted: (K,) the nearest curve that never gets worse.
    """

    k: int
    low: int
    high: int
    rising: bool
    margin: float
    ks: NDArray[np.int64]
    means: Floats
    fitted: Floats


@dataclass(frozen=True)
class Law:
    """A law fitted to means over k.

    Attributes:
        name: of the law.
        parameters: name -> (value, low, high), 95 % over resamples.
        ks: (K,) at which outcomes were measured.
        fitted: (K,) the law there.
        error: root mean square of measured less fitted.
        determined: whether there are more k than parameters; a curve through all points says nothing for the law.
    """

    name: str
    parameters: Mapping[str, tuple[float, float, float]]
    ks: Floats
    fitted: Floats
    error: float
    determined: bool


def saturation(
    ks: Sequence[int], outcomes: Sequence[Crossed], margin: float = 0.01, larger: bool = True, seed: int = 0
) -> Saturation:
    """The smallest k from which more demonstrations help by no more than `margin`, and its interval.

    The means are made monotone (least squares, Ayer et al. 1955), so that one lucky k in the middle does not count as
    an end, and k is the first within `margin` of the last.

    Args:
        ks: numbers of demonstrations, each once.
        outcomes: of each k, with the same levels for the same questions and sets.
        margin: in units of outcomes; a point of accuracy if none is given.
        larger: whether larger outcomes are better, as accuracy is; of log-loss they are not.

    Raises:
        ValueError: fewer than two k, or as many outcomes as k are not given.
    """
    places, sorted_ks, ordered = _ascending(ks, outcomes)
    means, curves = resampled_means(ordered, CURVES, seed)
    sign = 1.0 if larger else -1.0
    fitted = sign * monotone(sign * means)
    found = _first_within(sign * fitted[None], margin)[0]
    over = _first_within(np.array([monotone(sign * curve) for curve in curves]), margin)
    low, high = np.quantile(over, [0.025, 0.975], method="nearest").astype(int)
    k, least, most = (int(sorted_ks[place]) for place in (found, low, high))
    rising = bool(found == len(places) - 1)
    return Saturation(k, least, most, rising, margin, sorted_ks, means, fitted)


def _ascending(
    ks: Sequence[int], outcomes: Sequence[Crossed]
) -> tuple[NDArray[np.intp], NDArray[np.int64], list[Crossed]]:
    if len(ks) != len(outcomes) or len(set(ks)) < 2 or len(set(ks)) < len(ks):
        raise ValueError("a curve needs outcomes for two numbers of demonstrations at least, each once")
    order = np.argsort(ks)
    return order, np.asarray(ks, dtype=np.int64)[order], [outcomes[place] for place in order]


def _first_within(rising: Floats, margin: float) -> NDArray[np.intp]:
    """(B, K) rising curves -> (B,) the first place within `margin` of the last."""
    return np.asarray(np.argmax(rising >= rising[:, -1:] - margin - 1e-12, axis=1))


def monotone(values: ArrayLike) -> Floats:
    """The nearest sequence in least squares that never falls (pool adjacent violators, by scipy)."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(np.asarray(values, dtype=np.float64)).x)


def resampled_means(outcomes: Sequence[Crossed], times: int, seed: int = 0) -> tuple[Floats, Floats]:
    """(K,) means of several experiments on the same levels, and (times, K) of resamples of those levels.

    A level drawn twice counts twice wherever it occurs; of several factors the counts multiply. Resamples in which an
    experiment has no item are left out.
    """
    everything = _together(outcomes)
    tops = list(drawn_of(everything).top.values())
    which = np.repeat(np.arange(len(outcomes)), [len(one.values) for one in outcomes])
    means = np.array([one.values.mean() for one in outcomes])
    if not tops:
        return means, np.repeat(means[None], times, axis=0)
    cell = joint(which, *tops)
    first = np.unique(cell, return_index=True)[1]
    sums = np.asarray(np.bincount(cell, everything.values), dtype=np.float64)
    sizes = np.asarray(np.bincount(cell), dtype=np.float64)
    rng = np.random.default_rng(seed)
    drawn = [resamples(int(top.max()) + 1, rng, times).astype(np.float64) for top in tops]
    found = np.full((times, len(outcomes)), np.nan)
    for k in range(len(outcomes)):
        own = np.flatnonzero(which[first] == k)
        levels = [top[first[own]] for top in tops]
        with np.errstate(invalid="ignore", divide="ignore"):
            found[:, k] = _weighted(sums[own], levels, drawn) / _weighted(sizes[own], levels, drawn)
    return means, found[np.isfinite(found).all(axis=1)]


def _together(outcomes: Sequence[Crossed]) -> Crossed:
    """All items of several experiments, with the factors that all of them have."""
    shared = [name for name in outcomes[0].factors if all(name in one.factors for one in outcomes)]
    if not shared:
        raise ValueError("the experiments share nothing that was drawn, so that they make no curve")
    factors = {name: numbered(np.concatenate([one.factors[name] for one in outcomes])) for name in shared}
    nested = {inner: outer for inner, outer in outcomes[0].nested.items() if {inner, outer} <= set(shared)}
    return Crossed(np.concatenate([one.values for one in outcomes]), factors, nested)


def _weighted(values: Floats, levels: Sequence[Levels], drawn: Sequence[Floats]) -> Floats:
    """(B,) Σ over cells of a value times how often each of its levels was drawn."""
    from scipy import sparse

    if len(levels) == 1:
        return np.asarray(drawn[0] @ np.bincount(levels[0], values, drawn[0].shape[1]))
    if len(levels) == 2:
        shape = (drawn[0].shape[1], drawn[1].shape[1])
        table = sparse.csr_matrix((values, (levels[0], levels[1])), shape=shape)
        return np.asarray(((table.T @ drawn[0].T).T * drawn[1]).sum(axis=1))
    total = np.zeros(len(drawn[0]))
    block = max(1, (1 << 22) // len(drawn[0]))
    for start in range(0, len(values), block):
        part = slice(start, start + block)
        weights = np.tile(values[part], (len(drawn[0]), 1))
        for sides, own in zip(drawn, levels, strict=True):
            weights = weights * sides[:, own[part]]
        total += weights.sum(axis=1)
    return total


def power_law(ks: Sequence[int], outcomes: Sequence[Crossed], seed: int = 0) -> Law:
    """y(k) = end + gap (k + 1)^(−rate), rate > 0: by least squares over k, each k counting alike.

    With k + 1 the curve begins at k = 0, at end + gap. Of log-loss it falls (gap > 0), of accuracy it rises (gap < 0).
    """
    sorted_ks, means, curves = _measured(ks, outcomes, seed)
    y0, y1 = float(means[0]), float(means[-1])
    starts = [np.array([y1, y0 - y1, rate]) for rate in (0.3, 1.0, 2.5)]
    bounds = (np.array([-np.inf, -np.inf, 1e-3]), np.array([np.inf, np.inf, 10.0]))

    def curve(p: Floats, k: Floats) -> Floats:
        return np.asarray(p[0] + p[1] * (k + 1.0) ** -p[2])

    return _law("power law", ("end", "gap", "rate"), curve, sorted_ks, means, curves, starts, bounds)


def bayesian_law(ks: Sequence[int], outcomes: Sequence[Crossed], tasks: int = 2, seed: int = 0) -> Law:
    """p(k) = Σ_m π_m p_m^(Kk+1) / Σ_m π_m p_m^(Kk), by least squares over k (Arora et al. 2024).

    A reader that knows `tasks` tasks of prior π_m, under which an answer of the queried one has probability p_m, and
    that takes K observations from every demonstration. Outcomes are p(right), or right and wrong. Tasks are sorted, the
    queried one (largest p) first.

    Source: docs/methods.md §12.16.
    """
    sorted_ks, means, curves = _measured(ks, outcomes, seed)
    names = (*(f"prior {m + 1}" for m in range(tasks)), *(f"p {m + 1}" for m in range(tasks)), "efficiency")
    starts = []
    for weight in (0.02, 0.2, 0.5):
        for speed in (0.3, 1.0):
            logits = np.log([weight, *[(1 - weight) / (tasks - 1)] * (tasks - 1)]) if tasks > 1 else np.zeros(1)
            chances = np.clip(np.linspace(float(means.max()), float(means.min()) * 0.9, tasks), 0.01, 0.99)
            starts.append(np.concatenate([logits[1:] - logits[0], np.log(chances / (1 - chances)), [np.log(speed)]]))
    reach = np.concatenate([np.full(tasks - 1, 20.0), np.full(tasks, 12.0), [6.0]])

    def curve(p: Floats, k: Floats) -> Floats:
        return bayes_curve(*_unpacked(p, tasks), k)

    ends = (-reach, reach)
    return _law(
        "Bayesian law", names, curve, sorted_ks, means, curves, starts, ends, lambda p: _sorted(*_unpacked(p, tasks))
    )


def bayes_curve(prior: Floats, chance: Floats, efficiency: float, ks: Floats) -> Floats:
    """(K,) the Bayesian law at every k, worked out in logarithms."""
    logs = np.log(prior) + efficiency * np.multiply.outer(np.asarray(ks, dtype=np.float64), np.log(chance))  # (K, M)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray((weights @ chance) / weights.sum(axis=1))


def _unpacked(p: Floats, tasks: int) -> tuple[Floats, Floats, float]:
    logits = np.concatenate([[0.0], p[: tasks - 1]])
    prior = np.exp(logits - logits.max())
    return prior / prior.sum(), 1 / (1 + np.exp(-p[tasks - 1 : 2 * tasks - 1])), float(np.exp(p[-1]))


def _sorted(prior: Floats, chance: Floats, efficiency: float) -> Floats:
    order = np.argsort(-chance, kind="stable")
    return np.concatenate([prior[order], chance[order], [efficiency]])


def _measured(ks: Sequence[int], outcomes: Sequence[Crossed], seed: int) -> tuple[Floats, Floats, Floats]:
    _, sorted_ks, ordered = _ascending(ks, outcomes)
    means, curves = resampled_means(ordered, REFITS, seed)
    return sorted_ks.astype(np.float64), means, curves


def _law(
    name: str,
    names: Sequence[str],
    curve: Callable[[Floats, Floats], Floats],
    ks: Floats,
    means: Floats,
    curves: Floats,
    starts: Sequence[Floats],
    bounds: tuple[Floats, Floats],
    shown: Callable[[Floats], Floats] = lambda p: p,
) -> Law:
    """The best fit from several starts, and its parameters over resamples, each begun at the best."""
    from scipy.optimize import least_squares

    def fit(y: Floats, start: Floats) -> tuple[float, Floats]:
        begun = np.clip(start, bounds[0] + 1e-9, bounds[1] - 1e-9)
        found = least_squares(lambda p: curve(p, ks) - y, begun, bounds=bounds, x_scale="jac")
        return float(found.cost), np.asarray(found.x)

    cost, best = min((fit(means, start) for start in starts), key=lambda pair: pair[0])
    refits = np.array([shown(fit(y, best)[1]) for y in curves])
    low, high = percentiles(refits)
    values = shown(best)
    parameters = {key: (float(values[i]), float(low[i]), float(high[i])) for i, key in enumerate(names)}
    fitted = curve(best, ks)
    return Law(name, parameters, ks, fitted, float(np.sqrt(2 * cost / len(ks))), len(ks) > len(best))
