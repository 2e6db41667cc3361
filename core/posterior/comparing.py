"""How far posteriors are apart, and what each demonstration did to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.statistics.divergences import divergence, total_variation
from core.study.outcome import Posterior

Floats = NDArray[np.float64]
Against = Literal["average", "rest"]


FLOORS = {"exact": 1e-300, "implicit": 1e-5, "instruction": 1e-300}
"""Weights below count as this in a logarithm. Implicit weights are decoded with a prior of that strength, so that
smaller ones say where the prior had them and not what the model answered."""


@dataclass(frozen=True)
class Comparison:
    """Two posteriors over the tasks that both name, for n = 0 … k.

    Attributes:
        first, second: their kinds.
        tasks: (T,) names in both; where one has others too, each is normalised over these.
        whole: whether these are all tasks of both.
        total_variation: (k + 1,).
        forward: (k + 1,) KL(first ‖ second) in nats, as `divergence` has it.
        backward: (k + 1,) KL(second ‖ first).

    A row is NaN where one of the two holds nothing on these tasks.
    """

    first: str
    second: str
    tasks: tuple[str, ...]
    whole: bool
    total_variation: Floats
    forward: Floats
    backward: Floats


def compare(posteriors: Mapping[str, Posterior]) -> tuple[Comparison, ...]:
    """Every pair of posteriors that share at least two tasks by name."""
    found = []
    for (first, a), (second, b) in combinations(posteriors.items(), 2):
        names = tuple(task for task in a.tasks if task in b.tasks)
        if len(names) < 2:
            continue
        p, q = _over(a, names), _over(b, names)
        found.append(
            Comparison(
                first,
                second,
                names,
                len(names) == len(a.tasks) == len(b.tasks),
                total_variation(p, q),
                _where(p, q, divergence(p, q)),
                _where(p, q, divergence(q, p)),
            )
        )
    return tuple(found)


def _over(posterior: Posterior, names: tuple[str, ...]) -> Floats:
    """Its weights on these tasks, each row normalised; NaN where it holds nothing on them."""
    columns = posterior.weights[:, [posterior.tasks.index(name) for name in names]]
    total = columns.sum(1, keepdims=True)
    share: Floats = np.divide(columns, total, out=np.full_like(columns, np.nan), where=total > 1e-12)
    return share


def _where(p: Floats, q: Floats, values: Floats) -> Floats:
    """`values`, NaN where p or q is."""
    return np.where(np.isnan(p).any(-1) | np.isnan(q).any(-1), np.nan, values)


def gains(weights: Floats, against: Against = "average", floor: float = 1e-300) -> Floats:
    """What each demonstration added to each task, in nats, (k, T).

    Against the mixture's average, log p(d_i | T, D_<i) − log Σ_S P(S|D_<i) p(d_i | S, D_<i), which by Bayes's rule is
    log P(T|D_i) − log P(T|D_{i−1}), and so can be read off any posterior. Against the rest, the change of the log-odds
    log P(T|D) − log P(not T|D): Good's weight of evidence. Either way the rows of a column sum to its total change.

    Args:
        weights: (k + 1, T), rows sum to one.
        against: what a task is compared with.
        floor: weights below count as this.

    Source: docs/methods.md §1.13; Good 1950 for the weight of evidence.
    """
    logs = np.log(np.maximum(weights, floor))
    if against == "rest":
        tasks = weights.shape[1]
        others = weights @ (1.0 - np.eye(tasks))  # summed, since 1 − P(T) has no digits left where P(T) is near one
        logs = logs - np.log(np.maximum(others, floor))
    change: Floats = np.diff(logs, axis=0)
    return change
