"""Rows by entropy: each entropy in one of them, and what stands at their bounds."""

from __future__ import annotations

import numpy as np
import pytest

from core.posterior.openness import NAMES, ROWS, row_at, row_of


@pytest.mark.parametrize(
    ("nats", "name"),
    [
        (0.0, "0 – 0.05"),
        (0.049, "0 – 0.05"),
        (0.05, "0.05 – 0.3"),
        (1.0, "0.7 – 1.5"),
        (1.5, "above 1.5"),
        (9, "above 1.5"),
    ],
)
def test_a_row_begins_at_its_lower_bound(nats: float, name: str) -> None:
    assert NAMES[row_at(nats)] == name


def test_beliefs_by_hand() -> None:
    """A point; .99 and .01: .056 nats; even over two: .69; over three: 1.10; over five: 1.61."""
    beliefs = [[1, 0, 0, 0, 0], [0.99, 0.01, 0, 0, 0], [0.5, 0.5, 0, 0, 0], [1 / 3] * 3 + [0, 0], [0.2] * 5]
    assert row_of(beliefs).tolist() == [0, 1, 2, 3, 4]
    assert len(NAMES) == len(ROWS) - 1
    assert row_of(np.full((2, 3, 4), 0.25)).shape == (2, 3)
