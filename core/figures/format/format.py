"""Templates and instructions on the same questions: a dot each, the agreement of answers, and A against B."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, distinct, figure, outline, rows_axis, single, wrap
from core.figures.colours import BAYES, FAINT, LESS, MARK, MODEL, MORE, SEQUENTIAL

STEPS = 25  # invisible markers along a row, so that a click anywhere on it counts
FIXED = {"fixedrange": True, "zeroline": False, "automargin": True}
STILL = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
Kind = Literal["trained", "other", "unread"]
LOOKS: dict[str, tuple[str, str, str]] = {  # symbol, colour, name
    "trained": ("diamond", MODEL, "the model was trained on it"),
    "other": ("circle", BAYES, "never seen in training"),
    "unread": ("circle-open", LESS, "has signs that the model cannot read"),
    "plain": ("circle", MODEL, "template"),
}


def rows_height(rows: int) -> int:
    """Pixels that so many rows need."""
    return max(150, 19 * rows + 64)


def dots_figure(
    names: Sequence[str],
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    kinds: Sequence[str],
    hover: Sequence[str],
    title: str,
    limits: tuple[float, float],
    own: int | None = None,
    band: tuple[float, float] | None = None,
    width: int = 30,
    height: int | None = None,
) -> go.Figure:
    """A dot with its interval for each of R rows, in the order given from the top; a click carries [row].

    Args:
        names: (R,) templates or instructions.
        values, low, high: (R,) and its 95 % interval.
        kinds: (R,) keys of `LOOKS`.
        hover: (R,) what a pointer is told, as Plotly's HTML.
        title: of the axis.
        limits: of the axis.
        own: row of the study's own, framed.
        band: a stretch of the axis to shade.
        width: characters of a name that are drawn.
        height: pixels, by the number of rows where it is not given.
    """
    dots, rows = single(values), len(names)
    across = np.linspace(*limits, STEPS, dtype=np.float32)
    shapes = [] if band is None else [_shade(*band)]
    if own is not None:
        shapes.append(outline(*limits, own - 0.5, own + 0.5))
    return figure(
        [
            _targets(across, rows, hover),
            *_by_kind(dots, single(low), single(high), kinds, hover),
        ],
        rows_height(rows) if height is None else height,
        hovermode="closest",
        shapes=shapes,
        showlegend=len(set(kinds)) > 1,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "itemclick": False, "itemdoubleclick": False},
        margin={"l": 8, "r": 12, "t": 24 if len(set(kinds)) > 1 else 6, "b": 36},
        xaxis={**FIXED, "range": list(limits), "title": {"text": title, "standoff": 4}, "gridcolor": FAINT},
        yaxis=rows_axis(distinct(names, width), 12 if rows <= 30 else 10),
    )


def _shade(low: float, high: float) -> dict[str, Any]:
    """A stretch of the axis, behind everything."""
    box = {"type": "rect", "x0": low, "x1": high, "y0": 0, "y1": 1, "yref": "paper"}
    return {**box, "fillcolor": FAINT, "line": {"width": 0}, "layer": "below"}


def _targets(across: NDArray[np.float32], rows: int, hover: Sequence[str]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.tile(across, rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), len(across)),
        "customdata": [[row] for row in range(rows) for _ in across],
        "text": [hover[row] for row in range(rows) for _ in across],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"opacity": 0, "size": 14, "symbol": "square", "color": MODEL},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "showlegend": False,
    }


def _by_kind(
    dots: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    kinds: Sequence[str],
    hover: Sequence[str],
) -> list[Trace]:
    """A trace a kind, so that each has its line in the legend."""
    traces = []
    for kind, (symbol, colour, name) in LOOKS.items():
        rows = [row for row, own in enumerate(kinds) if own == kind]
        if not rows:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": dots[rows],
                "y": np.array(rows, dtype=np.float32),
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": np.maximum(0, high[rows] - dots[rows]),
                    "arrayminus": np.maximum(0, dots[rows] - low[rows]),
                    "thickness": 1.4,
                    "width": 3,
                    "color": BAYES,
                },
                "marker": {"symbol": symbol, "color": colour, "size": 10, "line": {"color": colour, "width": 2}},
                "customdata": [[row] for row in rows],
                "text": [hover[row] for row in rows],
                "hovertemplate": "%{text}<extra></extra>",
                **STILL,
            }
        )
    return traces


def agreement_figure(shares: ArrayLike, names: Sequence[str], height: int) -> go.Figure:
    """The share of questions that two templates answer alike, a cell a pair, in the order of the dots.

    Args:
        shares: (S, S) between 0 and 1.
        names: (S,) templates.
        height: in pixels.
    """
    cells, count = single(shares), len(names)
    text = [
        [
            f"{wrap(one, 40, 2)}<br>{wrap(other, 40, 2)}<br><b>{cells[i, j]:.0%}</b> alike"
            for j, other in enumerate(names)
        ]
        for i, one in enumerate(names)
    ]
    heat: Trace = {
        "type": "heatmap",
        "z": cells,
        "zmin": 0,
        "zmax": 1,
        "colorscale": SEQUENTIAL,
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 10, "len": 0.9, "tickformat": ".0%", "outlinewidth": 0},
    }
    axis = {**FIXED, "showgrid": False, "showticklabels": False, "ticks": "", "range": [-0.5, count - 0.5]}
    return figure(
        [heat],
        height,
        margin={"l": 8, "r": 8, "t": 24, "b": 36},
        xaxis={**axis, "title": {"text": "most accurate first, as on the left", "standoff": 4}},
        yaxis={**axis, "range": [count - 0.5, -0.5]},
    )


def items_figure(
    gold_a: ArrayLike,
    gold_b: ArrayLike,
    differ: Sequence[bool],
    inputs: Sequence[str],
    answers: Sequence[tuple[str, str, str]],
    selected: int | None,
    height: int,
) -> go.Figure:
    """p(right answer) under A and under B, a dot a question; a click carries [question].

    Above the diagonal B gives the right answer more. Where the two answers differ a dot is filled, blue where the
    right answer gained and orange where it lost.

    Args:
        gold_a, gold_b: (N,) probabilities over the candidates.
        differ: (N,) whether the two answers differ.
        inputs: (N,); answers: (N,) gold, A's and B's.
        selected: the question shown beside, circled.
        height: in pixels.
    """
    a, b = single(gold_a), single(gold_b)
    hover = [
        f"<b>{i + 1}</b> {wrap(x)}<br>right {wrap(y)}<br>A {wrap(one)}, p(right) {p:.3f}<br>B {wrap(other)}, "
        f"p(right) {q:.3f}"
        for i, (x, (y, one, other), p, q) in enumerate(zip(inputs, answers, a, b, strict=True))
    ]
    colours = [MORE if q > p else LESS if q < p else BAYES for p, q in zip(a, b, strict=True)]
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": a,
            "y": b,
            "customdata": [[i] for i in range(len(a))],
            "text": hover,
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "size": 10,
                "symbol": ["circle" if apart else "circle-open" for apart in differ],
                "color": colours,
                "line": {"width": 1.5, "color": colours},
            },
            **STILL,
        }
    ]
    if selected is not None and 0 <= selected < len(a):
        ring = {"size": 18, "symbol": "circle-open", "color": MARK, "line": {"width": 2.5, "color": MARK}}
        at = {"x": a[[selected]], "y": b[[selected]]}
        traces.append({"type": "scatter", "mode": "markers", **at, "hoverinfo": "skip", "marker": ring, **STILL})
    axis = {**FIXED, "range": [-0.04, 1.04], "tickvals": [0, 0.25, 0.5, 0.75, 1], "gridcolor": FAINT}
    return figure(
        traces,
        height,
        hovermode="closest",
        shapes=[{"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": {"color": FAINT, "width": 2}}],
        margin={"l": 8, "r": 12, "t": 6, "b": 36},
        xaxis={**axis, "title": {"text": "p(right) under A", "standoff": 4}},
        yaxis={**axis, "title": {"text": "p(right) under B", "standoff": 4}},
    )
