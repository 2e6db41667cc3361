"""What a thread will ask its model for, worked out together before it asks."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.models.reading import Scored

Pair = tuple[str, str]
Rows = NDArray[np.float32]


class Ahead(threading.local):
    """Answers by question, of this thread alone; empty outside `LanguageModel.together`."""

    def __init__(self) -> None:
        self.scores: dict[Pair, Scored] = {}
        self.rows: dict[str, Rows] = {}

    def scored(self, pairs: Sequence[Pair]) -> list[Scored] | None:
        """The answers if all of them are known."""
        if not self.scores or any(pair not in self.scores for pair in pairs):
            return None
        return [self.scores[pair] for pair in pairs]

    def next(self, texts: Sequence[str]) -> Rows | None:
        """(N, V), if all of them are known."""
        if not texts or not self.rows or any(text not in self.rows for text in texts):
            return None
        return np.stack([self.rows[text] for text in texts])
