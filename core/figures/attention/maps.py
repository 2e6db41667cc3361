"""Attention between parts of a prompt, and token by token: rows attend to columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import (
    LETTERS,
    WIDE,
    Trace,
    cell_text,
    cells_axis,
    click_targets,
    figure,
    outline,
    shorten,
    single,
)
from core.figures.colours import FAINT, INK, SEQUENTIAL

STRIP = 28  # pixels for the numbers of demonstrations above a token map
MOST_LINES = 48  # boundaries between demonstrations that are drawn; more would hide the map
MOST_TARGETS = 96  # markers that take clicks on the strip
MANY = 2_000  # cells with weight; from here on the largest few of them are drawn alike
SHADES = [[0.0, "rgba(128,134,148,0.10)"], [1.0, "rgba(128,134,148,0.38)"]]


# The opacity of SEQUENTIAL at the root of the value: a token spreads its attention over many others, so that on an even
# scale most of a row would be lost.
ROOTED = [[step / 16, f"rgba(109,91,208,{0.8 * (step / 16) ** 0.5:.3f})"] for step in range(17)]


def between_figure(
    weights: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    row_numbers: Sequence[int | None],
    column_numbers: Sequence[int | None],
    row_sizes: Sequence[int],
    column_sizes: Sequence[int],
    marked: int | None = None,
    height: int = 300,
) -> go.Figure:
    """Which part of the prompt attends to which: a cell is the share of a row's attention that falls on a column.

    Args:
        weights: (R, C).
        rows, columns: names of the parts.
        row_numbers, column_numbers: number of the demonstration that a part belongs to, or None.
        row_sizes, column_sizes: tokens in each part.
        marked: number of the demonstration to frame.
        height: in pixels.
    """
    cells = single(weights)
    down, across = cells.shape
    names = [_counted(name, size) for name, size in zip(columns, column_sizes, strict=True)]
    sources = [_counted(name, size) for name, size in zip(rows, row_sizes, strict=True)]
    trace = heat(cells, "%{text}<br><b>%{z:.4f}</b> of its attention<extra></extra>")
    trace["text"] = [[f"from {source}<br>to {name}" for name in names] for source in sources]
    traces = [trace]
    if across <= 14 and down <= 15:  # where there is room for them
        traces.append(cell_text(cells))
    if down * across <= 4_000:
        traces.append(click_targets(across, down, list(column_numbers)))
    shapes = [
        *(outline(c - 0.5, c + 0.5, -0.5, down - 0.5) for c in _runs(column_numbers, marked)),
        *(outline(-0.5, across - 0.5, r - 0.5, r + 0.5) for r in _runs(row_numbers, marked)),
    ]
    room = height // down
    return figure(
        traces,
        height,
        shapes=shapes,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=axis(across, [_short(name) for name in columns], shown=across <= 40, angle=None),
        yaxis=axis(down, [_short(name) for name in rows], shown=room >= LETTERS, reverse=True),
    )


def _short(name: str) -> str:
    return f"<b>{name}</b>" if name.isdigit() else shorten(name, 15)


def _counted(name: str, size: int) -> str:
    what = f"demonstration {name}" if name[:1].isdigit() else name
    return f"{shorten(what, 40)} ({size:,} token{'s' if size != 1 else ''})"


def _runs(numbers: Sequence[int | None], marked: int | None) -> list[int]:
    return [place for place, number in enumerate(numbers) if number is not None and number == marked]


def stretch_figure(
    weights: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    row_numbers: Sequence[int | None],
    column_numbers: Sequence[int | None],
    title: str,
    marked: int | None = None,
    height: int = 600,
) -> go.Figure:
    """Attention token by token, or block by block: above it a strip with the demonstrations that columns stand in.

    Args:
        weights: (R, C).
        rows, columns: name of every token or block, each of them once, as its place in the prompt makes it.
        row_numbers, column_numbers: number of the demonstration that each stands in, or None.
        title: what is shown, below the map.
        marked: number of the demonstration to frame.
        height: in pixels.
    """
    cells = single(weights)
    down, across = cells.shape
    trace = heat(cells, "from %{y}<br>to %{x}<br><b>weight %{z:.4f}</b><extra></extra>") | {"colorscale": ROOTED}
    trace |= _saturated(cells, trace)
    strip, labels = _strip(column_numbers)
    shapes = [*_borders(column_numbers, down, vertical=True), *_borders(row_numbers, across, vertical=False)]
    if framed := _runs(column_numbers, marked):
        shapes.append(outline(framed[0] - 0.5, framed[-1] + 0.5, -0.5, down - 0.5))
    if framed := _runs(row_numbers, marked):
        shapes.append(outline(-0.5, across - 0.5, framed[0] - 0.5, framed[-1] + 0.5))
    top = 1 - STRIP / height
    targets = _strip_targets(column_numbers, columns)
    return figure(
        [trace, strip, targets],
        height,
        shapes=shapes,
        annotations=labels,
        dragmode="zoom",
        # Margins that hold everything from the start: plotly draws a map anew when it finds that it must make room.
        margin={"l": room_for(rows), "r": 64, "t": 8, "b": 40 + room_for(columns)},
        xaxis=names_axis(columns, angle=-90, title=title, anchor="y"),
        yaxis=names_axis(rows, reverse=True, domain=[0, top]),
        yaxis2={"domain": [1 - (1 - top) * 0.85, 1], "range": [-0.5, 0.5], "visible": False, "fixedrange": True},
    )


def _saturated(cells: NDArray[np.float32], trace: Trace) -> Trace:
    """A scale that ends at the weight which one cell in 200 exceeds: the first rows, which have nowhere else to look,
    would take all the colour of a long prompt."""
    weights = cells[cells > 1e-6]
    if weights.size < MANY:
        return {}
    top = float(np.quantile(weights, 0.995))
    ticks = np.linspace(0, top, 5)
    names = [f"{tick:.2g}" for tick in ticks[:-1]] + [f"≥ {top:.2g}"]
    return {"zmax": top, "colorbar": trace["colorbar"] | {"tickvals": ticks, "ticktext": names}}


def _strip(numbers: Sequence[int | None]) -> tuple[Trace, list[dict[str, Any]]]:
    """A row of cells shaded in turn by demonstration, and each one's number where there is room for it."""
    runs: list[tuple[int, int, int]] = []  # number, from, to
    for place, number in enumerate(numbers):
        if number is None:
            continue
        if runs and runs[-1][0] == number and runs[-1][2] == place:
            runs[-1] = (number, runs[-1][1], place + 1)
        else:
            runs.append((number, place, place + 1))
    shade = np.full((1, len(numbers)), np.nan, dtype=np.float32)
    labels = []
    for turn, (number, a, b) in enumerate(runs):
        shade[0, a:b] = turn % 2
        if (b - a) / len(numbers) > 0.012:
            labels.append(
                {
                    "text": f"<b>{number}</b>",
                    "x": (a + b - 1) / 2,
                    "y": 0,
                    "yref": "y2",
                    "showarrow": False,
                    "font": {"size": 11, "color": INK},
                }
            )
    cells = {"type": "heatmap", "z": shade, "zmin": 0, "zmax": 1, "colorscale": SHADES, "showscale": False}
    return cells | {"hoverinfo": "skip", "yaxis": "y2"}, labels


