"""Attention as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def table_records(
    rows: Sequence[str], columns: Sequence[str], weights: NDArray[np.floating[Any]]
) -> list[dict[str, Any]]:
    """A matrix of attention with the names of its rows and columns.

    Args:
        rows, columns: (R,) and (C,) names, each of them once.
        weights: (R, C).
    """
    return [
        {"from": name, **dict(zip(columns, values, strict=True))}
        for name, values in zip(rows, weights.tolist(), strict=True)
    ]
