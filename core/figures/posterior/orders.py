"""The spread over orders: a dot an order, a row a label or a task, a diamond where exact Bayes has every order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, distinct, figure, panel_title, shorten, single, wrap
from core.figures.colours import BAYES, MODEL


@dataclass(frozen=True)
class Strip:
    """One panel.

    Attributes:
        title: over it.
        names: (R,) rows.
        values: (M, R) one value an order.
        exact: (R,) what every order comes to under exact Bayes, or None.
        colours: (R,) of the dots.
        note: under the title.
    """

    title: str
    names: tuple[str, ...]
    values: ArrayLike
    exact: ArrayLike | None
    colours: tuple[str, ...]
    note: str = ""


def orders_figure(strips: Sequence[Strip], orders: Sequence[str], height: int = 220) -> go.Figure:
    """Panels side by side; dots of one order have the same height above their rows, so they can be followed.

    Args:
        strips: one or two.
        orders: (M,) an order in words, for the hover text; the first is the order given and is drawn ringed.
        height: in pixels.
    """
    traces: list[Trace] = []
    layout: dict[str, Any] = {"annotations": [], "margin": {"l": 8, "r": 8, "t": 40, "b": 8}}
    width = 1.0 / max(len(strips), 1)
    lift = np.linspace(-0.3, 0.3, len(orders)) if len(orders) > 1 else np.zeros(1)
    lift = lift[np.argsort(np.random.default_rng(0).random(len(orders)))]  # no slope where values follow the order
    for place, strip in enumerate(strips, start=1):
        suffix = "" if place == 1 else str(place)
        left = (place - 1) * width + (0.13 if place > 1 else 0.0)
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        values = np.asarray(strip.values, dtype=float)
        for row, (name, colour) in enumerate(zip(strip.names, strip.colours, strict=True)):
            traces.append(_dots(name, values[:, row], row - lift, colour, orders) | axes)
        if strip.exact is not None:
            traces.append(_diamonds(strip, np.asarray(strip.exact, dtype=float)) | axes)
        layout[f"xaxis{suffix}"] = {
            "domain": [left, place * width - 0.01],
            "anchor": f"y{suffix}",
            "range": [-0.03, 1.03],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "ticktext": ["0", ".25", ".5", ".75", "1"],
            "fixedrange": True,
        }
        layout[f"yaxis{suffix}"] = {
            "anchor": f"x{suffix}",
            "range": [len(strip.names) - 0.5, -0.5],
            "tickvals": np.arange(len(strip.names)),
            "ticktext": distinct(strip.names, 15),
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "automargin": place == 1,
        }
        layout["annotations"].append(panel_title(strip.title, left, strip.note))
    return figure(traces, height, **layout)


def _dots(name: str, values: np.ndarray, heights: np.ndarray, colour: str, orders: Sequence[str]) -> Trace:
    given = [2.0] + [0.0] * (len(orders) - 1)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": shorten(name, 22),
        "x": single(values),
        "y": single(heights),
        "marker": {"color": colour, "size": 8, "opacity": 0.6, "line": {"width": given, "color": MODEL}},
        "customdata": [wrap(order) for order in orders],
        "hovertemplate": f"{wrap(name)} %{{x:.4f}}<br>order %{{customdata}}<extra></extra>",
    }


def _diamonds(strip: Strip, exact: np.ndarray) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "exact Bayes",
        "x": single(exact),
        "y": np.arange(len(exact), dtype=np.float32),
        "marker": {"symbol": "diamond-tall", "size": 16, "color": BAYES, "line": {"width": 1.5, "color": "white"}},
        "customdata": [wrap(name) for name in strip.names],
        "hovertemplate": "%{customdata}<br>exact Bayes, every order: %{x:.4f}<extra></extra>",
    }
