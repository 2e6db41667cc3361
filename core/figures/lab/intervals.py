"""Means and differences with their intervals, and where the variance comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.figures.base import FigureFunction, Spec, Trace, distinct, escape, shorten, spec
from core.figures.colours import BAYES, FAINT, INK, LESS, MODEL, MORE, TASK_COLOURS

ROW = 34  # pixels


@dataclass(frozen=True)
class IntervalBar:
    """A mean or a difference.

    Attributes:
        name: what it is of.
        mean, low, high: NaN where there is none.
        note: for the hover box.
        shown: 1 where it is shown to lie above 0, −1 below, 0 where neither.
    """

    name: str
    mean: float
    low: float
    high: float
    note: str = ""
    shown: int = 0


@FigureFunction
def means_figure(bars: Sequence[IntervalBar], title: str, height: int, shares: bool = True) -> Spec:
    """A row a setting: its mean ● and its 95 % interval.

    Args:
        bars: from top to bottom.
        title: of the axis.
        height: in pixels.
        shares: whether the values are shares, written as per cent.
    """
    return _rows(bars, title, height, shares, [MODEL] * len(bars), zero=False)


@FigureFunction
def differences_figure(bars: Sequence[IntervalBar], title: str, height: int, shares: bool = True) -> Spec:
    """A row a pair: its paired difference ● and its 95 % interval, with a line at 0; coloured where it is shown."""
    colours = [{1: MORE, -1: LESS, 0: INK}[bar.shown] for bar in bars]
    return _rows(bars, title, height, shares, colours, zero=True)


@FigureFunction
def curve_figure(
    ks: Sequence[float],
    bars: Sequence[IntervalBar],
    fitted: Sequence[float],
    from_k: float | None,
    title: str,
    height: int,
) -> Spec:
    """Means over a number of demonstrations, with intervals, a fitted law, and the number from which more does not
    help.

    Args:
        ks: (n,) ascending.
        bars: (n,).
        fitted: (n,) values of the law at `ks`; empty where there is none.
        from_k: where a line stands; None for none.
        title: of the vertical axis.
        height: in pixels.
    """
    places = np.arange(len(ks))
    traces = [_points(places, bars)]
    if len(fitted):
        line = {"color": BAYES, "width": 2, "dash": "dash"}
        law = {"type": "scatter", "mode": "lines", "x": places, "y": list(fitted), "line": line}
        traces.append(law | {"hovertemplate": "fitted %{y:.3f}<extra></extra>"})
    shapes = [_upright(list(ks).index(from_k), "dot")] if from_k is not None and from_k in list(ks) else []
    return spec(
        traces,
        height,
        shapes=shapes,
        margin={"l": 8, "r": 12, "t": 10, "b": 8},
        xaxis={
            "fixedrange": True,
            "zeroline": False,
            "tickvals": places,
            "ticktext": [f"{k:g}" for k in ks],
            "title": {"text": "demonstrations", "font": {"size": 12}},
            "automargin": True,
        },
        yaxis={
            "fixedrange": True,
            "zeroline": False,
            "gridcolor": FAINT,
            "title": {"text": escape(title), "font": {"size": 12}},
            "automargin": True,
        },
    )


@FigureFunction
def reliability_figure(
    names: Sequence[str], said: Sequence[Sequence[float]], true: Sequence[Sequence[float]], height: int
) -> Spec:
    """How often answers of a certainty are right, a line a setting; on the dashed diagonal they are as often right as
    they say.

    Args:
        names: (S,) settings, at most as many as there are colours.
        said, true: (S, B) mean certainty and share of right answers by bin; NaN where a bin is empty.
        height: in pixels.
    """
    diagonal = {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip", "showlegend": False}
    traces: list[Trace] = [diagonal | {"line": {"color": INK, "width": 1, "dash": "dash"}}]
    for name, x, y, colour in zip(names, said, true, TASK_COLOURS, strict=False):
        kept = [(a, b) for a, b in zip(x, y, strict=True) if np.isfinite(a)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": shorten(name, 30),
                "x": [a for a, _ in kept],
                "y": [b for _, b in kept],
                "line": {"color": colour, "width": 2},
                "marker": {"color": colour, "size": 7},
                "hovertemplate": "says %{x:.0%}, right %{y:.0%}<extra></extra>",
            }
        )
    axis = {"fixedrange": True, "zeroline": False, "range": [-0.02, 1.02], "tickformat": ".0%", "gridcolor": FAINT}
    small = {"font": {"size": 12}}
    return spec(
        traces,
        height,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
        margin={"l": 8, "r": 12, "t": 24, "b": 8},
        xaxis=axis | {"title": {"text": "certainty of the answer"} | small, "automargin": True},
        yaxis=axis | {"title": {"text": "right"} | small, "automargin": True},
    )


def _points(places: NDArray[np.int64], bars: Sequence[IntervalBar]) -> Trace:
    """A line through means, with their intervals."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": places,
        "y": [bar.mean for bar in bars],
        "marker": {"color": MODEL, "size": 9},
        "line": {"color": MODEL, "width": 2},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [bar.high - bar.mean for bar in bars],
            "arrayminus": [bar.mean - bar.low for bar in bars],
            "color": MODEL,
            "thickness": 1.5,
            "width": 4,
        },
        "customdata": [[bar.note] for bar in bars],
        "hovertemplate": "%{customdata[0]}<extra></extra>",
    }


def _upright(at: float, dash: str) -> Trace:
    line = {"color": INK, "width": 1, "dash": dash}
    return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _rows(
    bars: Sequence[IntervalBar], title: str, height: int, shares: bool, colours: Sequence[str], zero: bool
) -> Spec:
    places = np.arange(len(bars))
    form = ".1%" if shares else ".3f"
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [bar.low, bar.high],
            "y": [place, place],
            "line": {"color": colour, "width": 3},
            "hoverinfo": "skip",
        }
        for place, bar, colour in zip(places.tolist(), bars, colours, strict=True)
        if np.isfinite(bar.low) and np.isfinite(bar.high)
    ]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [bar.mean for bar in bars],
            "y": places,
            "marker": {"color": list(colours), "size": 11},
            "customdata": [[escape(bar.name), bar.note] for bar in bars],
            "hovertemplate": f"%{{customdata[0]}}<br>%{{x:{form}}}<br>%{{customdata[1]}}<extra></extra>",
        }
    )
    return spec(
        traces,
        height,
        shapes=[_upright(0, "solid")] if zero else [],
        hovermode="closest",
        margin={"l": 8, "r": 14, "t": 8, "b": 8},
        xaxis={
            "fixedrange": True,
            "zeroline": False,
            "gridcolor": FAINT,
            "showgrid": True,
            "tickformat": "+.0%" if shares and zero else ".0%" if shares else "",
            "title": {"text": escape(title), "font": {"size": 12}, "standoff": 4},
            "automargin": True,
        },
        yaxis={
            "fixedrange": True,
            "zeroline": False,
            "range": [len(bars) - 0.5, -0.5],
            "tickvals": places,
            "ticktext": distinct([bar.name for bar in bars], 34),
            "automargin": True,
        },
    )
