"""A quantity over n, measured with several seeds: its mean and a confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Mean over repetitions at each of N places.

    Attributes:
        name: what is measured.
        mean: (N,).
        low, high: (N,) 95 % confidence interval of the mean, Student's t over the repetitions; NaN with only one.
        values: (R, N) one row a repetition.
    """

    name: str
    mean: Floats
    low: Floats
    high: Floats
    values: Floats


def curve_of(name: str, values: Floats, confidence: float = 0.95) -> Curve:
    """mean ± t_{R−1} s / √R over the R rows of `values`, (R, N)."""
    repetitions = len(values)
    mean = values.mean(axis=0)
    if repetitions < 2:
        nothing = np.full(values.shape[1], np.nan)
        return Curve(name, mean, nothing, nothing, values)
    from scipy.special import stdtrit

    half = float(stdtrit(repetitions - 1, 0.5 + confidence / 2)) * values.std(axis=0, ddof=1) / math.sqrt(repetitions)
    return Curve(name, mean, mean - half, mean + half, values)
