"""Vectors are computed once and kept within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from core import vectors
from core.vectors import input_vectors


class Counting:
    """As much of a model as vectors need: texts in, one number a text out, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        self.asked += texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


def test_only_new_texts_are_computed() -> None:
    model: Any = Counting()
    first = input_vectors(model, ["a", "bb", "a"])
    assert first.tolist() == [[1, 1], [2, 1], [1, 1]]
    assert input_vectors(model, ["ccc", "bb"]).tolist() == [[3, 1], [2, 1]]
    assert model.asked == ["a", "bb", "ccc"]
    other: Any = Counting()
    input_vectors(other, ["a"])
    assert other.asked == ["a"]


def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MAX_BYTES", 2 * 8)
    model: Any = Counting()
    for texts in (["a"], ["b"], ["a"], ["c"], ["a"], ["b"]):
        input_vectors(model, texts)
    assert model.asked == ["a", "b", "c", "b"]
    assert input_vectors(model, ["d", "e", "f"]).shape == (3, 2)  # more at once than is kept
