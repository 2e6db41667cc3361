"""Attention from the answer position: by head, by demonstration, and token by token for one head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.attention.maps import ROOTED, axis, names_axis, room_for
from core.figures.base import (
    LETTERS,
    WIDE,
    FigureFunction,
    Spec,
    Trace,
    cell_text,
    cells_axis,
    click_targets,
    figure,
    outline,
    shorten,
    single,
    sparse,
    spec,
    wrap,
)
from core.figures.colours import FAINT, SEQUENTIAL

LARGEST = 512  # rows or columns of a heatmap that a browser draws without strain
NARROW = 250  # pixels that the columns of a chart on the Playground have at least, on a narrow screen
LEAST = 4  # pixels of a row that can be seen and pointed at
ROOT_FROM = 64  # tokens
LARGE = 400  # pixels of a map that has room for names beside it
MOST_LINES = 16  # lines between layers that leave their rows visible


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
        xaxis=_thin(heads, [str(h) for h in range(heads)], NARROW, title="head"),
        yaxis=_thin(layers, [str(layer) for layer in range(layers)], height - 44, title="layer", reverse=True),
    )


def rows_at_most(height: int = 240) -> int:
    """How many rows a chart by parts of so many pixels has room for; more are too thin to be seen."""
    return (height - 32) // LEAST


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

    For models of few heads; `rows_figure` shows the others a layer or a choice of heads at a time.

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
    names = [f"layer.head {layer}.{head}" for layer in range(layers) for head in range(heads)]
    drawn = _parts(cube.reshape(layers * heads, columns), names, spans, numbers, texts, marked)
    step = max(1, layers // 12)
    ticks = [f"L{layer}" if layer % step == 0 else "" for layer in range(layers)]
    drawn["shapes"][:0] = _between_layers(layers, heads, columns)
    rows = _axis(layers * heads, [], reverse=True)
    middles = np.arange(layers, dtype=np.float32) * heads + (heads - 1) / 2
    return spec(height=height, **drawn, yaxis={**rows, "tickvals": middles, "ticktext": ticks})


@FigureFunction
def rows_figure(
    weights: ArrayLike,
    names: Sequence[str],
    spans: Sequence[str],
    numbers: Sequence[int | None],
    texts: Sequence[str],
    marked: int | None = None,
    height: int = 210,
) -> Spec:
    """Summed attention from the last token, a named row a head or a mean of some.

    Args:
        weights: (R, S).
        names: (R,) of the rows, short; those that would run into each other are left out of the axis.
        spans, numbers, texts, marked: as in `demonstration_figure`.
        height: in pixels.
    """
    drawn = _parts(single(weights), names, spans, numbers, texts, marked)
    return spec(height=height, **drawn, yaxis=_thin(len(names), names, height - 32, reverse=True))


def _parts(
    weights: ArrayLike,
    names: Sequence[str],
    spans: Sequence[str],
    numbers: Sequence[int | None],
    texts: Sequence[str],
    marked: int | None,
) -> dict[str, Any]:
    """Rows of attention by part: cells, clicks, the frame of the marked demonstration, and the columns' names."""
    cells = single(weights)
    rows, columns = cells.shape
    trace = _heatmap(cells, "%{text}<br>%{customdata}<br>%{z:.4f} of its attention<extra></extra>")
    trace["text"] = [[wrap(text) for text in texts]] * rows
    trace["customdata"] = [[name] * columns for name in names]
    traces = [trace]
    if rows * columns <= 4_000:
        traces.append(click_targets(columns, rows, list(numbers)))
    framed = [c for c, number in enumerate(numbers) if number is not None and number == marked]
    return {
        "traces": traces,
        "shapes": [outline(c - 0.5, c + 0.5, -0.5, rows - 0.5) for c in framed],
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": _axis(columns, _columns(spans, numbers)),
    }


def _columns(spans: Sequence[str], numbers: Sequence[int | None]) -> list[str]:
    """Names below the columns: numbers of demonstrations, as many as there is room for, and words, each a line lower
    than its left neighbour where columns are narrower than they are."""
    each = NARROW / len(spans)
    step = sparse(len(spans), NARROW, 5 + WIDE * len(str(len(spans))))
    names: list[str] = []
    lines = 0  # that the last name was moved down by
    for place, (name, number) in enumerate(zip(spans, numbers, strict=True)):
        word = shorten(name, 6)
        lines = lines + 1 if number is None and WIDE * len(word) > each else 0
        if number is None:
            names.append("<br>" * lines + word)
        else:
            names.append(f"<b>{number}</b>" if place % step == 0 else "")
    return names


def _thin(size: int, names: Sequence[str], pixels: float, title: str = "", reverse: bool = False) -> dict[str, Any]:
    """An axis of which every so many-th name is written, as there is room for."""
    longest = max((len(name) for name in names), default=0)
    step = sparse(size, pixels) if reverse else sparse(size, pixels, 5 + WIDE * longest)
    return _axis(size, [name if i % step == 0 else "" for i, name in enumerate(names)], title, reverse)


def _between_layers(layers: int, heads: int, columns: int) -> list[dict[str, Any]]:
    """Lines that part the rows of one layer from those of the next."""
    if layers > MOST_LINES:
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
    names = [f"{first + place} {shorten(token.strip() or token, 10)}" for place, token in enumerate(tokens[first:])]
    size = len(names)
    trace = _heatmap(cells, "from %{y} to %{x}: %{z:.4f}<extra></extra>")
    if size > ROOT_FROM:  # a token's attention on so many is lost on an even scale
        trace["colorscale"] = ROOTED
    words = f"layer {head[0]}, head {head[1]}: a row attends to columns"
    small = size * LETTERS > height and height < LARGE  # names would take the room of what they name; hover has them
    inside = [i for i, owner in enumerate(owners[first:]) if marked is not None and owner == marked]
    shapes = [outline(inside[0] - 0.5, inside[-1] + 0.5, -0.5, size - 0.5)] if inside else []
    if small:
        across = axis(size, names, shown=False, title=words, free=True, angle=-90)
        down = axis(size, names, shown=False, reverse=True, free=True)
        margin = {"l": 8, "r": 8, "t": 8, "b": 8}
    else:
        across, down = names_axis(names, angle=-90, title=words), names_axis(names, reverse=True)
        margin = {"l": room_for(names), "r": 8, "t": 8, "b": 40 + room_for(names)}
    return figure([trace], height, shapes=shapes, dragmode="zoom", margin=margin, xaxis=across, yaxis=down)


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
    return cells_axis(
        size,
        title,
        reverse=reverse,
        standoff=4,
        tickvals=np.arange(size) if shown else [],
        ticktext=list(names) if shown else [],
        fixedrange=not free,
        automargin=True,
        tickangle=angle,
    )
