"""Label imbalance: curves over the ratio of labels, and the answer at one ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, distinct, figure, panel_title, rows_axis, shorten, single, wrap
from core.figures.colours import BAYES, FAINT, INK, MARK, MODEL, TASK_COLOURS

FIXED = {"fixedrange": True, "zeroline": False, "automargin": True}
DASHES = ("solid", "dot")
Panel = tuple[str, str, ArrayLike, ArrayLike, ArrayLike]
"""(title, note below it, mean, low, high), arrays (M + B, R): M combinations, then exact Bayes's rows."""


def line_colours(count: int) -> list[str]:
    """A colour a combination, in the order of the menu; they repeat after seven."""
    return [TASK_COLOURS[i % len(TASK_COLOURS)] for i in range(count)]


def imbalance_figure(
    ratios: Sequence[str],
    panels: Sequence[Panel],
    names: Sequence[str],
    bayes: Sequence[str] = (),
    at: int = 0,
    height: int = 320,
) -> go.Figure:
    """A line a combination over the ratios, with its interval; a click carries the place of a ratio.

    Args:
        ratios: (R,) "4:4", …
        panels: what is drawn, side by side.
        names: (M,) combinations.
        bayes: (B,) names of exact Bayes's lines, in grey: forward solid, channel dotted.
        at: the ratio that the slider marks.
        height: in pixels.
    """
    colours = line_colours(len(names)) + [BAYES] * len(bayes)
    dashes = ["solid"] * len(names) + [DASHES[i % 2] for i in range(len(bayes))]
    traces: list[Trace] = []
    layout: dict[str, Any] = {}
    titles, shapes = [], []
    for p, (title, note, mean, low, high) in enumerate(panels):
        axis = "" if p == 0 else str(p + 1)
        traces += _lines(np.asarray(mean), np.asarray(low), np.asarray(high), [*names, *bayes], colours, dashes, axis)
        traces.append(_targets(len(ratios), axis))
        left, right = p / len(panels) + (0.04 if p else 0), (p + 1) / len(panels) - 0.01
        layout[f"xaxis{axis}"] = {
            **FIXED,
            "automargin": False,
            "domain": [left, right],
            "anchor": f"y{axis}",
            "showgrid": False,
            "tickvals": np.arange(len(ratios)),
            "ticktext": list(ratios),
            "range": [-0.3, len(ratios) - 0.7],
        }
        layout[f"yaxis{axis}"] = {**FIXED, "anchor": f"x{axis}", "range": [-0.02, 1.03], "nticks": 6}
        shapes.append(_slider_mark(at, axis))
        titles.append(panel_title(title, left, note))
    return figure(
        traces,
        height,
        hovermode="closest",
        shapes=shapes,
        annotations=titles,
        showlegend=True,
        legend={"orientation": "h", "y": -0.14, "yanchor": "top", "x": 0, "font": {"size": 12}, "itemclick": False},
        margin={"l": 8, "r": 8, "t": 42, "b": 8},
        **layout,
    )


def _spread(
    name: str, mean: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], colour: str
) -> Trace:
    """Bars of the intervals and what a pointer reads; the ratio alone where there is no interval."""
    if not np.isfinite(low).all():
        return {
            "customdata": [[r] for r in range(len(mean))],
            "hovertemplate": f"<b>{wrap(name)}</b><br>%{{y:.3f}}<extra></extra>",
        }
    return {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": single(high - mean),
            "arrayminus": single(mean - low),
            "color": colour,
            "thickness": 1.2,
            "width": 3,
        },
        "customdata": [[r, float(low[r]), float(high[r])] for r in range(len(mean))],
        "hovertemplate": f"<b>{wrap(name)}</b><br>%{{y:.3f}}, 95 % from %{{customdata[1]:.3f}} to "
        "%{customdata[2]:.3f}<extra></extra>",
    }


