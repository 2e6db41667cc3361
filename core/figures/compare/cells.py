"""Cells of A, of B and of B − A: weights over demonstrations, attention over heads.

Less is orange and more is blue, with nothing at zero; what a side lacks is left blank or marked "–".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, click_targets, distinct, figure, outline, shorten, single, wrap
from core.figures.colours import BAYES, CHANGE, DIVERGING, FAINT, INK, SEQUENTIAL
from core.runtime.numbers import cell, signed_cell

NEGLIGIBLE = 0.005  # drawn as .00
LEAST = 0.05  # the end of a scale at least: noise must not shine
FIXED = {"fixedrange": True, "showgrid": False, "automargin": True, "zeroline": False}


@dataclass(frozen=True)
class Column:
    """A demonstration, or another span of the prompt.

    Attributes:
        number_a, number_b: its number on each side, or None.
        text_a, text_b: its label on each side (or the whole text of another span), "" where that side lacks it.
        input: x, or the name of the span.
        name: for a span that is no demonstration.
    """

    number_a: int | None
    number_b: int | None
    text_a: str
    text_b: str
    input: str
    name: str = ""

    @property
    def tick(self) -> str:
        """Number where both sides agree; A's → B's where they do not; the side's name where one has it."""
        if self.name:
            return shorten(self.name, 8)
        if self.number_a == self.number_b:
            return f"<b>{self.number_b}</b>"
        if self.number_a is None:
            return f"<b>B {self.number_b}</b>"
        return f"<b>A {self.number_a}</b>" if self.number_b is None else f"<b>{self.number_a}→{self.number_b}</b>"

    @property
    def label(self) -> str:
        """Its label in B, or in A where B lacks it; there is no room for both."""
        return self.text_a if self.number_b is None else self.text_b

    @property
    def hover(self) -> str:
        """Number and text, of both sides where they differ."""
        if self.name:
            sides = [text for text in (self.text_a, self.text_b) if text]
            return "<br>".join(wrap(text) for text in dict.fromkeys(sides))
        where = {"A": self.number_a, "B": self.number_b}
        places = ", ".join(f"number {number} in {side}" for side, number in where.items() if number is not None)
        labels = " / ".join(wrap(text) for text in dict.fromkeys(t for t in (self.text_a, self.text_b) if t))
        return f"{wrap(self.input)}<br>→ {labels}<br>{places}"


def weights_difference_figure(
    names: Sequence[str],
    a: ArrayLike,
    b: ArrayLike,
    columns: Sequence[Column],
    verdicts: Sequence[tuple[str | None, str | None]] = (),
    marked: int | None = None,
    height: int = 262,
) -> go.Figure:
    """Weights of the demonstrations as cells: for every name a row A, a row B and a row B − A.

    Args:
        names: (K,) kernels, or "mean of all heads".
        a, b: (K, M) weights, NaN where a side does not show that column.
        columns: (M,).
        verdicts: (K,) what stands at the end of the rows A and B.
        marked: the column to frame.
        height: in pixels.
    """
    one, other = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    stacked = np.stack([one, other, other - one], axis=1).reshape(3 * len(names), len(columns))
    change = np.arange(len(stacked)) % 3 == 2
    cells = single(stacked)
    rows, width = cells.shape
    traces = [
        _cells(np.where(change[:, None], np.float32(np.nan), cells), columns, names, False),
        _cells(np.where(change[:, None], cells, np.float32(np.nan)), columns, names, True),
    ]
    if width <= 16:
        traces.append(_texts(cells, change))
    traces.append(click_targets(width, rows, list(range(width))))
    ticks = [f"{name}  A" for name in distinct(names, 14)]
    return figure(
        traces,
        height,
        shapes=[*_lines(rows, width), *_frame(marked, rows)],
        annotations=_verdicts(verdicts),
        margin={"l": 8, "r": 84 if verdicts else 8, "t": 16, "b": 8},
        xaxis={
            **FIXED,
            "tickvals": np.arange(width),
            "ticktext": column_ticks(columns),
            "range": [-0.5, width - 0.5],
            "tickangle": 0,
        },
        yaxis={
            **FIXED,
            "tickvals": np.arange(rows),
            "ticktext": [text for tick in ticks for text in (tick, "B", "B − A")],
            "range": [rows - 0.5, -0.5],
        },
    )


def column_ticks(columns: Sequence[Column]) -> list[str]:
    """Number over label while there is room for labels, numbers alone after that."""
    room = {range(8): 10, range(8, 12): 6}
    width = next((most for span, most in room.items() if len(columns) in span), 0)
    return [
        f"{c.tick}<br>{label}" if width and not c.name else c.tick
        for c, label in zip(columns, distinct([c.label for c in columns], max(width, 2)), strict=True)
    ]


def _cells(cells: NDArray[np.float32], columns: Sequence[Column], names: Sequence[str], change: bool) -> Trace:
    """Weights on a scale from zero, or changes on a scale around zero; blank where there is no value."""
    reach = max(float(np.nanmax(np.abs(cells), initial=0.0)), LEAST)
    around = change or bool((cells < 0).any())
    side = ("A", "B", "B − A")
    hovers = [column.hover for column in columns]
    return {
        "type": "heatmap",
        "z": cells,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "colorscale": CHANGE if change else DIVERGING if around else SEQUENTIAL,
        "zmin": -reach if around else 0.0,
        "zmax": reach,
        "text": [hovers] * len(cells),
        "customdata": [[f"{shorten(names[r // 3], 20)}, {side[r % 3]}"] * len(columns) for r in range(len(cells))],
        "hoverongaps": False,
        "hovertemplate": "%{text}<br>%{customdata} %{z:" + ("+" if change else "") + ".4f}<extra></extra>",
    }


