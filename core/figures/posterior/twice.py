"""The duplicate probe: bars of before and after, and where two explanations say that the answer goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, distinct, figure, panel_title, shorten, single, wrap
from core.runtime.numbers import cell

Bars = tuple[str, ArrayLike, str, str]
"""Name, (R,) values, colour, pattern ("" or "/")."""


def twice_figure(
    panels: Sequence[tuple[str, str, Sequence[str], Sequence[Bars]]], height: int = 220, room: float = 0.09
) -> go.Figure:
    """Grouped horizontal bars, panels side by side; bars of one name look the same in all and stand in one legend.

    Args:
        panels: (title, note, (R,) row names, bars) each.
        height: in pixels.
        room: share of the width left of every panel but the first for its row names.
    """
    traces: list[Trace] = []
    layout: dict[str, Any] = {
        "annotations": [],
        "margin": {"l": 8, "r": 8, "t": 38, "b": 44},
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 11},
            "itemwidth": 30,
            "traceorder": "normal",
        },
    }
    named: set[str] = set()
    width = 1.0 / max(len(panels), 1)
    for place, (title, note, names, bars) in enumerate(panels, start=1):
        suffix = "" if place == 1 else str(place)
        left = (place - 1) * width + (room if place > 1 else 0.0)
        for i, bar in enumerate(bars):
            traces.append(
                _bar(bar, names, i, len(bars))
                | {"showlegend": bar[0] not in named, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
            )
            named.add(bar[0])
        least = min((float(np.min(np.asarray(bar[1], dtype=float), initial=0.0)) for bar in bars), default=0.0)
        layout[f"xaxis{suffix}"] = {
            "domain": [left, place * width - 0.015],
            "anchor": f"y{suffix}",
            "range": [1.15 * least, 1.22],
            "tickvals": [0, 0.5, 1],
            "ticktext": ["0", ".5", "1"],
            "fixedrange": True,
        }
        layout[f"yaxis{suffix}"] = _names_axis(names, f"x{suffix}", place == 1)
        layout["annotations"].append(panel_title(title, left, note))
    return figure(traces, height, **layout, barmode="overlay")


def _bar(bar: Bars, names: Sequence[str], i: int, count: int) -> Trace:
    """Bar i of `count` in each row."""
    name, values, colour, pattern = bar
    step = 0.8 / count
    numbers = np.asarray(values, dtype=float)
    return {
        "type": "bar",
        "orientation": "h",
        "name": shorten(name, 30),
        "legendgroup": shorten(name, 30),
        "x": single(numbers),
        "y": np.arange(len(names), dtype=np.float32) + np.float32((i - (count - 1) / 2) * step),
        "width": step * 0.92,
        "marker": {"color": colour, "pattern": {"shape": pattern}, "line": {"width": 0}},
        "customdata": [wrap(row) for row in names],
        "text": [cell(v) for v in numbers],
        "textposition": "outside",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "constraintext": "none",
        "hovertemplate": f"%{{customdata}}<br>{wrap(name)}: %{{x:.4f}}<extra></extra>",
    }


def _names_axis(names: Sequence[str], anchor: str, first: bool) -> dict[str, Any]:
    return {
        "anchor": anchor,
        "range": [len(names) - 0.45, -0.55],
        "tickvals": np.arange(len(names)),
        "ticktext": distinct(names, 13),
        "fixedrange": True,
        "showgrid": False,
        "automargin": first,
    }