def _strip_targets(numbers: Sequence[int | None], names: Sequence[str]) -> Trace:
    """Invisible markers over the strip, some pixels apart: every one costs the browser time, and the nearest is hit."""
    places = list(range(0, len(numbers), -(-len(numbers) // MOST_TARGETS)))
    data = [[numbers[place], place, 0] for place in places]
    targets = click_targets(len(places), 1, [None] * len(places))
    return targets | {"x": [names[place] for place in places], "customdata": data, "yaxis": "y2"}


def _borders(numbers: Sequence[int | None], reach: int, vertical: bool) -> list[dict[str, Any]]:
    """Lines where one demonstration ends and another begins."""
    places = [i - 0.5 for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1]]
    if len(places) > MOST_LINES:
        return []
    along, across = ("x", "y") if vertical else ("y", "x")
    ends = {f"{across}0": -0.5, f"{across}1": reach - 0.5}
    line = {"color": FAINT, "width": 1}
    return [{"type": "line", f"{along}0": at, f"{along}1": at, **ends, "line": line} for at in places]


def heat(cells: NDArray[np.float32], hover: str, scale: bool = True) -> Trace:
    """Cells from nothing to the largest of them; those that are no number stay blank."""
    return {
        "type": "heatmap",
        "z": cells,
        "colorscale": SEQUENTIAL,
        "zmin": 0.0,
        "zmax": float(cells[np.isfinite(cells)].max(initial=0.0)) or 1.0,
        "xgap": 1 if cells.shape[1] <= 64 else 0,
        "ygap": 1 if cells.shape[0] <= 32 else 0,
        "hovertemplate": hover,
        "showscale": scale,
        "colorbar": {"thickness": 8, "len": 0.9, "outlinewidth": 0, "nticks": 4, "tickfont": {"size": 10}},
    }


def axis(
    size: int,
    names: Sequence[str],
    *,
    shown: bool,
    reverse: bool = False,
    free: bool = False,
    angle: int | None = 0,
    title: str = "",
    **more: Any,
) -> dict[str, Any]:
    """An axis of cells. Names are there for hover boxes also where they are not `shown`."""
    own = {
        "tickvals": np.arange(size, dtype=np.float32),
        "ticktext": list(names),
        "showticklabels": shown,
        "fixedrange": not free,
        "ticks": "",
        "automargin": shown,
        **({} if angle is None else {"tickangle": angle}),
    }
    return cells_axis(size, title, reverse=reverse, standoff=4, **(own | more))


def names_axis(
    names: Sequence[str], *, reverse: bool = False, angle: int = 0, title: str = "", **more: Any
) -> dict[str, Any]:
    """An axis of named cells that can be enlarged: plotly writes as many names as do not run into each other, all of
    them once a corner is large enough, and a hover box has each.

    A category axis, since ticks at given places are all written, however near. Shapes and notes on it are placed by
    number, marks by name.
    """
    own = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(names),
        "showticklabels": True,
        "fixedrange": False,
        "ticks": "",
        "automargin": True,
        "tickangle": angle,
    }
    return cells_axis(len(names), title, reverse=reverse, standoff=10, **(own | more))


def room_for(names: Sequence[str]) -> int:
    """Pixels that the longest of some names takes beside an axis."""
    return 10 + round(WIDE * max((len(name) for name in names), default=0))
