"""Rows of heads: sorted, found by name or by role, nothing lost."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.attention.head_table import head_rows

SHARE = np.array([[0.1, 0.7], [0.3, 0.2]])
VOTE = np.array([[np.nan, 0.5], [0.9, np.nan]])
ROLES = {(0, 0): "P", (1, 0): "IL", (1, 1): "L"}


def names(by: str = "share", text: str = "") -> list[str]:
    return [row["head"] for row in head_rows({"share": SHARE, "vote": VOTE}, by, text, ROLES)]


def test_every_head_by_falling_score_and_those_without_one_last() -> None:
    assert names() == ["L0H1", "L1H0", "L1H1", "L0H0"]
    assert names("vote") == ["L1H0", "L0H1", "L0H0", "L1H1"]


def test_a_row_holds_every_number_unchanged() -> None:
    (row,) = head_rows({"share": SHARE, "vote": VOTE}, "share", "L1H1", ROLES)
    assert row == {"head": "L1H1", "layer": 1, "number": 1, "roles": "L", "share": 0.2, "vote": None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L1", ["L1H0", "L1H1"]),
        ("h0", ["L1H0", "L0H0"]),
        ("0.1", ["L0H1"]),
        ("L", ["L1H0", "L1H1"]),  # the role
        ("il", ["L1H0"]),
        ("P", ["L0H0"]),
        ("L9H9", []),
        ("C", []),
        ("  ", ["L0H1", "L1H0", "L1H1", "L0H0"]),
    ],
)
def test_find(text: str, found: list[str]) -> None:
    assert names(text=text) == found