def _lines(
    mean: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    names: Sequence[str],
    colours: Sequence[str],
    dashes: Sequence[str],
    axis: str,
) -> list[Trace]:
    """Lines beside each other at every ratio, so that intervals can be told apart."""
    traces: list[Trace] = []
    count, ratios = mean.shape
    for i, name in enumerate(names):
        shift = (i - (count - 1) / 2) * min(0.06, 0.36 / max(count, 1))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": shorten(name, 40),
                "legendgroup": str(i),
                "showlegend": axis == "",
                "x": single(np.arange(ratios) + shift),
                "y": single(mean[i]),
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
                "line": {"color": colours[i], "dash": dashes[i], "width": 2.2},
                "marker": {"color": colours[i], "size": 7},
                **_spread(name, mean[i], low[i], high[i], colours[i]),
                "selected": {"marker": {"opacity": 1}},
                "unselected": {"marker": {"opacity": 1}},
            }
        )
    return traces


def _targets(ratios: int, axis: str) -> Trace:
    """Invisible markers up every ratio: a click anywhere chooses it."""
    steps = np.linspace(0, 1, 15, dtype=np.float32)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.repeat(np.arange(ratios, dtype=np.float32), len(steps)),
        "y": np.tile(steps, ratios),
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "customdata": [[r] for r in range(ratios) for _ in steps],
        "hoverinfo": "none",
        "showlegend": False,
        "marker": {"opacity": 0, "size": 18, "symbol": "square", "color": MODEL},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
    }


def _slider_mark(at: int, axis: str) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": f"x{axis}",
        "yref": f"y{axis} domain",
        "x0": at - 0.24,
        "x1": at + 0.24,
        "y0": 0,
        "y1": 1,
        "line": {"color": MARK, "width": 1.5},
        "fillcolor": FAINT,
        "layer": "below",
    }


def share_figure(
    names: Sequence[str],
    shares: ArrayLike,
    winners: Sequence[str],
    majority: str,
    gold: str | None = None,
    bayes: int = 0,
    height: int = 260,
) -> go.Figure:
    """A bar a combination: P(majority) for the query, and the label that wins.

    Args:
        names: (M,) combinations, the last `bayes` of them exact Bayes's.
        shares: (M,) P(majority).
        winners: (M,) winning labels.
        majority: the label.
        gold: the right answer; where it wins, the row carries a ★.
        bayes: how many rows are exact Bayes's.
        height: in pixels.
    """
    p = single(shares)
    rows = len(names)
    colours = line_colours(rows - bayes) + [BAYES] * bayes
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": p,
        "y": np.arange(rows, dtype=np.float32),
        "width": 0.62,
        "marker": {"color": colours},
        "hovertext": [
            f"<b>{wrap(n)}</b><br>P({wrap(majority)}) = {v:.3f}<br>answers {wrap(w)}"
            for n, v, w in zip(names, p, winners, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    words: Trace = {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "x": np.full(rows, 1.03, dtype=np.float32),
        "y": np.arange(rows, dtype=np.float32),
        "text": [f"{'★ ' if w == gold else ''}{name}" for w, name in zip(winners, distinct(winners, 12), strict=True)],
        "textposition": "middle right",
        "textfont": {"size": 12, "color": INK},
        "cliponaxis": False,
    }
    half = {"type": "line", "x0": 0.5, "x1": 0.5, "y0": -0.5, "y1": rows - 0.5, "line": {"color": FAINT, "width": 2}}
    named = f"P({shorten(majority, 16)}), and the answer"
    return figure(
        [bars, words],
        height,
        margin={"l": 8, "r": 8, "t": 6, "b": 38},
        shapes=[half],
        xaxis={**FIXED, "range": [0, 1.36], "tickvals": [0, 0.25, 0.5, 0.75, 1], "title": _small(named)},
        yaxis=rows_axis(distinct(names, 34)),
    )


def _small(words: str) -> dict[str, Any]:
    """The title of an axis."""
    return {"text": words, "font": {"size": 12}, "standoff": 4}
