"""The belief over tasks by layer, beside exact Bayes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, distinct, figure, shorten, single, wrap
from core.figures.colours import OTHERS

EXACT = "exact Bayes"


def layers_figure(
    tasks: Sequence[str], layers: ArrayLike, exact: ArrayLike, colours: Mapping[str, str], height: int = 220
) -> go.Figure:
    """Weight of every coloured task after each layer, as lines; exact Bayes's as diamonds on the right.

    Args:
        tasks: (F,) names.
        layers: (L + 1, F) the embedding first, rows that sum to one.
        exact: (F,).
        colours: of the tasks drawn; all others are one grey line.
        height: in pixels.
    """
    rows = np.vstack([np.asarray(layers, dtype=float), np.asarray(exact, dtype=float)])
    drawn = [task for task in tasks if task in colours]
    columns = [rows[:, list(tasks).index(task)] for task in drawn]
    rest = np.maximum(rows.sum(1) - np.sum(columns, axis=0), 0.0) if columns else rows.sum(1)
    places = ["embedding", *(f"layer {layer}" for layer in range(1, len(rows) - 1)), EXACT]
    short = [*distinct(drawn, 28), "all others"]
    lines = [
        _line(name, places, values, colour)
        for name, values, colour in (
            *((task, column, colours[task]) for task, column in zip(drawn, columns, strict=True)),
            ("all others", rest, OTHERS),
        )
    ]
    traces = [line | {"name": name} for line, name in zip(lines, short, strict=True)]
    return figure(
        traces,
        height,
        showlegend=True,
        legend={"orientation": "v", "x": 1.01, "y": 1, "font": {"size": 12}},
        xaxis={"type": "category", "fixedrange": True, "automargin": True, "showgrid": False},
        yaxis={
            "title": {"text": "P(T | D, x)", "font": {"size": 12}, "standoff": 4},
            "range": [-0.03, 1.06],
            "fixedrange": True,
            "automargin": True,
            "nticks": 5,
            "zeroline": False,
        },
    )


def _line(name: str, places: Sequence[str], values: np.ndarray, colour: str) -> Trace:
    """A task's weight by layer; the last one is exact Bayes's, to which no line leads."""
    last = len(places) - 1
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [*places[:last], places[last], places[last]],
        "y": single([*values[:last], np.nan, values[last]]),
        "name": shorten(name, 28),
        "line": {"color": colour, "width": 2.5},
        "marker": {"size": [6] * last + [0, 10], "symbol": ["circle"] * (last + 1) + ["diamond"]},
        "connectgaps": False,
        "hovertemplate": f"{wrap(name)}<br>%{{x}}: %{{y:.3f}}<extra></extra>",
    }
