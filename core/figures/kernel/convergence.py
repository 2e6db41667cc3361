"""Quantities against the number of demonstrations: lines with their intervals, and published figures as markers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, escape, figure, single
from core.figures.colours import INK, MODEL, OTHERS, TASK_COLOURS
from core.statistics.curves import Curve

SYMBOLS = ("circle", "square", "triangle-up", "x", "star")
DASHES = ("solid", "dash", "dashdot", "dot", "longdash")


@dataclass(frozen=True)
class Published:
    """Figures to compare with: a name, n, and a value at each."""

    name: str
    numbers: Sequence[int]
    values: Sequence[float]


def convergence_figure(
    numbers: Sequence[int],
    curves: Sequence[Curve],
    title: str,
    published: Published | None = None,
    most: float | None = None,
    height: int = 380,
) -> go.Figure:
    """Curves over n on a logarithmic axis, each with its interval as a band; every one has its own dash and symbol.

    A curve called "all weights equal" is drawn in grey, "model" in the model's colour.

    Args:
        numbers: (N,) values of n.
        curves: what to draw.
        title: of the vertical axis.
        published: markers for reference.
        most: where the axis ends; bands may go beyond it and are cut.
        height: in pixels.
    """
    traces: list[Trace] = []
    palette = iter(TASK_COLOURS)
    places = np.log2(np.asarray(numbers, dtype=float))
    for i, curve in enumerate(curves):
        colour = {"all weights equal": OTHERS, "model": MODEL}.get(curve.name) or next(palette)
        traces += _bands(places, curve, colour)
        traces.append(_line(places, numbers, curve, colour, i))
    if published is not None:
        traces.append(_markers(published))
    ticks = np.union1d(numbers, published.numbers) if published is not None else np.asarray(numbers)
    return figure(
        traces,
        height,
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        margin={"l": 8, "r": 8, "t": 8, "b": 40},
        xaxis={
            "title": {"text": "demonstrations n"},
            "tickvals": single(np.log2(ticks)),
            "ticktext": [str(int(n)) for n in ticks],
            "range": [-0.25, float(np.log2(ticks.max())) + 0.25],
            "fixedrange": True,
            "zeroline": False,
        },
        yaxis={
            "title": {"text": escape(title)},
            "range": [0, _top(curves, published, most)],
            "fixedrange": True,
            "automargin": True,
        },
    )


def _line(places: ArrayLike, numbers: Sequence[int], curve: Curve, colour: str, i: int) -> Trace:
    half = (curve.high - curve.low) / 2
    spread = ["" if np.isnan(h) else f" ± {h:.3f}" for h in half]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": single(places),
        "y": single(curve.mean),
        "name": escape(curve.name),
        "legendgroup": curve.name,
        "line": {"color": colour, "width": 2.5, "dash": DASHES[i % len(DASHES)]},
        "marker": {"size": 8, "symbol": SYMBOLS[i % len(SYMBOLS)], "color": colour},
        "customdata": [[int(n), text] for n, text in zip(numbers, spread, strict=True)],
        "hovertemplate": f"{escape(curve.name)}<br>n = %{{customdata[0]}}: %{{y:.3f}}%{{customdata[1]}}<extra></extra>",
    }


def _bands(places: ArrayLike, curve: Curve, colour: str) -> list[Trace]:
    """The interval along every stretch of neighbouring places that have one."""
    known = np.flatnonzero(np.isfinite(curve.low))
    stretches = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else []
    x = np.asarray(places)
    return [_band(x[at], curve.low[at], curve.high[at], curve.name, colour) for at in stretches]


def _band(x: NDArray[Any], low: NDArray[Any], high: NDArray[Any], name: str, colour: str) -> Trace:
    """One closed shape, there along its upper edge and back along its lower."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": single(np.concatenate([x, x[::-1]])),
        "y": single(np.maximum(np.concatenate([high, low[::-1]]), 0.0)),
        "fill": "toself",
        "fillcolor": _transparent(colour, 0.13),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": name,
    }


def _markers(published: Published) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": single(np.log2(np.asarray(published.numbers, dtype=float))),
        "y": single(published.values),
        "name": escape(published.name),
        "marker": {"size": 11, "symbol": "diamond-open", "color": INK, "line": {"width": 2}},
        "customdata": [int(n) for n in published.numbers],
        "hovertemplate": f"{escape(published.name)}<br>n = %{{customdata}}: %{{y:.3f}}<extra></extra>",
    }


def _top(curves: Sequence[Curve], published: Published | None, most: float | None) -> float:
    values: list[Any] = [curve.mean.max() for curve in curves]
    values += [np.nanmax(curve.high) for curve in curves if np.isfinite(curve.high).any()]
    if published is not None:
        values.append(max(published.values))
    top = 1.06 * float(max(values, default=1.0))
    return min(top, most) if most is not None else top


def _transparent(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
