"""What many differences say together: a gain, a harm, or nothing that so many looks could not show by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Verdict = Literal["gain", "harm", "not shown", "too few"]

LEVEL = 0.05
LEAST = 20
"""Units drawn anew (tasks, questions, …) below which nothing is said: a percentile interval of fewer is too narrow."""


def p_of_interval(value: float, low: float, high: float, level: float = 0.95) -> float:
    """Two-sided p of "the true value is 0" from an estimate and its interval, as for a normal estimate: 2 Φ(−|z|).

    z = value · 2 z_level / (high − low) (Altman and Bland 2011, BMJ 343:d2304). 1 for 0 ± 0: where nothing ever
    differed nothing is shown.
    """
    from scipy.stats import norm

    if not high > low:
        return 1.0 if value == 0 else float("nan")
    return float(2 * norm.sf(abs(value) * 2 * norm.isf((1 - level) / 2) / (high - low)))


def holm(p: Sequence[float]) -> Floats:
    """p-values corrected for how many there are (Holm 1979), (M,): of the i-th smallest, the
    largest (M − j + 1) p_j over j ≤ i.

    The chance that any true "no difference" among the M has a corrected p of at most α is at most α, however they
    depend on each other. NaN counts as 1.
    """
    values = np.nan_to_num(np.asarray(p, dtype=np.float64), nan=1.0)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    found = np.empty_like(values)
    found[order] = np.minimum(stepped, 1.0)
    return found


def verdict(difference: float, corrected: float, units: int) -> Verdict:
    """In which direction a difference is shown, by its corrected two-sided p and how many units were drawn anew."""
    if units < LEAST:
        return "too few"
    if not corrected <= LEVEL:
        return "not shown"
    return "gain" if difference > 0 else "harm"
