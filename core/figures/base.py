"""What every figure shares: safe text, short labels, a quiet layout, and the marks for a demonstration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import update_wrapper
from itertools import count
from typing import Any, Generic, ParamSpec

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.colours import INK, MARK
from core.runtime.numbers import cell

LETTERS = 11  # pixels that one line of small letters needs
WIDE = 6.5  # pixels that one of them takes on average
Trace = dict[str, Any]
Spec = dict[str, Any]  # {"data": traces, "layout": …}: what plotly's JSON holds, arrays still arrays
P = ParamSpec("P")


class FigureFunction(Generic[P]):
    """A function from numbers to a figure: called, it gives plotly's; `.spec` gives the same as plain dicts.

    A plotly figure copies and wraps what it is made of, which takes longer than all the rest; a page that redraws with
    every key stroke goes without.
    """

    def __init__(self, spec: Callable[P, Spec]) -> None:
        self.spec = spec
        update_wrapper(self, spec)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> go.Figure:
        spec = self.spec(*args, **kwargs)
        return go.Figure(spec["data"], spec["layout"], _validate=False)


def escape(text: str) -> str:
    """Text that plotly draws letter by letter: &, < and > as entities, line breaks as ⏎, `%{` taken apart."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("\r\n", "⏎").replace("\n", "⏎").replace("\t", "⇥").replace("%{", "%\u200b{")


def shorten(text: str, width: int = 14) -> str:
    """At most `width` characters, cut with an ellipsis, then escaped."""
    return escape(text if len(text) <= width else text[: max(width - 1, 1)].rstrip() + "…")


def distinct(names: Sequence[str], width: int = 14) -> list[str]:
    """`shorten` of names that stand side by side: two that differ still do when they are cut.

    Where they begin alike, their ends are kept ("Departm…cation"); where these are alike too, a number is put behind.
    """
    found = {name: shorten(name, width) for name in names}
    for tail in range(1, width - 1):
        alike = _alike(found)
        if not alike:
            break
        for name in alike:
            if len(name) > width:
                found[name] = escape(f"{name[: width - 1 - tail].rstrip()}…{name[-tail:].lstrip()}")
    alike = _alike(found)
    taken = set(found.values()).difference(found[name] for name in alike)
    for name in alike:
        found[name] = next(numbered for numbered in _numbered(name, width) if numbered not in taken)
        taken.add(found[name])
    return [found[name] for name in names]


def _numbered(name: str, width: int) -> Iterator[str]:
    """A cut name with 1, 2, … behind it."""
    for number in count(1):
        yield f"{shorten(name, max(width - 1 - len(str(number)), 1))} {number}"


def _alike(found: Mapping[str, str]) -> list[str]:
    """The names that are not the only ones to be drawn as they are."""
    counts = Counter(found.values())
    return [name for name, drawn in found.items() if counts[drawn] > 1]


def wrap(text: str, width: int = 60, most: int = 8) -> str:
    """Escaped text for a hover box: lines of `width` characters, at most `most` of them."""
    lines = [text[i : i + width] for i in range(0, min(len(text), width * most), width)] or [""]
    ending = "…" if len(text) > width * most else ""
    return "<br>".join(escape(line) for line in lines) + ending


def single(values: ArrayLike) -> NDArray[np.float32]:
    """float32: a third of the bytes of a list of numbers, and all the digits that a screen can show."""
    return np.ascontiguousarray(np.asarray(values, dtype=np.float32))


def sparse(count: int, pixels: float, each: float = LETTERS + 2) -> int:
    """Every how many of `count` names is written along so many pixels, so that none runs into the next.

    Args:
        each: pixels that a name takes along the axis, with a gap.
    """
    return max(1, int(np.ceil(count * each / max(pixels, 1.0))))


def spec(traces: Sequence[Trace], height: int, **layout: Any) -> Spec:
    """Traces and a layout with our margins."""
    settings: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        "bargap": 0.28,
    }
    settings.update(layout)
    return {"data": list(traces), "layout": settings}


def figure(traces: Sequence[Trace], height: int, **layout: Any) -> go.Figure:
    """A figure with our margins and without plotly's own checks, which cost four times the rest (tests run them)."""
    made = spec(traces, height, **layout)
    return go.Figure(made["data"], made["layout"], _validate=False)


def outline(x0: float, x1: float, y0: float, y1: float) -> dict[str, Any]:
    """A frame in the colour of the mark, in axis units."""
    return {
        "type": "rect",
        "x0": x0,
        "x1": x1,
        "y0": y0,
        "y1": y1,
        "line": {"color": MARK, "width": 2.5},
        "layer": "above",
    }


def click_targets(columns: int, rows: int, numbers: Sequence[int | None], colour: str = MARK) -> Trace:
    """Invisible markers over a heatmap's cells: a heatmap gives no clicks, a scatter does.

    `customdata` of every marker is [number of its column's demonstration or None, column, row].
    """
    xs = np.tile(np.arange(columns, dtype=np.float32), rows)
    ys = np.repeat(np.arange(rows, dtype=np.float32), columns)
    data = [[numbers[c], c, r] for r in range(rows) for c in range(columns)]
    return {
        "type": "scatter",
        "x": xs,
        "y": ys,
        "mode": "markers",
        "customdata": data,
        "hoverinfo": "none",
        "marker": {"opacity": 0, "size": 18, "symbol": "square", "color": colour},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "showlegend": False,
    }


def cell_text(cells: NDArray[np.float32]) -> Trace:
    """Values as letters of the page's colour, readable on both themes (a heatmap's own text assumes white)."""
    rows, columns = cells.shape
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "showlegend": False,
        "x": np.tile(np.arange(columns, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), columns),
        "text": ["" if abs(v) < 0.005 else cell(v) for v in cells.ravel()],
        "textfont": {"size": 12, "color": INK},
    }