def _texts(cells: NDArray[np.float32], change: NDArray[np.bool_]) -> Trace:
    rows, columns = cells.shape
    words = [signed_cell(value) if change[row] else cell(value) for (row, _), value in np.ndenumerate(cells)]
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "showlegend": False,
        "x": np.tile(np.arange(columns, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), columns),
        "text": words,
        "textfont": {"size": 11, "color": INK},
        "unselected": {"textfont": {"color": INK}},  # a click on a cell is no reason to fade the numbers
    }


def _lines(rows: int, columns: int) -> list[dict[str, Any]]:
    """Lines that part one name from the next."""
    line = {"color": BAYES, "width": 1}
    return [
        {"type": "line", "x0": -0.5, "x1": columns - 0.5, "y0": y, "y1": y, "line": line}
        for y in np.arange(2.5, rows - 1, 3)
    ]


def _frame(marked: int | None, rows: int) -> list[dict[str, Any]]:
    return [] if marked is None else [outline(marked - 0.5, marked + 0.5, -0.5, rows - 0.5)]


def _verdicts(verdicts: Sequence[tuple[str | None, str | None]]) -> list[dict[str, Any]]:
    """ŷ at the end of the rows of A and of B."""
    common = {"x": 1, "xref": "paper", "xanchor": "left", "showarrow": False, "xshift": 6, "align": "left"}
    known = list(dict.fromkeys(word for words in verdicts for word in words if word is not None))
    short = dict(zip(known, distinct(known, 11), strict=True))
    notes = [
        {**common, "y": 3 * place + side, "yref": "y", "text": short[word], "hovertext": f"ŷ: {wrap(word)}"}
        for place, words in enumerate(verdicts)
        for side, word in enumerate(words)
        if word is not None
    ]
    head = {**common, "y": 1, "yref": "paper", "yshift": 9, "text": "ŷ"}
    return [head, *notes] if notes else []


def heads_difference_figure(
    a: ArrayLike, b: ArrayLike, columns: Sequence[Column], marked: int | None = None, height: int = 262
) -> go.Figure:
    """B − A of the attention of every head on every span, a row a (layer, head).

    Args:
        a, b: (layers, heads, S), NaN where a side lacks the span.
        columns: (S,).
        marked: the column to frame.
        height: in pixels.
    """
    one, other = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    layers, heads, width = one.shape
    before, after = one.reshape(layers * heads, width), other.reshape(layers * heads, width)
    trace = _changes(before, after, heads, columns)
    rows = len(before)
    traces = [trace]
    if rows * width <= 4_000:
        traces.append(click_targets(width, rows, list(range(width))))
    step = max(1, layers // 12)
    parting = [
        {"type": "line", "x0": -0.5, "x1": width - 0.5, "y0": y, "y1": y, "line": {"color": FAINT, "width": 1}}
        for y in (layer * heads - 0.5 for layer in range(1, layers) if layers <= 48)
    ]
    return figure(
        traces,
        height,
        shapes=[*parting, *_frame(marked, rows)],
        xaxis={
            **FIXED,
            "tickvals": np.arange(width),
            "ticktext": [column.tick for column in columns],
            "range": [-0.5, width - 0.5],
            "tickangle": 0,
        },
        yaxis={
            **FIXED,
            "tickvals": np.arange(layers, dtype=np.float32) * heads + (heads - 1) / 2,
            "ticktext": [f"L{layer}" if layer % step == 0 else "" for layer in range(layers)],
            "range": [rows - 0.5, -0.5],
        },
    )


def _changes(before: NDArray[np.float64], after: NDArray[np.float64], heads: int, columns: Sequence[Column]) -> Trace:
    """after − before as cells around zero, a row a head."""
    cells = single(after - before)
    rows, width = cells.shape
    reach = max(float(np.nanmax(np.abs(cells), initial=0.0)), LEAST)
    names = [f"{row // heads}.{row % heads}" for row in range(rows)]
    return {
        "type": "heatmap",
        "z": cells,
        "colorscale": CHANGE,
        "zmin": -reach,
        "zmax": reach,
        "xgap": 1 if width <= 64 else 0,
        "ygap": 1 if rows <= 32 else 0,
        "text": [[column.hover for column in columns]] * rows,
        "customdata": [
            [f"layer.head {name}<br>A {x:.4f}, B {y:.4f}" for x, y in zip(*pair, strict=True)]
            for name, pair in zip(names, zip(before, after, strict=True), strict=True)
        ],
        "hoverongaps": False,
        "hovertemplate": "%{text}<br>%{customdata}, B − A %{z:+.4f}<extra></extra>",
        "colorbar": {
            "thickness": 8,
            "len": 0.9,
            "outlinewidth": 0,
            "tickfont": {"size": 10},
            "tickvals": [-reach, 0, reach],
            "ticktext": [signed_cell(-reach), "0", signed_cell(reach)],
        },
    }
