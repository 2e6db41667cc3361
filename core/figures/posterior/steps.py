"""Numbers of a posterior against the number of demonstrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, figure, shorten, single, wrap
from core.figures.colours import FAINT


@dataclass(frozen=True)
class StepLine:
    """One quantity for n = 0 … k.

    Attributes:
        name: for the legend.
        values: (k + 1,); NaN leaves a gap.
        colour: of the line.
        dash: "solid", "dash" or "dot", which tells lines apart without colours.
        axis: "left" or "right".
    """

    name: str
    values: ArrayLike
    colour: str
    dash: str = "solid"
    axis: str = "left"


def steps_figure(
    lines: Sequence[StepLine], n: int, left: str, right: str = "", height: int = 220, top: float | None = None
) -> go.Figure:
    """Lines over n, with a band where the other views stand; a second axis on the right where a line asks for it.

    Args:
        lines: at least one.
        n: the step that the other views show.
        left, right: titles of the axes.
        height: in pixels.
        top: end of the left axis, where it is known (1 for a total variation).
    """
    traces = [_trace(line) for line in lines]
    longest = max((len(single(line.values)) for line in lines), default=1)
    layout: dict[str, Any] = {
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        "xaxis": {
            "title": {"text": "demonstrations n", "font": {"size": 12}, "standoff": 4},
            "fixedrange": True,
            "range": [-0.25, longest - 0.75],
            "dtick": max(1, longest // 8),
            "automargin": True,
        },
        "yaxis": _axis(left) | ({"range": [-0.03 * top, 1.06 * top]} if top else {"rangemode": "tozero"}),
        "shapes": [
            {
                "type": "line",
                "x0": n,
                "x1": n,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": FAINT, "width": 8},
                "layer": "below",
            }
        ],
    }
    if any(line.axis == "right" for line in lines):
        layout["yaxis2"] = _axis(right) | {
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "tickmode": "auto",
        }
    return figure(traces, height, **layout)


def _trace(line: StepLine) -> Trace:
    values = single(line.values)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": np.arange(len(values), dtype=np.float32),
        "y": values,
        "name": shorten(line.name, 40),
        "line": {"color": line.colour, "width": 2.5, "dash": line.dash},
        "marker": {"size": 6, "symbol": "square" if line.axis == "right" else "circle"},
        "yaxis": "y2" if line.axis == "right" else "y",
        "hovertemplate": f"{wrap(line.name)}<br>n = %{{x}}: %{{y:.4f}}<extra></extra>",
    }


def _axis(title: str) -> dict[str, Any]:
    return {
        "title": {"text": title, "font": {"size": 12}, "standoff": 4},
        "fixedrange": True,
        "automargin": True,
        "nticks": 5,
        "zeroline": False,
    }