NOTE_LINE = 14  # pixels of a line of a panel's note


def room_for_titles(lines: int = 1) -> int:
    """Pixels above panels whose titles have notes of at most so many lines."""
    return 40 + NOTE_LINE * (lines - 1)


def panel_title(text: str, left: float, note: str = "", lines: int = 1) -> dict[str, Any]:
    """Bold words, and a quieter note below, over a panel whose left edge is at `left` of the figure's width.

    Args:
        lines: that the note has at most; with more than one it is broken behind its commas, and empty ones follow, so
            that titles beside each other stand level (`room_for_titles`).
    """
    parts = note.split(", ") if lines > 1 else [note]
    parts = [*parts[: lines - 1], ", ".join(parts[lines - 1 :])]
    written = "<br>".join(escape(part) for part in [*parts, *[" "] * (lines - len(parts))])
    return {
        "text": f"<b>{text}</b><br><span style='font-size:11px'>{written}</span>",
        "align": "left",
        "x": left,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "yshift": 20 + NOTE_LINE / 2 * (lines - 1),
        "xanchor": "left",
        "yanchor": "middle",
        "showarrow": False,
    }


def rows_axis(names: Sequence[str], size: int = 12) -> dict[str, Any]:
    """A vertical axis with a name a row, the first on top."""
    ends = {"range": [len(names) - 0.5, -0.5], "tickvals": np.arange(len(names)), "ticktext": list(names)}
    fixed = {"fixedrange": True, "zeroline": False, "automargin": True, "showgrid": False}
    return {**fixed, **ends, "tickfont": {"size": size}}


def cells_axis(size: int, title: str, *, reverse: bool, standoff: int, **more: Any) -> dict[str, Any]:
    """An axis along `size` cells, numbered from 0 and centred on their numbers; `reverse` puts the first on top."""
    return {
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": LETTERS},
        "range": [size - 0.5, -0.5] if reverse else [-0.5, size - 0.5],
        "title": {"text": title, "font": {"size": 12}, "standoff": standoff},
        **more,
    }
