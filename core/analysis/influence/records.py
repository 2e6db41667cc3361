"""Influence as rows, for files and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.influence.agreement import Agreement
from core.analysis.influence.changes import Flips, Moves
from core.analysis.influence.removal import Influence, Removal
from core.statistics.bootstrap import Interval

Floats = NDArray[np.float64]
Records = list[dict[str, Any]]


def influence_records(found: Influence, numbers: Sequence[int]) -> Records:
    """A row a demonstration: leave-one-out, alone, Shapley and its standard error, and exact Bayes's."""
    asked = found.question
    rows = []
    for i, (number, row) in enumerate(zip(numbers, asked.shown, strict=True)):
        rows.append(
            {
                "demonstration": number,
                "input": row.input,
                "label": row.label,
                **_of(found.model, i, "model"),
                **(_of(found.bayes, i, "bayes") if found.bayes is not None else {}),
                "answer_without": asked.labels[found.without[i]],
                "value": asked.quantity,
                "of": asked.label,
            }
        )
    return rows


def flip_records(found: Flips, numbers: Sequence[int]) -> Records:
    """A row for every demonstration and label."""
    labels = found.question.labels
    return [
        {
            "demonstration": number,
            "input": found.question.shown[i].input,
            "label": found.question.shown[i].label,
            "flipped_to": label,
            "effect": float(found.effects[i, j]),
            **({} if found.bayes is None else {"effect_bayes": float(found.bayes[i, j])}),
            "answer": labels[found.answers[i, j]],
        }
        for i, number in enumerate(numbers)
        for j, label in enumerate(labels)
    ]


def move_records(found: Moves, numbers: Sequence[int]) -> Records:
    """A row for every demonstration and position, 1 the first."""
    shown = found.question.shown
    return [
        {
            "demonstration": number,
            "input": shown[i].input,
            "label": shown[i].label,
            "stands_in": i + 1,
            "moved_to": j + 1,
            "effect": float(found.effects[i, j]),
            "answer": found.question.labels[found.answers[i, j]],
        }
        for i, number in enumerate(numbers)
        for j in range(len(shown))
    ]


def agreement_records(found: Agreement) -> Records:
    """A row for every explanation and every head: the mean correlation, its interval, and p on a single query."""
    rows: Records = []
    for i, (name, detail) in enumerate(zip(found.names, found.details, strict=True)):
        rows.append({"explanation": name, "detail": detail, "layer": "", "head": "", **_row(found.over, found.p, i)})
    heads = found.heads
    if heads is not None:
        what = "attention of the prompt's last token"
        for layer, head in np.ndindex(heads.over.mean.shape):
            place = {"explanation": "head", "detail": what, "layer": layer, "head": head}
            rows.append({**place, **_row(heads.over, heads.p, (layer, head))})
    return rows


def _of(removal: Removal, i: int, reader: str) -> dict[str, float]:
    found = {
        f"leave_one_out_{reader}": float(removal.leave_one_out[i]),
        f"alone_{reader}": float(removal.alone[i]),
    }
    if removal.shapley is not None:
        found[f"shapley_{reader}"] = float(removal.shapley.values[i])
        if removal.shapley.errors is not None:
            found[f"shapley_error_{reader}"] = float(removal.shapley.errors[i])
    return found


def _row(over: Interval, p: Floats | None, place: int | tuple[int, int]) -> dict[str, Any]:
    return {
        "correlation": float(over.mean[place]),
        "low": float(over.low[place]),
        "high": float(over.high[place]),
        "queries": int(over.count[place]),
        "p": float(p[place]) if p is not None else "",
    }
