"""Taking a scorer's own bias for some labels out of its answer: one way a file, each names inputs that decide nothing.

    p_cf(y) = mean over those inputs of the label's raw probability, then normalised over the labels
    q(y) ∝ p(y) / p_cf(y)

Averaged first and normalised after, as Zhao et al. 2021 do. Works with any scorer: raw is exp(score) where a score is
a log-probability (direct, summed), the probability over the candidates elsewhere; the scorer declares which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.runtime.registry import Entry, Registry
from core.scoring import scorers
from core.statistics.distributions import softmax
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

TINY = 1e-12  # a label that is never probable on any input is not divided by zero


def raw(study: Study, answer: Answer) -> Floats:
    """What is averaged: exp(score) where that is a probability, else the probability over the candidates, (L,)."""
    return np.exp(answer.scores) if scorers.find(study.scoring).logprob(study) else answer.probabilities


def bias_of(rows: Sequence[Floats]) -> Floats:
    """p_cf: the mean of the rows, normalised, (L,)."""
    mean = np.mean(np.asarray(rows, dtype=np.float64), axis=0) + TINY
    bias: Floats = mean / mean.sum()
    return bias


def divided(answer: Answer, bias: Floats, p: Floats) -> Answer:
    """q ∝ p / p_cf."""
    scores = np.log(p + np.finfo(np.float64).tiny) - np.log(bias)
    return replace(answer, scores=scores, probabilities=softmax(scores), bias=bias)
