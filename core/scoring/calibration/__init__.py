"""Taking a scorer's own bias for some labels out of its answer: one way a file, each names inputs that decide nothing.

    p_cf(y) = mean over those inputs of the label's raw probability, then normalised over the labels
    q(y) ∝ p(y) / p_cf(y)

Averaged first and normalised after, as Zhao et al. 2021 do. Works with any scorer: raw is exp(score) where a score is
a log-probability (direct, summed), the probability over the candidates elsewhere; the scorer declares which. All of it
is worked out on logarithms: a label of a dozen tokens has a probability of 1e-15 or less, and what is added to that
for safety would be all that is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.runtime.registry import Entry, Registry
from core.scoring import log_shares, scorers
from core.statistics.distributions import log_softmax, softmax
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study

Floats = NDArray[np.float64]
Inputs = Callable[[Study, Sequence[Demonstration]], Sequence[str]]


@dataclass(frozen=True)
class Calibration(Entry[Inputs]):
    """A calibration: its function gives the inputs whose answers are divided by, none where nothing is to be divided.

    Beyond the inputs all calibrations are one arithmetic, so there is nothing more to declare.
    """


calibrations = Registry("calibration", Calibration, __name__, plain="none")

NEVER = float(np.finfo(np.float64).min)
"""log p_cf of a label that no input gives any probability at all."""


def log_raw(study: Study, answer: Answer) -> Floats:
    """log of what is averaged, (L,): the score where that is a log-probability, else log p over the candidates."""
    return answer.scores if scorers.find(study.scoring).logprob(study) else log_shares(study, answer)


def log_mean(rows: Sequence[Floats]) -> Floats:
    """log of the mean of exp(rows), (L,)."""
    mean: Floats = np.logaddexp.reduce(np.asarray(rows, dtype=np.float64), axis=0) - np.log(len(rows))
    return mean


def log_bias_of(rows: Sequence[Floats]) -> Floats:
    """log p_cf: the mean of exp(rows), normalised, (L,)."""
    return np.maximum(log_softmax(log_mean(rows)), NEVER)


def divided(answer: Answer, log_bias: Floats, log_p: Floats) -> Answer:
    """q ∝ p / p_cf, from logarithms of both."""
    scores = log_p - log_bias
    return replace(answer, scores=scores, probabilities=softmax(scores), bias=np.exp(log_bias))
