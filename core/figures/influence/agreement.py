"""Which explanation ranks the demonstrations as their influence does: correlations, and what lies behind one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, click_targets, distinct, figure, outline, single, wrap
from core.figures.colours import BAYES, DIVERGING, FAINT, INK, MARK, MODEL
from core.runtime.numbers import cell, signed

STEPS = 21  # invisible markers along a row, so that a click anywhere on it counts
FIXED = {"fixedrange": True, "zeroline": False, "automargin": True}
MARGINS = 28  # pixels above and below the rows
LINE = 13  # pixels of a name


def correlation_figure(
    names: Sequence[str],
    details: Sequence[str],
    values: ArrayLike,
    low: ArrayLike | None,
    high: ArrayLike | None,
    notes: Sequence[str],
    kernels: int,
    symbol: str = "ρ",
    selected: str | None = None,
    height: int = 300,
) -> go.Figure:
    """A dot an explanation between −1 and 1, with its interval; those after the first `kernels` are in grey.

    Of many, as of a model of 30 layers, every few are named beside the axis, so that names stay apart; hover names all.

    Args:
        names, details: (E,) explanations, and a line on each.
        values: (E,) correlations, NaN where undefined.
        low, high: (E,) interval over queries, or None for a single query.
        notes: (E,) for the hover text, such as a p-value.
        kernels: how many of them are kernels; the rest is there to compare with.
        symbol: of the correlation.
        selected: the explanation drawn beside, framed.
        height: in pixels.
    """
    rho = single(values)
    rows = len(names)
    named = list(range(0, rows, max(1, -(-rows * LINE // (height - MARGINS)))))
    hover = _hover(names, details, rho, notes, symbol)
    dots = _dots(rho, names, hover, kernels)
    if low is not None and high is not None:
        dots["error_x"] = _interval(rho, single(low), single(high))
    return figure(
        [_row_targets(names, hover), dots],
        height,
        hovermode="closest",
        shapes=[_chosen(-1.04, 1.04, i - 0.5, i + 0.5) for i, name in enumerate(names) if name == selected],
        annotations=[_undefined(i) for i, value in enumerate(rho) if not np.isfinite(value)],
        margin={"l": 8, "r": 8, "t": 4, "b": MARGINS - 4},
        xaxis={
            **FIXED,
            "range": [-1.06, 1.06],
            "tickvals": [-1, -0.5, 0, 0.5, 1],
            "ticktext": ["−1", "−.5", "0", ".5", "1"],
            "zeroline": True,
            "zerolinecolor": FAINT,
        },
        yaxis={
            **FIXED,
            "showgrid": False,
            "tickvals": named,
            "ticktext": [distinct(names, 20)[i] for i in named],
            "tickfont": {"size": 12 if rows <= 14 else 10},
            "range": [rows - 0.5, -0.5],
        },
    )


def _hover(
    names: Sequence[str], details: Sequence[str], rho: np.ndarray, notes: Sequence[str], symbol: str
) -> list[str]:
    """What is said of each explanation."""
    nothing = "undefined: all weights or all influences equal"
    return [
        f"<b>{wrap(name)}</b><br>{wrap(detail)}<br>"
        + (f"{symbol} = {signed(value)}{note}" if np.isfinite(value) else nothing)
        for name, detail, value, note in zip(names, details, rho, notes, strict=True)
    ]


def _dots(rho: np.ndarray, names: Sequence[str], hover: Sequence[str], kernels: int) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": rho,
        "y": np.arange(len(names), dtype=np.float32),
        "marker": {"color": [MODEL if i < kernels else BAYES for i in range(len(names))], "size": 9},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "customdata": [[name] for name in names],
        "text": list(hover),
        "hovertemplate": "%{text}<extra></extra>",
    }


def _interval(rho: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": np.nan_to_num(high - rho),
        "arrayminus": np.nan_to_num(rho - low),
        "thickness": 1.4,
        "width": 3,
        "color": BAYES,
    }


def _row_targets(names: Sequence[str], hover: Sequence[str]) -> Trace:
    """Invisible markers along every row: a click anywhere on it counts."""
    rows = len(names)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.tile(np.linspace(-1, 1, STEPS, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), STEPS),
        "customdata": [[name] for name in names for _ in range(STEPS)],
        "text": [text for text in hover for _ in range(STEPS)],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"opacity": 0, "size": 14, "symbol": "square", "color": MODEL},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
    }


def head_correlation_figure(
    values: ArrayLike,
    notes: Sequence[Sequence[str]],
    symbol: str = "ρ",
    selected: tuple[int, int] | None = None,
    height: int = 300,
) -> go.Figure:
    """A cell a head, from −1 to 1; a click carries [layer, head].

    Args:
        values: (layers, heads) correlations, NaN where undefined.
        notes: (layers, heads) for the hover text, such as an interval.
        symbol: of the correlation.
        selected: the head drawn beside, framed.
        height: in pixels.
    """
    cells = single(values)
    layers, heads = cells.shape
    targets = click_targets(heads, layers, [None] * heads)
    targets["customdata"] = [[layer, head] for layer in range(layers) for head in range(heads)]
    traces = [_head_cells(cells, notes, symbol), targets]
    if cells.size <= 64:
        traces.append(_head_numbers(cells))
    shapes = []
    if selected is not None:
        layer, head = selected
        shapes = [_chosen(head - 0.5, head + 0.5, layer - 0.5, layer + 0.5)]
    axis = {**FIXED, "showgrid": False, "tickfont": {"size": 11}}
    return figure(
        traces,
        height,
        shapes=shapes,
        margin={"l": 8, "r": 8, "t": 4, "b": 36},
        xaxis={
            **axis,
            "title": {"text": "head", "font": {"size": 12}, "standoff": 4},
            "range": [-0.5, heads - 0.5],
            "tickvals": np.arange(0, heads, max(1, heads // 16)),
        },
        yaxis={
            **axis,
            "title": {"text": "layer", "font": {"size": 12}, "standoff": 4},
            "range": [layers - 0.5, -0.5],
            "tickvals": np.arange(0, layers, max(1, layers // 16)),
        },
    )


def _head_cells(cells: np.ndarray, notes: Sequence[Sequence[str]], symbol: str) -> Trace:
    layers, heads = cells.shape

    def words(layer: int, head: int) -> str:
        value = cells[layer, head]
        said = f"{symbol} = {signed(value)}{notes[layer][head]}" if np.isfinite(value) else "undefined"
        return f"layer {layer}, head {head}<br>{said}"

    return {
        "type": "heatmap",
        "z": cells,
        "text": [[words(layer, head) for head in range(heads)] for layer in range(layers)],
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": DIVERGING,
        "zmin": -1.0,
        "zmax": 1.0,
        "xgap": 1 if heads <= 64 else 0,
        "ygap": 1 if layers <= 64 else 0,
        "colorbar": {"thickness": 8, "len": 0.95, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 10}},
    }


def _head_numbers(cells: np.ndarray) -> Trace:
    layers, heads = cells.shape
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "x": np.tile(np.arange(heads, dtype=np.float32), layers),
        "y": np.repeat(np.arange(layers, dtype=np.float32), heads),
        "text": [cell(v) for v in cells.ravel()],
        "textfont": {"size": 12, "color": INK},
    }


def weight_figure(
    weights: ArrayLike,
    effects: ArrayLike,
    inputs: Sequence[str],
    labels: Sequence[str],
    numbers: Sequence[int],
    across: str,
    up: str,
    marked: int | None = None,
    height: int = 300,
) -> go.Figure:
    """A point a demonstration: what an explanation gives it across, what it did up.

    Args:
        weights, effects: (n,).
        inputs, labels, numbers, marked: the demonstrations in the order shown, their numbers, the one in colour.
        across, up: titles of the axes.
        height: in pixels.
    """
    colours = [MARK if number == marked else MODEL for number in numbers]
    points: Trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": single(weights),
        "y": single(effects),
        "customdata": [[number] for number in numbers],
        "text": [f"<b>{number}</b>" for number in numbers],
        "textposition": "middle right",
        "textfont": {"size": 12, "color": INK},
        "hovertext": [f"<b>{n}</b> {wrap(x)} → {wrap(y)}" for n, x, y in zip(numbers, inputs, labels, strict=True)],
        "hovertemplate": "%{hovertext}<br>weight %{x:.4g}<br>influence %{y:+.4g}<extra></extra>",
        "marker": {"color": colours, "size": [13 if number == marked else 10 for number in numbers]},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}, "textfont": {"color": INK}},
    }
    axis = {**FIXED, "nticks": 5, "zeroline": True, "zerolinecolor": FAINT}
    return figure(
        [points],
        height,
        hovermode="closest",
        margin={"l": 8, "r": 16, "t": 8, "b": 36},
        xaxis={**axis, "title": {"text": across, "font": {"size": 12}, "standoff": 4}},
        yaxis={**axis, "title": {"text": up, "font": {"size": 12}, "standoff": 4}},
    )


def _chosen(x0: float, x1: float, y0: float, y1: float) -> dict[str, Any]:
    """A frame around what is drawn beside; the colour of a marked demonstration is not its own."""
    return {**outline(x0, x1, y0, y1), "line": {"color": BAYES, "width": 2}}


def _undefined(row: int) -> dict[str, object]:
    return {
        "x": 0,
        "y": row,
        "text": "undefined",
        "showarrow": False,
        "font": {"size": 10, "color": BAYES},
        "bgcolor": "rgba(0,0,0,0)",
    }
