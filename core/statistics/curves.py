"""A quantity over n, measured with several seeds: its mean and a confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.statistics.bootstrap import widened

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Mean over repetitions at each of N places.

    Attributes:
        name: what is measured.
        mean: (N,).
        low, high: (N,) 95 % confidence interval of the mean, Student's t over the repetitions; NaN with only one, and
            where all repetitions are alike, unless it is known what else they could have been.
        values: (R, N) one row a repetition.
    """

    name: str
    mean: Floats
    low: Floats
    high: Floats
    values: Floats


def curve_of(name: str, values: Floats, confidence: float = 0.95, span: tuple[float, float] | None = None) -> Curve:
    """mean ± t_{R−1} s / √R over the R rows of `values`, (R, N).

    Where all R are alike s is 0, and an interval of no width would be certain after two of them. With `span` it then
    reaches as far as repetitions that were not seen may move the mean (`core.statistics.bootstrap.widened`).

    Args:
        span: the least and the most that a value can be; None where that is not known, or where the values are alike
            because nothing was drawn: then there is no interval.
    """
    repetitions = len(values)
    mean = values.mean(axis=0)
    if repetitions < 2:
        nothing = np.full(values.shape[1], np.nan)
        return Curve(name, mean, nothing, nothing, values)
    from scipy.special import stdtrit

    half = float(stdtrit(repetitions - 1, 0.5 + confidence / 2)) * values.std(axis=0, ddof=1) / math.sqrt(repetitions)
    low, high = mean - half, mean + half
    if span is not None:
        return Curve(name, mean, *widened(mean, low, high, repetitions, span, confidence), values)
    alike = high - low <= 1e-12
    return Curve(name, mean, np.where(alike, np.nan, low), np.where(alike, np.nan, high), values)
