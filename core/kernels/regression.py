"""Kernel regression of the demonstrations' labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.study.outcome import Kernel

Floats = NDArray[np.float64]
NOTHING_ALIKE = (
    "Every weight of this kernel is 0: it sees nothing in common between the query and the inputs shown, and its "
    "answer is no more than the first of their labels."
)


def regress(name: str, detail: str, raw: Floats, given: Sequence[str], labels: Sequence[str], note: str = "") -> Kernel:
    """ŷ = Σ_i e(y_i) K_i / Σ_i K_i, white space at the labels' ends aside.

    `predictive` is ŷ over `labels`; a demonstration whose label is not among them takes part in the sum below the line
    only. `best` is the label with the largest Σ_i e(y_i) K_i, which is argmax ŷ wherever Σ_i K_i > 0 (a cosine or dot
    kernel may have a negative sum, and dividing by it would turn the order round); ties go to the lowest index. It is
    None where no demonstration carries a candidate label.

    Args:
        raw: (n,) K(x, x_i).
        given: (n,) the demonstrations' labels.
        labels: (L,) the candidates.
        note: what a reader must know; where there is nothing else, that every weight is zero, if so.
    """
    total = float(raw.sum())
    # a sum that is rounding error next to its terms counts as zero
    usable = abs(total) > 1e-12 * float(np.abs(raw).sum()) if raw.size else False
    normalised = raw / total if usable else np.zeros_like(raw)
    onehot = one_hot(given, labels)
    best = labels[int(np.argmax(where_given(raw @ onehot, onehot)))] if onehot.any() else None
    note = note or (NOTHING_ALIKE if raw.size and not raw.any() else "")
    return Kernel(name, detail, raw, normalised, normalised @ onehot, best, note)


def one_hot(given: Sequence[str], labels: Sequence[str]) -> Floats:
    """e(y_i), (n, L); a row of zeros where the label is no candidate."""
    rows = np.array([[y.strip() == label.strip() for label in labels] for y in given], dtype=np.float64)
    return rows.reshape(len(given), len(labels))


def where_given(mass: Floats, onehot: Floats) -> Floats:
    """(…, L) with −∞ at labels that no demonstration carries: they cannot win, also where all mass is negative."""
    return np.where(onehot.any(0), mass, -np.inf)
