"""How often every order is right, where each strategy's order lands, and whether entropy tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, distinct, figure, panel_title, single, wrap
from core.figures.colours import BAYES, FAINT, INK, LESS, MODEL, MORE

Floats = NDArray[np.float64]
FIXED = {"fixedrange": True, "zeroline": False}
SPLIT = 0.47  # of the height: strategies below, orders above


@dataclass(frozen=True)
class Landing:
    """Where a strategy lands.

    Attributes:
        name: of the strategy.
        accuracy: of the strategy.
        place: row of the order that it takes for the query.
        low, high: where its accuracy would lie by its gain over random orders, 95 % over questions.
        note: for the hover text: its gain.
    """

    name: str
    accuracy: float
    place: int
    low: float
    high: float
    note: str


@dataclass(frozen=True)
class Marks:
    """Orders that stand out.

    Attributes:
        best, worst: their rows.
        picked: the one that the user points at, or None.
    """

    best: int
    worst: int
    picked: int | None = None


def accuracy_figure(
    accuracy: ArrayLike,
    orders: Sequence[str],
    mean: float,
    bayes: float | None,
    landings: Sequence[Landing],
    marks: Marks,
    height: int = 300,
) -> go.Figure:
    """Above, a dot an order, stacked where they are equally often right; below, a row a strategy.

    ○ is the order that a strategy takes for the query. A full line is the mean of random orders, a dashed one exact
    Bayes, for which every order is the same.

    Args:
        accuracy: (M,) shares.
        orders: (M,) in words.
        mean, bayes: where the lines stand.
        landings: strategies from top to bottom.
        marks: best ▲, worst ▼ and the picked order, ringed.
        height: in pixels.
    """
    values = np.asarray(accuracy, dtype=float)
    heights = stacked(values)
    top = max(float(heights.max()) + 1, 4.0)
    limits = _limits([*values, mean, *([] if bayes is None else [bayes])], landings)
    axes = {"xaxis": "x", "yaxis": "y2"}
    traces = [_dots(values, heights, orders, top) | axes, *(t | axes for t in _marked(values, heights, marks))]
    traces += _landings(values, landings)
    lines = [_line(mean, MODEL, "solid")] + ([] if bayes is None else [_line(bayes, BAYES, "dash")])
    return figure(
        traces,
        height,
        shapes=lines,
        hovermode="closest",
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        xaxis={**FIXED, **share_axis(*limits), "anchor": "y"},
        yaxis={
            **FIXED,
            "domain": [0, SPLIT],
            "range": [len(landings) - 0.5, -0.5],
            "tickvals": np.arange(len(landings)),
            "ticktext": distinct([one.name for one in landings], 18),
            "tickfont": {"size": 11},
            "showgrid": True,
            "gridcolor": FAINT,
            "automargin": True,
        },
        yaxis2={
            **FIXED,
            "domain": [SPLIT + 0.04, 1],
            "range": [-0.7, top],
            "title": {"text": "orders", "font": {"size": 11}, "standoff": 2},
            "nticks": 4,
            "tickfont": {"size": 10},
            "anchor": "x",
        },
    )


def stacked(values: Floats) -> Floats:
    """(M,) how many dots of the same value lie below each."""
    heights = np.zeros(len(values))
    seen: dict[float, int] = {}
    for place, value in enumerate(np.round(values, 6).tolist()):
        heights[place] = seen.get(value, 0)
        seen[value] = seen.get(value, 0) + 1
    return heights


def _limits(values: Sequence[float], landings: Sequence[Landing]) -> list[float]:
    """Round the values with some air, at least a tenth wide, and not past what a share can be."""
    ends = [end for one in landings for end in (one.low, one.high, one.accuracy) if np.isfinite(end)]
    low, high = min([*values, *ends]), max([*values, *ends])
    air = max(0.06 * (high - low), (0.1 - (high - low)) / 2, 0.01)
    return [max(low - air, -0.02), min(high + air, 1.02)]


def share_axis(low: float, high: float) -> dict[str, Any]:
    """Range and ticks of an axis of shares: about five of them, none below 0 or above 1."""
    step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / step <= 6), 0.25)
    ticks = np.arange(np.ceil(max(low, 0) / step - 1e-9), np.floor(min(high, 1) / step + 1e-9) + 1) * step
    return {"range": [low, high], "tickvals": ticks, "ticktext": [f"{tick:.0%}" for tick in ticks]}


def _dots(values: Floats, heights: Floats, orders: Sequence[str], top: float) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "orders",
        "x": single(values),
        "y": single(heights),
        "marker": {"color": MODEL, "size": float(np.clip(120 / top, 5, 9)), "opacity": 0.55},
        "customdata": [[m, wrap(order)] for m, order in enumerate(orders)],
        "hovertemplate": "order %{customdata[1]}<br>right %{x:.1%}<extra></extra>",
        "selected": {"marker": {"opacity": 0.55}},
        "unselected": {"marker": {"opacity": 0.55}},
    }


def _marked(x: Floats, y: Floats, marks: Marks) -> list[Trace]:
    """Best, worst and the picked order over the dots."""
    kinds: list[tuple[int | None, str, str, int, str]] = [
        (marks.best, "triangle-up", MORE, 12, "best"),
        (marks.worst, "triangle-down", LESS, 12, "worst"),
        (marks.picked, "circle-open", INK, 15, "picked"),
    ]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": single(x[[place]]),
            "y": single(y[[place]]),
            "marker": {"color": colour, "size": size, "symbol": symbol, "line": {"width": 2, "color": colour}},
            "hoverinfo": "skip",
        }
        for place, symbol, colour, size, name in kinds
        if place is not None
    ]


def _landings(values: Floats, landings: Sequence[Landing]) -> list[Trace]:
    x = np.array([one.accuracy for one in landings])
    rows = np.arange(len(landings), dtype=np.float32)
    shared: Trace = {
        "type": "scatter",
        "mode": "markers",
        "y": rows,
        "customdata": [[one.place, wrap(one.name), wrap(one.note)] for one in landings],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "cliponaxis": False,
    }
    bars = {
        "type": "data",
        "symmetric": False,
        "array": single(np.nan_to_num([one.high - one.accuracy for one in landings])),
        "arrayminus": single(np.nan_to_num([one.accuracy - one.low for one in landings])),
        "thickness": 1.2,
        "width": 3,
        "color": BAYES,
    }
    said = "<b>%{customdata[1]}</b> "
    return [
        {
            **shared,
            "name": "its order",
            "x": single([values[one.place] for one in landings]),
            "marker": {"color": MODEL, "size": 9, "symbol": "circle-open", "line": {"width": 1.5, "color": MODEL}},
            "hovertemplate": said + "its order for this query: right %{x:.1%}<extra></extra>",
        },
        {
            **shared,
            "name": "strategies",
            "x": single(x),
            "error_x": bars,
            "marker": {"color": MODEL, "size": 9},
            "hovertemplate": said + "right %{x:.1%}<br>%{customdata[2]}<extra></extra>",
        },
    ]


def _line(x: float, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "xref": "x",
        "yref": "paper",
        "line": {"color": colour, "width": 2, "dash": dash},
        "layer": "below",
    }


def entropy_figure(
    panels: Sequence[tuple[str, ArrayLike, str, int | None]],
    accuracy: ArrayLike,
    orders: Sequence[str],
    marks: Marks,
    height: int = 290,
) -> go.Figure:
    """Accuracy (up) by entropy (right), a dot an order.

    Args:
        panels: of each measure its title, (M,) values in nats, a note under the title, and the row of the order that
            the strategy of that name takes (a star).
        accuracy: (M,).
        orders: (M,) in words.
        marks: orders that stand out.
        height: in pixels.
    """
    right = np.asarray(accuracy, dtype=float)
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": [], "margin": {"l": 8, "r": 12, "t": 42, "b": 8}}
    low, high = _limits(right.tolist(), [])
    width = 1 / max(len(panels), 1)
    for p, (title, measure, note, taken) in enumerate(panels):
        suffix = "" if p == 0 else str(p + 1)
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        values = np.asarray(measure, dtype=float)
        left = p * width + (0.03 if p else 0.0)
        dots = _dots(values, right, orders, 20)
        shown = f"{title} %{{x:.3f}} nats<br>right %{{y:.1%}}<extra></extra>"
        dots["hovertemplate"] = "order %{customdata[1]}<br>" + shown
        traces.append(dots | axes)
        traces += [trace | axes for trace in _marked(values, right, marks)]
        if taken is not None:
            traces.append(_star(float(values[taken]), float(right[taken]), taken, orders[taken], title) | axes)
        layout[f"xaxis{suffix}"] = {
            **FIXED,
            "domain": [left, (p + 1) * width - 0.02],
            "anchor": f"y{suffix}",
            "title": {"text": "entropy, nats", "font": {"size": 11}, "standoff": 2},
            "range": _around(values),
            "nticks": 5,
        }
        layout[f"yaxis{suffix}"] = {
            **FIXED,
            "anchor": f"x{suffix}",
            **share_axis(low, high),
            "showticklabels": p == 0,
        }
        layout["annotations"].append(panel_title(title, left, note))
    return figure(traces, height, hovermode="closest", **layout)


def _star(x: float, y: float, place: int, order: str, title: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "taken",
        "x": single([x]),
        "y": single([y]),
        "marker": {"symbol": "star", "size": 14, "color": MODEL, "line": {"width": 1, "color": "white"}},
        "customdata": [[place, wrap(order)]],
        "hovertemplate": f"{title} takes %{{customdata[1]}}<br>%{{x:.3f}} nats, right %{{y:.1%}}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }


def _around(values: Floats) -> list[float]:
    low, high = float(values.min()), float(values.max())
    air = 0.06 * (high - low) or 0.05
    return [low - air, high + air]
