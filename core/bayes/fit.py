"""Whether the demonstrations look like anything that the mixture writes: a count of what no task explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.mixture.domain import NOISE, STRAY
from core.mixture.leaks import Leaks, find_leaks
from core.mixture.mixture import normalise
from core.study.outcome import MixtureFit
from core.study.question import Question

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

Floats = NDArray[np.float64]
UNEXPLAINED = 0.5  # probability of a leak from which a part counts as one that no task explains


def fit_of(question: Question, mixture: Mixture, log_factors: Floats | None) -> MixtureFit:
    """Count the labels that no task gives and the inputs that no task writes, and say how odd so many are.

    Parts whose leak is likelier than not are counted, a labels and b inputs, the query among them. In a document of the
    mixture a ~ Binomial(k, r) and b ~ Binomial(k + 1, STRAY), r the rate of noise and of odd codes. `chance` is

        P(a' (−log NOISE) + b' (−log STRAY) ≥ a (−log NOISE) + b (−log STRAY))

    the probability of a document as odd as this or more, each part weighed by what its leak costs (docs/methods.md
    §1.17). How often it falls below a hundredth in documents of the mixture is measured by benchmarks/misfit.py.
    """
    asked = question.written
    pairs, instruction = asked.pairs, asked.study.instruction
    joint, states = mixture.log_joint(pairs, instruction)[-1], mixture.states_after(pairs, instruction)
    if log_factors is not None:
        joint = joint + log_factors[mixture.family_of]
    weights = normalise((joint + mixture.log_inputs(asked.query, states))[None])[0][0]
    leaks = find_leaks(mixture, pairs, asked.query, weights, states)
    labels = tuple(int(i) for i in np.flatnonzero(leaks.labels > UNEXPLAINED))
    inputs = tuple(int(i) for i in np.flatnonzero(leaks.strays > UNEXPLAINED))
    query = leaks.query > UNEXPLAINED
    return MixtureFit(len(pairs), labels, inputs, query, _chance(leaks, len(labels), len(inputs) + query))


def _chance(leaks: Leaks, labels: int, inputs: int) -> float:
    k = len(leaks.labels)
    of_labels, of_inputs = _binomial(k, leaks.label_rate), _binomial(k + 1, STRAY)
    cost = -np.log([NOISE, STRAY])
    costs = np.arange(k + 1)[:, None] * cost[0] + np.arange(k + 2) * cost[1]
    as_odd = costs >= labels * cost[0] + inputs * cost[1] - 1e-9
    return min(1.0, float((of_labels[:, None] * of_inputs)[as_odd].sum()))


def _binomial(n: int, p: float) -> Floats:
    """P(0 … n successes), (n + 1,), 0 < p < 1; in logarithms, as the number of ways overflows."""
    count = np.arange(n + 1)
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    ways = log_factorials[n] - log_factorials[count] - log_factorials[n - count]
    probabilities: Floats = np.exp(ways + count * np.log(p) + (n - count) * np.log1p(-p))
    return probabilities
