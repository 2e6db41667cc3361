"""A quantity over n, measured with several seeds: its mean and a confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

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
    half = t_quantile(0.5 + confidence / 2, repetitions - 1) * values.std(axis=0, ddof=1) / math.sqrt(repetitions)
    return Curve(name, mean, mean - half, mean + half, values)


def t_quantile(p: float, degrees: int) -> float:
    """Quantile of Student's t: exact for one and two degrees of freedom, else Abramowitz & Stegun 26.7.5.

    The series is right to .004 for p = .975 at three degrees of freedom, and to .0003 from five on.
    """
    if degrees == 1:
        return math.tan(math.pi * (p - 0.5))
    if degrees == 2:
        return (2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p)))
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / degrees**i for i, term in enumerate(terms, 1))
