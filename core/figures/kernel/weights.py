"""Kernel weights: how much every demonstration weighs in the answer, a row a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.figures.base import (
    FigureFunction,
    Spec,
    Trace,
    cell_text,
    click_targets,
    distinct,
    outline,
    single,
    spec,
    wrap,
)
from core.figures.colours import DIVERGING, SEQUENTIAL

FIXED = {"fixedrange": True, "showgrid": False, "automargin": True, "zeroline": False}


@FigureFunction
def kernel_figure(
    names: Sequence[str],
    normalised: ArrayLike,
    raw: ArrayLike,
    answers: Sequence[str | None],
    model_answer: str,
    inputs: Sequence[str],
    labels: Sequence[str],
    numbers: Sequence[int],
    marked: int | None = None,
    height: int = 220,
) -> Spec:
    """Normalised weights K_i / Σ K as cells; ŷ of every kernel stands at the end of its row, ✓ where it is the model's.

    Args:
        names: (K,) kernels.
        normalised, raw: (K, n) weights.
        answers: (K,) argmax ŷ, or None.
        model_answer: what the model answers.
        inputs, labels: (n,) the demonstrations in the order shown.
        numbers: (n,) their numbers, the same in every view.
        marked: number of the demonstration to frame.
        height: in pixels.
    """
    cells = single(normalised)
    rows, columns = cells.shape
    texts = [f"<b>{numbers[c]}</b> {wrap(inputs[c])}<br>→ {wrap(labels[c])}" for c in range(columns)]
    traces = [_heatmap(cells, single(raw), texts)]
    if columns <= 16:
        traces.append(cell_text(cells))
    traces.append(click_targets(columns, rows, list(numbers)))
    shapes = [outline(c - 0.5, c + 0.5, -0.5, rows - 0.5) for c, number in enumerate(numbers) if number == marked]
    ticks = _ticks(numbers, labels)
    return spec(
        traces,
        height,
        shapes=shapes,
        annotations=_verdicts(answers, model_answer),
        margin={"l": 8, "r": 96, "t": 20, "b": 8},
        xaxis={
            **FIXED,
            "tickvals": np.arange(columns),
            "ticktext": ticks,
            "side": "bottom",
            "range": [-0.5, columns - 0.5],
            "tickangle": 0,
        },
        yaxis={
            **FIXED,
            "tickvals": np.arange(rows),
            "ticktext": distinct(names, 20),
            "range": [rows - 0.5, -0.5],
        },
    )


def _heatmap(cells: NDArray[np.float32], raw: NDArray[np.float32], texts: list[str]) -> Trace:
    """The weights as cells, on a scale around zero where some are negative."""
    reach = float(np.abs(cells).max(initial=0.0)) or 1.0
    negative = bool((cells < 0).any())
    return {
        "type": "heatmap",
        "z": cells,
        "showscale": False,
        "xgap": 2,
        "ygap": 3,
        "colorscale": DIVERGING if negative else SEQUENTIAL,
        "zmin": -reach if negative else 0.0,
        "zmax": reach,
        "customdata": np.stack([raw], axis=-1),
        "text": [texts] * len(cells),
        "hovertemplate": "%{text}<br>%{y}<br>K / ΣK = %{z:.4f}, K = %{customdata[0]:.4g}<extra></extra>",
    }


def _ticks(numbers: Sequence[int], labels: Sequence[str]) -> list[str]:
    """Number over label while there is room for labels, numbers alone after that."""
    room = {range(7): 10, range(7, 11): 6, range(11, 15): 4}
    width = next((most for span, most in room.items() if len(numbers) in span), 0)
    short = distinct(labels, width) if width else labels
    return [f"<b>{n}</b><br>{y}" if width else f"{n}" for n, y in zip(numbers, short, strict=True)]


def _verdicts(answers: Sequence[str | None], model_answer: str) -> list[dict[str, Any]]:
    """ŷ at the end of every row, and whether it is the model's answer."""

    def note(row: float, text: str, hover: str = "") -> dict[str, Any]:
        return {
            "text": text,
            "x": 1,
            "y": row,
            "xref": "paper",
            "yref": "y",
            "xanchor": "left",
            "yanchor": "middle",
            "showarrow": False,
            "xshift": 6,
            "align": "left",
            "hovertext": hover or None,
        }

    notes = []
    known = [model_answer, *(answer for answer in answers if answer is not None)]
    short = dict(zip(known, distinct(known, 11), strict=True))
    for row, answer in enumerate(answers):
        if answer is not None:
            sign = "✓" if answer == model_answer else "✗"
            notes.append(note(row, f"{sign} {short[answer]}", f"ŷ of this kernel: {wrap(answer)}"))
    head = {
        "text": "ŷ",
        "x": 1,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "middle",
        "showarrow": False,
        "xshift": 6,
        "yshift": 11,
    }
    return [*notes, head]
