"""What order does to the query's answer, and which position does what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, click_targets, distinct, figure, outline, panel_title, shorten, single, wrap
from core.figures.colours import BAYES, DIVERGING, FAINT, INK, MODEL
from core.figures.influence.influence import FIXED, rows_axis
from core.figures.ordering.accuracy import share_axis
from core.runtime.numbers import cell

Floats = NDArray[np.float64]
ROOM = 12  # demonstrations whose cells still hold a number


def answers_figure(
    labels: Sequence[str],
    probabilities: ArrayLike,
    shares: ArrayLike,
    bayes: ArrayLike | None,
    orders: Sequence[str],
    picked: int | None = None,
    height: int = 300,
) -> go.Figure:
    """A row a label: on the left its probability, a dot an order; on the right the share of orders that answer with it.

    Args:
        labels: (R,) from top to bottom, as they are to be named.
        probabilities: (M, R).
        shares: (R,).
        bayes: (R,) exact Bayes's probabilities, the same for every order (◆), or None.
        orders: (M,) in words.
        picked: row of the order that the user points at, ringed.
        height: in pixels.
    """
    values, part = np.asarray(probabilities, dtype=float), np.asarray(shares, dtype=float)
    count, rows = values.shape
    lift = np.linspace(-0.3, 0.3, count) if count > 1 else np.zeros(1)
    lift = lift[np.argsort(np.random.default_rng(0).random(count))]  # no slope where values follow the order
    traces: list[Trace] = []
    for row, label in enumerate(labels):
        traces.append(_order_dots(label, values[:, row], row - lift, orders))
        if picked is not None:
            traces.append(_ring(values[picked, row], row - lift[picked]))
    if bayes is not None:
        traces.append(_diamonds(labels, bayes))
    traces.append(_share_bars(labels, part))
    axis = {
        "range": [rows - 0.5, -0.5],
        "tickvals": np.arange(rows),
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
    }
    ticks = {"tickvals": [0, 0.5, 1], "ticktext": ["0", ".5", "1"], "fixedrange": True}
    return figure(
        traces,
        height,
        hovermode="closest",
        margin={"l": 8, "r": 8, "t": 42, "b": 8},
        annotations=[panel_title("P(label)", 0, "a dot an order"), panel_title("Answers", 0.72, "share of orders")],
        xaxis={**ticks, "range": [-0.03, 1.03], "domain": [0, 0.66]},
        yaxis={**axis, "ticktext": distinct(labels, 16), "automargin": True},
        xaxis2={**ticks, "range": [0, 1.25], "domain": [0.72, 1], "anchor": "y2"},
        yaxis2={**axis, "showticklabels": False, "anchor": "x2"},
    )


def _order_dots(
    label: str, values: np.ndarray[Any, Any], heights: np.ndarray[Any, Any], orders: Sequence[str]
) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": shorten(label, 22),
        "x": single(values),
        "y": single(heights),
        "marker": {"color": MODEL, "size": 7, "opacity": 0.5},
        "customdata": [[m, wrap(order)] for m, order in enumerate(orders)],
        "hovertemplate": f"{wrap(label)} %{{x:.4f}}<br>order %{{customdata[1]}}<extra></extra>",
        "selected": {"marker": {"opacity": 0.5}},
        "unselected": {"marker": {"opacity": 0.5}},
    }


def _ring(x: float, y: float) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "picked",
        "x": single([x]),
        "y": single([y]),
        "marker": {"symbol": "circle-open", "size": 14, "color": INK, "line": {"width": 2, "color": INK}},
        "hoverinfo": "skip",
    }


def _diamonds(labels: Sequence[str], bayes: ArrayLike) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "exact Bayes",
        "x": single(bayes),
        "y": np.arange(len(labels), dtype=np.float32),
        "marker": {"symbol": "diamond-tall", "size": 16, "color": BAYES, "line": {"width": 1.5, "color": "white"}},
        "hovertemplate": "exact Bayes, every order: %{x:.4f}<extra></extra>",
    }


def _share_bars(labels: Sequence[str], shares: Floats) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": "answers",
        "x": single(shares),
        "y": np.arange(len(labels), dtype=np.float32),
        "width": min(0.6, 0.12 * len(labels)),
        "marker": {"color": MODEL},
        "text": [f"{share:.0%}" for share in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [wrap(label) for label in labels],
        "hovertemplate": "%{customdata}: %{x:.1%} of the orders<extra></extra>",
        "xaxis": "x2",
        "yaxis": "y2",
    }


def positions_figure(
    cells: ArrayLike,
    mean: float,
    what: str,
    recency: Sequence[tuple[str, ArrayLike, str]],
    inputs: Sequence[str],
    labels: Sequence[str],
    numbers: Sequence[int],
    marked: int | None = None,
    height: int = 290,
) -> go.Figure:
    """Demonstration (row) by position (column): the mean over the orders that have it there; below, whom answers copy.

    Colour is the distance from the mean over all orders. Below, the share of answers that are the label of the
    demonstration in that position; a flat line where order does not matter.

    Args:
        cells: (k, k), NaN where no order was tried.
        mean: over all orders.
        what: name of the value, for the hover text.
        recency: lines of the lower panel: name, (k,) shares, dash.
        inputs, labels, numbers, marked: the demonstrations, their numbers, the one to frame.
        height: in pixels.
    """
    values = single(cells)
    k = len(values)
    names = [f"<b>{n}</b> {wrap(x)} → {wrap(y)}" for n, x, y in zip(numbers, inputs, labels, strict=True)]
    targets = click_targets(k, k, [None] * k)
    targets["customdata"] = [[numbers[r], c, r] for r in range(k) for c in range(k)]
    traces = [_cells(values, mean, what, names), targets]
    if k <= ROOM:
        traces.append(_cell_values(values))
    traces += [_copies(name, shares, dash) | {"yaxis": "y2"} for name, shares, dash in recency]
    framed = [r for r, number in enumerate(numbers) if number == marked]
    return figure(
        traces,
        height,
        hovermode="closest",
        shapes=[outline(-0.5, k - 0.5, r - 0.5, r + 0.5) for r in framed],
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        xaxis={
            **FIXED,
            "showgrid": False,
            "anchor": "y2",
            "tickvals": np.arange(0, k, max(1, k // 12)),
            "ticktext": [str(c + 1) for c in range(0, k, max(1, k // 12))],
            "title": {"text": "position (last: next to the query)", "font": {"size": 11}, "standoff": 2},
            "range": [-0.5, k - 0.5],
        },
        yaxis={**rows_axis(k, numbers, labels, "x"), "domain": [0.34, 1]},
        yaxis2={
            **FIXED,
            "domain": [0, 0.26],
            **share_axis(*_shares_range([shares for _, shares, _ in recency])),
            "tickfont": {"size": 10},
            "gridcolor": FAINT,
            "title": {"text": "copied", "font": {"size": 11}, "standoff": 2},
        },
    )


def _cells(values: NDArray[np.float32], mean: float, what: str, names: Sequence[str]) -> Trace:
    """Cells coloured by their distance from the mean."""
    away = values - np.float32(mean)
    reach = float(np.abs(away[np.isfinite(away)]).max(initial=0.0)) or 1.0
    ended = f", mean of all {mean:.3f}"
    return {
        "type": "heatmap",
        "z": away,
        "text": [
            [f"{name}<br>in position {c + 1}: {what} {_number(value)}{ended}" for c, value in enumerate(row)]
            for name, row in zip(names, values, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": DIVERGING,
        "zmin": -reach,
        "zmax": reach,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
    }


def _number(value: float) -> str:
    return "never tried" if np.isnan(value) else f"{value:.3f}"


def _cell_values(values: NDArray[np.float32]) -> Trace:
    rows, columns = values.shape
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "x": np.tile(np.arange(columns, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), columns),
        "text": ["" if np.isnan(v) else cell(v) for v in values.ravel()],
        "textfont": {"size": 12 if rows <= 6 else 10, "color": INK},
    }


def _copies(name: str, shares: ArrayLike, dash: str) -> Trace:
    values = np.asarray(shares, dtype=float)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": np.arange(len(values), dtype=np.float32),
        "y": single(values),
        "line": {"color": MODEL, "width": 2, "dash": dash},
        "marker": {"color": MODEL, "size": 6},
        "hovertemplate": f"{name}: %{{y:.1%}} of the answers are the label in this position<extra></extra>",
    }


def _shares_range(lines: Sequence[ArrayLike]) -> tuple[float, float]:
    values = np.concatenate([np.asarray(line, dtype=float) for line in lines]) if lines else np.zeros(1)
    finite = values[np.isfinite(values)]
    low, high = float(finite.min(initial=1.0)), float(finite.max(initial=0.0))
    middle, half = (low + high) / 2, max((high - low) * 0.6, 0.06)
    return max(middle - half, -0.01), min(middle + half, 1.01)
