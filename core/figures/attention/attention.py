"""Attention from the answer position: by head, by demonstration, and token by token for one head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.attention.maps import axis
from core.figures.base import (
    FigureFunction,
    Spec,
    Trace,
    cell_text,
    click_targets,
    figure,
    outline,
    shorten,
    single,
    spec,
    wrap,
)
from core.figures.colours import FAINT, SEQUENTIAL

LARGEST = 512  # rows or columns of a heatmap that a browser draws without strain


@FigureFunction
def head_figure(weights: ArrayLike, what: str, height: int = 240) -> Spec:
    """Summed attention from the last token to one span, a cell a head.

    Args:
        weights: (layers, heads).
        what: the span, for the hover text.
        height: in pixels.
    """
    cells = single(weights)
    layers, heads = cells.shape
    label = wrap(what)
    traces: list[Trace] = [
        _heatmap(cells, f"layer %{{y}}, head %{{x}}<br>%{{z:.4f}} of its attention on {label}<extra></extra>"),
        click_targets(heads, layers, [None] * heads),
    ]
    if cells.size <= 64:
        traces.append(cell_text(cells))
    return spec(
        traces,
        height,
        margin={"l": 8, "r": 8, "t": 8, "b": 36},
        xaxis=_axis(heads, [str(h) for h in range(heads)], title="head"),
        yaxis=_axis(layers, [str(layer) for layer in range(layers)], title="layer", reverse=True),
    )


@FigureFunction
def demonstration_figure(
    pooled: ArrayLike,
    spans: Sequence[str],
    numbers: Sequence[int | None],
    texts: Sequence[str],
    marked: int | None = None,
    height: int = 240,
) -> Spec:
    """Summed attention from the last token, a row a (layer, head), a column a span of the prompt.

    Args:
        pooled: (layers, heads, S).
        spans: (S,) names: "instruction", "1" … "n", "query".
        numbers: (S,) number of the demonstration, None for other spans.
        texts: (S,) what stands in the span, for the hover text.
        marked: number of the demonstration to frame.
        height: in pixels.
    """
    cube = np.asarray(pooled, dtype=float)
    layers, heads, columns = cube.shape
    cells = single(cube.reshape(layers * heads, columns))
    rows = len(cells)
    ticks = [
        shorten(name, 6) if number is None else f"<b>{number}</b>" for name, number in zip(spans, numbers, strict=True)
    ]
    hover = [wrap(text) for text in texts]
    trace = _heatmap(cells, "%{text}<br>layer.head %{customdata}<br>%{z:.4f} of its attention<extra></extra>")
    trace["text"] = [hover] * rows
    trace["customdata"] = [[f"{r // heads}.{r % heads}"] * columns for r in range(rows)]
    traces = [trace]
    if rows * columns <= 4_000:
        traces.append(click_targets(columns, rows, list(numbers)))
    framed = [c for c, number in enumerate(numbers) if number is not None and number == marked]
    shapes = [outline(c - 0.5, c + 0.5, -0.5, rows - 0.5) for c in framed]
    step = max(1, layers // 12)
    names = [f"L{layer}" if layer % step == 0 else "" for layer in range(layers)]
    return spec(
        traces,
        height,
        shapes=[*_between_layers(layers, heads, columns), *shapes],
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=_axis(columns, ticks),
        yaxis={
            **_axis(rows, [], reverse=True),
            "tickvals": np.arange(layers, dtype=np.float32) * heads + (heads - 1) / 2,
            "ticktext": names,
        },
    )


def _between_layers(layers: int, heads: int, columns: int) -> list[dict[str, Any]]:
    """Lines that part the rows of one layer from those of the next."""
    if layers > 48:
        return []
    line = {"color": FAINT, "width": 1}
    return [
        {"type": "line", "x0": -0.5, "x1": columns - 0.5, "y0": y, "y1": y, "line": line}
        for y in (layer * heads - 0.5 for layer in range(1, layers))
    ]


def token_figure(
    weights: ArrayLike,
    tokens: Sequence[str],
    owners: Sequence[int | None],
    head: tuple[int, int],
    marked: int | None = None,
    height: int = 560,
) -> go.Figure:
    """Attention of one head from every token (rows) to every token before it (columns).

    Above 512 tokens, the last 512 are drawn.

    Args:
        weights: (t, t), rows are "from".
        tokens: (t,) text.
        owners: (t,) number of the demonstration that a token stands in, or None.
        head: (layer, head).
        marked: number of the demonstration to frame.
        height: in pixels.
    """
    first = max(0, len(tokens) - LARGEST)
    cells = single(np.asarray(weights)[first:, first:])
    names = [f"{first + place} {shorten(token, 10)}" for place, token in enumerate(tokens[first:])]
    size = len(names)
    trace = _heatmap(cells, "from %{y} to %{x}: %{z:.4f}<extra></extra>")
    room = size * 11 <= height  # names are drawn where they do not run into each other, and hover has them always
    inside = [i for i, owner in enumerate(owners[first:]) if marked is not None and owner == marked]
    shapes = [outline(inside[0] - 0.5, inside[-1] + 0.5, -0.5, size - 0.5)] if inside else []
    return figure(
        [trace],
        height,
        shapes=shapes,
        dragmode="zoom",
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=axis(
            size,
            names,
            shown=room,
            title=f"layer {head[0]}, head {head[1]}: a row attends to columns",
            free=True,
            angle=-90,
        ),
        yaxis=axis(size, names, shown=room, reverse=True, free=True),
    )


def _heatmap(cells: np.ndarray, hover: str) -> Trace:
    return {
        "type": "heatmap",
        "z": cells,
        "colorscale": SEQUENTIAL,
        "zmin": 0.0,
        "zmax": float(cells.max(initial=0.0)) or 1.0,
        "xgap": 1 if cells.shape[1] <= 64 else 0,
        "ygap": 1 if cells.shape[0] <= 32 else 0,
        "hovertemplate": hover,
        "colorbar": {"thickness": 8, "len": 0.9, "outlinewidth": 0, "nticks": 4, "tickfont": {"size": 10}},
    }


def _axis(
    size: int, names: Sequence[str], title: str = "", reverse: bool = False, free: bool = False, angle: int = 0
) -> dict[str, Any]:
    shown = any(names)
    return {
        "tickvals": np.arange(size) if shown else [],
        "ticktext": list(names) if shown else [],
        "fixedrange": not free,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "tickangle": angle,
        "tickfont": {"size": 11},
        "range": [size - 0.5, -0.5] if reverse else [-0.5, size - 0.5],
        "title": {"text": title, "font": {"size": 12}, "standoff": 4},
    }
