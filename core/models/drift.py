"""How far a 16-bit number format moves what a model says, measured when it is loaded (docs/methods.md §3.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Drift:
    """How far predictions lie from those of the same weights in float32, over random texts read in every way.

    Attributes:
        nats, most_nats: of |Δ log p(token | text)|, the mean over predictions and tokens, and the largest. A label of
            m tokens may be off by m times as much.
        share, most_share: the same of |Δ P| of one of two candidate tokens, P = σ(log p(a) − log p(b)).
        predictions: how many places of a text were predicted, each over the whole vocabulary.
        exact: whether float32 was held against; where it has no room in memory, the ways are held against each other.
    """

    nats: float
    most_nats: float
    share: float
    most_share: float
    predictions: int
    exact: bool

    def sentence(self, form: str) -> str:
        """What a reader of scores must know, with the format's name."""
        against = "float32" if self.exact else "the same texts in another pass"
        return (
            f"Scores are in {form}: rounding moves a token by {self.nats:.2g} nats on average and by "
            f"{self.most_nats:.2g} at most, P of one of two candidates by {self.share:.1g} and by "
            f"{self.most_share:.1g} at most (against {against}, on random texts at load)."
        )


def drift_of(found: Sequence[Sequence[Floats]], reference: Sequence[Floats], exact: bool) -> Drift:
    """The drift of predictions that were made in several ways.

    Args:
        found: for each way and text, (marks, V) log-probabilities; a way may leave out the last texts, and the last
            marks of one.
        reference: for each text, what they are held against.
        exact: whether that is float32.
    """
    moved, shares = [], []
    for way in found:
        for one, other in zip(way, reference, strict=False):
            known = other[: len(one)]
            moved.append(np.abs(one - known))
            shares.append(np.abs(_shares(one) - _shares(known)))
    return Drift(
        nats=float(np.mean([np.mean(part) for part in moved])),
        most_nats=max(float(part.max()) for part in moved),
        share=float(np.mean([np.mean(part) for part in shares])),
        most_share=max(float(part.max()) for part in shares),
        predictions=sum(len(part) for part in moved),
        exact=exact,
    )


def _shares(logged: Floats) -> Floats:
    """(marks, ⌊V/2⌋) P of one of two tokens, each token of the vocabulary's first half with one of the second."""
    half = logged.shape[1] // 2
    difference = logged[:, :half].astype(np.float64) - logged[:, half : 2 * half]
    shares: Floats = 1.0 / (1.0 + np.exp(-difference))
    return shares
