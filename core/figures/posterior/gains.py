"""Who convinced the model of what: nats that each demonstration added to each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, click_targets, distinct, figure, outline, single, wrap
from core.figures.colours import DIVERGING, INK
from core.runtime.numbers import signed

REACH = 5.0  # nats at which a cell has its full colour: a factor of 150
ROOM = 16  # columns up to which numbers are written into the cells


def gains_figure(
    gains: ArrayLike,
    tasks: Sequence[str],
    inputs: Sequence[str],
    labels: Sequence[str],
    numbers: Sequence[int],
    marked: int | None = None,
    n: int | None = None,
    height: int = 220,
) -> go.Figure:
    """A row a task, a column a demonstration; violet spoke for the task, orange against it.

    Args:
        gains: (k, T) nats.
        tasks: (T,) names, the first on top.
        inputs, labels: (k,) the demonstrations in the order shown.
        numbers: (k,) their numbers, the same in every view.
        marked: number of the demonstration to frame.
        n: columns from here on are those that the other views do not count yet: they are drawn fainter.
        height: in pixels.
    """
    cells = single(np.asarray(gains, dtype=float).T)  # (T, k)
    rows, columns = cells.shape
    texts = [f"<b>{numbers[c]}</b> {wrap(inputs[c])}<br>→ {wrap(labels[c])}" for c in range(columns)]
    names = [wrap(task) for task in tasks]
    traces: list[Trace] = [
        {
            "type": "heatmap",
            "z": np.clip(cells, -REACH, REACH),
            "customdata": np.stack([cells], axis=-1),
            "text": [[f"{names[r]}<br>{texts[c]}" for c in range(columns)] for r in range(rows)],
            "colorscale": DIVERGING,
            "zmin": -REACH,
            "zmax": REACH,
            "showscale": False,
            "xgap": 2,
            "ygap": 2,
            "hovertemplate": "%{text}<br>%{customdata[0]:+.3f} nats<extra></extra>",
        }
    ]
    if columns <= ROOM:
        traces.append(_numbers(cells))
    traces.append(click_targets(columns, rows, list(numbers)))
    shapes = [outline(c - 0.5, c + 0.5, -0.5, rows - 0.5) for c, number in enumerate(numbers) if number == marked]
    if n is not None and n < columns:
        shapes.append(_veil(n - 0.5, columns - 0.5, rows))
    width = 9 if columns <= 6 else 5 if columns <= 10 else 0
    ticks = [
        f"<b>{number}</b><br>{y}" if width else f"{number}"
        for number, y in zip(numbers, distinct(labels, width) if width else labels, strict=True)
    ]
    return figure(
        traces,
        height,
        shapes=shapes,
        xaxis=_axis(columns, ticks),
        yaxis=_axis(rows, distinct(tasks, 20)) | {"range": [rows - 0.5, -0.5]},
    )


def _numbers(cells: np.ndarray) -> Trace:
    """Nats with a sign, letters of the page's colour; what rounds to nothing is left blank."""
    rows, columns = cells.shape
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "showlegend": False,
        "x": np.tile(np.arange(columns, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), columns),
        "text": ["" if abs(v) < 0.05 else signed(v, 1) for v in cells.ravel()],
        "textfont": {"size": 12, "color": INK},
    }


def _veil(x0: float, x1: float, rows: int) -> dict[str, Any]:
    """Half hides the columns that do not count yet."""
    return {
        "type": "rect",
        "x0": x0,
        "x1": x1,
        "y0": -0.5,
        "y1": rows - 0.5,
        "line": {"width": 0},
        "fillcolor": "rgba(128,134,148,0.35)",
        "layer": "above",
    }


def _axis(size: int, names: Sequence[str]) -> dict[str, Any]:
    return {
        "tickvals": np.arange(size),
        "ticktext": list(names),
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "tickangle": 0,
        "range": [-0.5, size - 0.5],
    }
