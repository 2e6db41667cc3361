"""One row an item: a question, asked of one cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExperimentItem:
    """What came of one question in one cell.

    Attributes:
        cell, question: their numbers.
        labels: (L,) candidates, in the order of `log_shares`.
        log_shares: (L,) log p(label) over the candidates, nats.
        shown: numbers of the demonstrations shown, in order, in the table that the cell's study chooses from; where the
            model wrote them itself, their texts.
        fingerprint: of the checkpoint that was asked.
        seconds: its share of the time that its block took.
        error: a sentence where it could not be computed; then there are no candidates.
    """

    cell: int
    question: int
    labels: tuple[str, ...] = ()
    log_shares: tuple[float, ...] = ()
    shown: tuple[int, ...] | tuple[tuple[str, str], ...] = ()
    fingerprint: str = ""
    seconds: float = 0.0
    error: str = ""

    @property
    def prediction(self) -> str:
        """The likeliest candidate, the first of equals; "" where it failed."""
        return self.labels[int(np.argmax(self.log_shares))] if self.labels else ""
