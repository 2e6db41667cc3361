"""The pool as a map: a mark a row, coloured and shaped by label, those chosen ringed, the query a star."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, distinct, figure, single, wrap
from core.figures.colours import INK, MARK, MODEL, OTHERS, TASK_COLOURS
from core.runtime.numbers import fixed

# One shape a colour, so that labels are told apart without any colour vision; the star is the query's.
FEW = 3  # labels that all have a colour, also those of a single row
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down")
DRAWN = 2_500
"""Rows drawn as marks. Of a larger pool those chosen and an even spread of the others are, and shades count all:
plain SVG draws so many in a blink in every browser, with or without a graphics card."""
CELLS = 64
SHADES = [[0.0, "rgba(128,134,148,0)"], [1.0, "rgba(128,134,148,0.45)"]]
NUMBERED = 40  # rings that carry their number; more would cover each other


@dataclass(frozen=True)
class MappedRow:
    """A row of the pool on the map."""

    number: int
    text: str
    label: str


def pool_figure(
    rows: Sequence[MappedRow],
    points: ArrayLike,
    query: ArrayLike | None,
    query_text: str,
    nearness: ArrayLike,
    chosen: Sequence[int],
    axes: tuple[str, str],
    marked: int | None = None,
    height: int = 420,
) -> go.Figure:
    """Rows as marks; clicks carry [number].

    Args:
        rows: (n,).
        points: (n, 2).
        query: (2,) or None.
        query_text: for the hover box.
        nearness: (n,) cosines with the query, NaN where there is none.
        chosen: numbers of the rows that are ringed.
        axes: titles.
        marked: number of the row that the user points at.
        height: in pixels.
    """
    at = np.asarray(points, dtype=np.float64).reshape(len(rows), 2)
    near = np.asarray(nearness, dtype=np.float64)
    drawn = _drawn(rows, {*chosen, *([marked] if marked is not None else [])})
    traces: list[Trace] = [_shades(at)] if len(drawn) < len(rows) else []
    for name, colour, symbol, places in _groups(rows, drawn):
        traces.append(_marks(name, colour, symbol, [rows[i] for i in places], at[places], near[places]))
    if query is not None:
        traces.append(_star(np.asarray(query, dtype=np.float64), query_text))
    by_number = {row.number: i for i, row in enumerate(rows)}
    framed = [*chosen, *([marked] if marked is not None and marked not in chosen else [])]
    ringed = [by_number[n] for n in framed if n in by_number]
    if ringed:
        traces.append(_rings([rows[i] for i in ringed], at[ringed], marked))
    return figure(
        traces,
        height,
        showlegend=True,
        hovermode="closest",
        dragmode="zoom",
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "itemsizing": "constant"},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=_axis(axes[0]),
        yaxis=_axis(axes[1]),
    )


def _axis(title: str) -> dict[str, Any]:
    return {"title": {"text": title, "standoff": 4}, "zeroline": False, "automargin": True, "nticks": 6}


def _drawn(rows: Sequence[MappedRow], wanted: set[int]) -> NDArray[np.intp]:
    """Places of the rows drawn as marks, ascending."""
    if len(rows) <= DRAWN:
        return np.arange(len(rows))
    even = np.linspace(0, len(rows) - 1, DRAWN).astype(np.intp)
    kept = [i for i, row in enumerate(rows) if row.number in wanted]
    return np.union1d(even, np.array(kept, dtype=np.intp))


def _groups(rows: Sequence[MappedRow], drawn: NDArray[np.intp]) -> list[tuple[str, str, str, list[int]]]:
    """(name, colour, shape, places) of every label that has a colour, and of all others together.

    The seven most frequent labels have one: where there are more than three, those that stand at more than one row, as
    a colour for every single row would say nothing.
    """
    counts = Counter(row.label for row in rows)
    few = len(counts) <= FEW and len(counts) < len(rows)
    named = [label for label, count in counts.most_common(len(TASK_COLOURS)) if count > 1 or few or len(counts) == 1]
    places: dict[str, list[int]] = {label: [] for label in named}
    others: list[int] = []
    for i in drawn:
        places.get(rows[i].label, others).append(int(i))
    groups = [
        (f"{name} ({counts[label]:,})", TASK_COLOURS[n], SYMBOLS[n], places[label])
        for n, (label, name) in enumerate(zip(named, distinct(named, 24), strict=True))
    ]
    if others:
        left = sum(count for label, count in counts.items() if label not in places)
        kinds = len(counts) - len(named)
        name = f"{kinds:,} {'other ' if named else ''}label{'s' if kinds != 1 else ''} ({left:,})"
        groups.insert(0, (name, OTHERS, "circle", others))  # below those that mean more
    return groups


def _marks(
    name: str, colour: str, symbol: str, rows: Sequence[MappedRow], at: NDArray[np.float64], near: NDArray[np.float64]
) -> Trace:
    said = [
        f"<b>{row.number}</b> {wrap(row.text)} → {wrap(row.label)}"
        + (f"<br>cosine {fixed(c)}" if np.isfinite(c) else "")
        for row, c in zip(rows, near, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": single(at[:, 0]),
        "y": single(at[:, 1]),
        "customdata": [[row.number] for row in rows],
        "text": said,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": colour, "symbol": symbol, "size": 9 if len(rows) <= 300 else 6, "opacity": 0.85},
        "selected": {"marker": {"opacity": 0.85}},
        "unselected": {"marker": {"opacity": 0.85}},
    }


def _rings(rows: Sequence[MappedRow], at: NDArray[np.float64], marked: int | None) -> Trace:
    numbered = len(rows) <= NUMBERED
    return {
        "type": "scatter",
        "mode": "markers+text" if numbered else "markers",
        "name": "chosen",
        "x": single(at[:, 0]),
        "y": single(at[:, 1]),
        "customdata": [[row.number] for row in rows],
        "text": [f"<b>{row.number}</b>" for row in rows],
        "textposition": "middle right",
        "textfont": {"color": INK, "size": 12},
        "hoverinfo": "none",
        "marker": {
            "symbol": "circle-open",
            "size": 17,
            "color": [MARK if row.number == marked else MODEL for row in rows],
            "line": {"width": 2.5},
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}, "textfont": {"color": INK}},
    }


def _star(at: NDArray[np.float64], text: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "the query",
        "x": single(at[:1]),
        "y": single(at[1:]),
        "text": [wrap(text)],
        "hovertemplate": "the query: %{text}<extra></extra>",
        "marker": {"symbol": "star", "size": 18, "color": INK, "line": {"width": 1, "color": "white"}},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }


def _shades(at: NDArray[np.float64]) -> Trace:
    """How many rows lie where, all of them counted; the root of the count, so that single rows show."""
    counts, xs, ys = np.histogram2d(at[:, 0], at[:, 1], bins=CELLS)
    return {
        "type": "heatmap",
        "x": single((xs[1:] + xs[:-1]) / 2),
        "y": single((ys[1:] + ys[:-1]) / 2),
        "z": single(np.sqrt(counts.T)),
        "colorscale": SHADES,
        "showscale": False,
        "hoverinfo": "skip",
    }
