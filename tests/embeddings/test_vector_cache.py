"""Vectors are computed once and kept within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from core.embeddings import vector_cache as vectors
from core.embeddings.vector_cache import input_vectors, query_cosines, unit_rows


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


def test_cosines_are_the_same_from_a_kept_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "MANY", 2)
    monkeypatch.setattr(vectors, "MATRICES", 1)
    model: Any = Counting()
    texts = ["a", "bbb", "a"]
    first = query_cosines(model, "qq", texts)
    for _ in range(2):
        assert query_cosines(model, "qq", texts) == pytest.approx(first)
    expected = [(2 * len(t) + 1) / np.sqrt(5 * (len(t) ** 2 + 1)) for t in texts]
    assert first == pytest.approx(expected)
    assert unit_rows(model, texts) is unit_rows(model, texts)
    assert np.linalg.norm(unit_rows(model, ["x", "yy"]), axis=1) == pytest.approx([1, 1])
    assert len(vectors._matrices[model]) == 1
    assert model.asked == ["qq", "a", "bbb", "x", "yy"]


def test_zero_vectors_have_no_cosine() -> None:
    class Silent(Counting):
        def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
            return np.zeros((len(texts), 2), dtype=np.float32)

    model: Any = Silent()
    assert query_cosines(model, "q", ["a"]).tolist() == [0.0]
    assert unit_rows(model, ["a"]).tolist() == [[0.0, 0.0]]
