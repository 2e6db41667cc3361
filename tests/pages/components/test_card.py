"""When two values that a card reads are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from core import Demonstration
from pages.ui.components.card import same


@dataclass(frozen=True)
class Pair:
    one: Any
    other: Any


ROW = Demonstration(input="x", label="y")
SAME = [
    (1, 1),
    (float("nan"), float("nan")),
    (np.array([1.0, np.nan]), np.array([1.0, np.nan])),
    (np.array(["a"]), np.array(["a"])),
    (Pair(np.arange(3), ("a",)), Pair(np.arange(3), ("a",))),
    ({"a": (1, np.ones(2))}, {"a": (1, np.ones(2))}),
    (ROW, ROW.model_copy()),
    (np.array([None, 1], dtype=object), np.array([None, 1], dtype=object)),
]
OTHER = [
    (1, 2),
    (1, 1.0),
    (1, True),
    (np.ones(2), np.ones(3)),
    (np.ones(2), np.ones(2, dtype=np.float32)),
    (np.array([1.0]), np.array([np.nan])),
    (Pair(1, 2), Pair(1, 3)),
    ({"a": 1}, {"b": 1}),
    ((1,), (1, 2)),
    (ROW, ROW.model_copy(update={"label": "z"})),
    (None, ""),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same(one: Any, other: Any) -> None:
    assert same(one, other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_other(one: Any, other: Any) -> None:
    assert not same(one, other)
