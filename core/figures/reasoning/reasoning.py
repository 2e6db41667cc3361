"""Methods of reasoning: a row a method, a dot for its accuracy over the labels, a ring for that in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, figure, outline, single
from core.figures.colours import MARK, MODEL, TASK_COLOURS

WORDS = TASK_COLOURS[1]  # answers in the model's own words
STEPS = 21  # invisible markers along a row, so that a click anywhere on it counts


def method_figure(
    titles: Sequence[str],
    keys: Sequence[str],
    labels: ArrayLike,
    words: ArrayLike,
    notes: Sequence[tuple[str, str]],
    own: int | None = None,
    height: int = 260,
) -> go.Figure:
    """Accuracy of every method, read two ways.

    Args:
        titles, keys: (M,) of the methods, and what a click carries.
        labels, words: (M, 3) accuracy and the ends of its interval: over the candidates, in the model's own words.
        notes: (M,) hover texts of the two.
        own: the study's own method, framed.
        height: in pixels.
    """
    scored, said = np.atleast_2d(np.asarray(labels, float)), np.atleast_2d(np.asarray(words, float))
    count = len(titles)
    traces = [
        _dots("over the candidates", scored, -0.14, [note for note, _ in notes], MODEL, "circle"),
        _dots("in its own words", said, 0.14, [note for _, note in notes], WORDS, "diamond"),
        _targets(keys),
    ]
    return figure(
        traces,
        height,
        hovermode="closest",
        shapes=[outline(-0.015, 1.02, own - 0.46, own + 0.46)] if own is not None else [],
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        margin={"l": 8, "r": 14, "t": 34, "b": 40},
        xaxis={"range": [-0.02, 1.03], "fixedrange": True, "zeroline": False, "title": {"text": "accuracy"}},
        yaxis={
            "range": [count - 0.5, -0.5],
            "tickvals": np.arange(count),
            "ticktext": list(titles),
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    )


def _dots(
    name: str, values: NDArray[np.float64], shift: float, notes: Sequence[str], colour: str, symbol: str
) -> Trace:
    ends: dict[str, Any] = {
        "type": "data",
        "array": single(values[:, 2] - values[:, 0]),
        "arrayminus": single(values[:, 0] - values[:, 1]),
        "thickness": 1.4,
        "width": 4,
        "color": colour,
    }
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": single(values[:, 0]),
        "y": single(np.arange(len(values)) + shift),
        "error_x": ends,
        "marker": {"color": colour, "size": 10, "symbol": symbol},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "text": list(notes),
        "hovertemplate": "%{text}<extra></extra>",
    }


def _targets(keys: Sequence[str]) -> Trace:
    """Invisible markers along every row."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.tile(np.linspace(0, 1, STEPS, dtype=np.float32), len(keys)),
        "y": np.repeat(np.arange(len(keys), dtype=np.float32), STEPS),
        "customdata": [[key] for key in keys for _ in range(STEPS)],
        "hoverinfo": "none",
        "marker": {"opacity": 0, "size": 18, "symbol": "square", "color": MARK},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "showlegend": False,
    }
