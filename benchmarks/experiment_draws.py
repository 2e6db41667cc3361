"""Experiments drawn from a known model: demonstration sets, questions and all that they share, and the true effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.statistics.crossed import Crossed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scenario:
    """A crossed experiment of two settings, a and b, on the same sets and questions, on the scale of logits.

    logit p(right) of b and a is base + u_s + v_q + w_sq ± (effect + u'_s + v'_q + w'_sq)/2, all normal and
    independent: u, v, w what sets, questions and single cells have in both settings, u', v', w' in which setting suits
    them. An answer is right or not with that probability; with `orders` every cell is asked in so many of the set's
    own, each with a w of its own.

    Attributes:
        sets, questions, orders: how many are drawn.
        base, effect: of the settings.
        shared: standard deviations of u, v, w.
        own: those of u', v', w'.
        missing: share of items that fail, at random.
        alike: if above 0, that share of items has the same outcome in both settings; of the others the sign is + with
            probability 1/(1 + exp(−u'_s − v'_q)), and how often a question is among them differs by question.
        skewed: u' is not normal, but sd · (1 − an exponential): most sets gain a little, and few lose much.
        losses: outcomes are −ln p(right) in nats, and not whether the answer is right.
    """

    sets: int
    questions: int
    orders: int = 1
    base: float = 1.2
    effect: float = 0.3
    shared: tuple[float, float, float] = (0.4, 1.5, 0.7)
    own: tuple[float, float, float] = (0.25, 0.6, 0.5)
    missing: float = 0.0
    alike: float = 0.0
    skewed: bool = False
    losses: bool = False

    def null(self) -> Scenario:
        """The same without an effect."""
        return replace(self, effect=0.0)


@dataclass(frozen=True)
class Experiment:
    """Outcomes of both settings, and what they would be on average over all sets and questions there could be."""

    a: Crossed
    b: Crossed
    true_b: float
    true_difference: float


def experiments(scenario: Scenario, count: int, seed: int) -> Iterator[Experiment]:
    """So many experiments, each with sets and questions of its own."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield draw(scenario, rng)


def draw(of: Scenario, rng: np.random.Generator) -> Experiment:
    """One experiment."""
    sizes = ((of.sets, 1, 1), (1, of.questions, 1), (of.sets, of.questions, of.orders))
    both = [sd * rng.normal(size=size) for sd, size in zip(of.shared, sizes, strict=True)]
    apart = [sd * rng.normal(size=size) for sd, size in zip(of.own, sizes, strict=True)]
    if of.skewed:
        apart[0] = of.own[0] * (1 - rng.exponential(size=sizes[0]))
    if of.alike:
        right_a, right_b = _mostly_alike(of, apart, rng)
        return Experiment(*_crossed(of, right_a, right_b, rng), np.nan, 0.0)
    middle, half = of.base + sum(both), (of.effect + sum(apart)) / 2
    left = (1, 2) if of.sets == 1 else (0, 1, 2)  # what is averaged over: a single set is held fixed
    own = (1, 2) if of.skewed else left
    spread = float(np.sqrt(sum(of.shared[i] ** 2 for i in left) + sum(of.own[i] ** 2 / 4 for i in own)))
    shift = (float(both[0].sum()), float(apart[0].sum()) / 2) if of.sets == 1 else (0.0, 0.0)
    skew = of.own[0] / 2 if of.skewed else 0.0
    true_a, true_b = (
        _average(of.base + shift[0] + sign * (of.effect / 2 + shift[1]), spread, sign * skew, of.losses)
        for sign in (-1, 1)
    )
    p_a, p_b = (1 / (1 + np.exp(-(middle + sign * half))) for sign in (-1, 1))
    if of.losses:
        return Experiment(*_crossed(of, -np.log(p_a), -np.log(p_b), rng), true_b, true_b - true_a)
    outcomes = [(rng.random(p.shape) < p).astype(np.float64) for p in (p_a, p_b)]
    return Experiment(*_crossed(of, *outcomes, rng), true_b, true_b - true_a)


@lru_cache(maxsize=64)
def _average(mean: float, spread: float, skew: float, losses: bool) -> float:
    """E[p], or E[−ln p], of a logit mean + N(0, spread²) + skew (1 − Exp(1)), by Gauss's rules."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    waits, shares = np.polynomial.laguerre.laggauss(60) if skew else (np.ones(1), np.ones(1))
    logits = mean + spread * nodes[:, None] + skew * (1 - waits)
    values = np.logaddexp(0.0, -logits) if losses else 1 / (1 + np.exp(-logits))
    return float(weights @ values @ shares / weights.sum())


def _mostly_alike(of: Scenario, apart: list[Floats], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Outcomes of which few differ: no setting is better, but questions and sets may prefer one."""
    size = (of.sets, of.questions, of.orders)
    often = np.minimum(1.0, (1 - of.alike) * rng.gamma(1.0, 1.0, size=(1, of.questions, 1)))
    moved = rng.random(size) < often
    up = rng.random(size) < 1 / (1 + np.exp(-(apart[0] + apart[1])))
    same = (rng.random(size) < 0.8).astype(np.float64)
    return np.where(moved, np.where(up, 0.0, 1.0), same), np.where(moved, np.where(up, 1.0, 0.0), same)


def _crossed(of: Scenario, a: Floats, b: Floats, rng: np.random.Generator) -> tuple[Crossed, Crossed]:
    places = np.indices(a.shape).reshape(3, -1)
    names = ("demonstrations", "question", "order") if of.orders > 1 else ("demonstrations", "question")
    nested = {"order": "demonstrations"} if of.orders > 1 else {}
    found = []
    for values in (a, b):
        kept = rng.random(a.size) >= of.missing
        factors = {name: places[i][kept] for i, name in enumerate(names)}
        found.append(Crossed(values.ravel()[kept], factors, nested, None if of.losses else (0.0, 1.0)))
    return found[0], found[1]
