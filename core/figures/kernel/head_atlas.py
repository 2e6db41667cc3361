"""The head atlas: layers × heads of agreement, and heads beside other kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, click_targets, distinct, figure, outline, panel_title, shorten, single, wrap
from core.figures.colours import BAYES, FAINT, INK, MODEL, SEQUENTIAL, TASK_COLOURS
from core.runtime.numbers import cell

GAP = 0.07
GOLD = TASK_COLOURS[1]
Interval = tuple[float, float, float]  # share, low, high


@dataclass(frozen=True)
class AtlasPanel:
    """One map of the atlas.

    Attributes:
        title: over it.
        note: a quieter line below the title.
        values: (layers, heads) what is drawn.
        others: (layers, heads) for the hover text, with `other` saying what it is.
        other: see `others`.
        best: (layer, head) to frame.
    """

    title: str
    note: str
    values: ArrayLike
    others: ArrayLike
    other: str
    best: tuple[int, int]


def atlas_figure(panels: Sequence[AtlasPanel], height: int = 0) -> go.Figure:
    """Maps of layers × heads side by side on one scale, the chosen head framed in each.

    Clicks bring [None, head, layer].

    Args:
        panels: one or two.
        height: in pixels; 0 lets the number of layers decide.
    """
    maps = [single(panel.values) for panel in panels]
    layers, heads = maps[0].shape
    low = float(np.floor(20 * min(cells.min() for cells in maps)) / 20)
    width = (1 - GAP * (len(panels) - 1)) / len(panels)
    traces: list[Trace] = []
    layout: dict[str, Any] = {}
    shapes = []
    for place, (panel, cells) in enumerate(zip(panels, maps, strict=True)):
        suffix = "" if place == 0 else str(place + 1)
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        traces.append({**_map(panel, cells, low, colorbar=place == len(panels) - 1), **axes})
        traces.append({**click_targets(heads, layers, [None] * heads), **axes})
        if cells.size <= 96:
            traces.append({**_letters(cells), **axes})
        layer, head = panel.best
        shapes.append({**outline(head - 0.5, head + 0.5, layer - 0.5, layer + 0.5), "xref": f"x{suffix}"} | _y(suffix))
        begin = place * (width + GAP)
        layout[f"xaxis{suffix}"] = _axis(heads, "head", [begin, begin + width], f"y{suffix}")
        layout[f"yaxis{suffix}"] = {**_axis(layers, "layer", [0, 1], f"x{suffix}"), "autorange": "reversed"}
    titles = [panel_title(panel.title, place * (width + GAP), panel.note) for place, panel in enumerate(panels)]
    return figure(
        traces,
        height or min(640, 110 + max(22, min(44, 320 // layers)) * layers),
        shapes=shapes,
        annotations=titles,
        margin={"l": 8, "r": 8, "t": 44, "b": 36},
        **layout,
    )


def _y(suffix: str) -> dict[str, str]:
    return {"yref": f"y{suffix}"}


def _map(panel: AtlasPanel, cells: NDArray[np.float32], low: float, colorbar: bool) -> Trace:
    trace: Trace = {
        "type": "heatmap",
        "z": cells,
        "customdata": np.stack([single(panel.others)], axis=-1),
        "colorscale": SEQUENTIAL,
        "zmin": low,
        "zmax": 1.0,
        "xgap": 1,
        "ygap": 1,
        "showscale": colorbar,
        "hovertemplate": f"layer %{{y}}, head %{{x}}<br>{panel.title} %{{z:.3f}}<br>"
        f"{panel.other} %{{customdata[0]:.3f}}<extra></extra>",
    }
    if colorbar:
        trace["colorbar"] = {"thickness": 8, "len": 0.9, "outlinewidth": 0, "nticks": 4, "tickfont": {"size": 10}}
    return trace


def _letters(cells: NDArray[np.float32]) -> Trace:
    rows, columns = cells.shape
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "x": np.tile(np.arange(columns, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), columns),
        "text": [cell(value) for value in cells.ravel()],
        "textfont": {"size": 12, "color": INK},
    }


def _axis(size: int, title: str, domain: list[float], anchor: str) -> dict[str, Any]:
    step = max(1, size // 16)
    return {
        "domain": domain,
        "anchor": anchor,
        "tickvals": np.arange(0, size, step),
        "title": {"text": title, "font": {"size": 12}, "standoff": 4},
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "range": [-0.5, size - 0.5],
    }


@dataclass(frozen=True)
class AgreementRow:
    """One row of `agreement_figure`.

    Attributes:
        name: what is measured.
        model: (share, low, high) of agreement with the model's answer, or None where it says nothing.
        gold: the same with the right answer.
    """

    name: str
    model: Interval | None
    gold: Interval | None


def agreement_figure(
    rows: Sequence[AgreementRow], rules: Sequence[tuple[str, float]] = (), height: int = 0
) -> go.Figure:
    """Shares with their intervals, a row a kernel: a disc for the model's answer, a diamond for the right one.

    Args:
        rows: from top to bottom.
        rules: (name, share) of dotted lines to compare with.
        height: in pixels; 0 lets the rows decide.
    """
    traces = [
        _marks("the model’s answer", MODEL, "circle", -0.14, [(y, row, row.model) for y, row in enumerate(rows)]),
        _marks("the right answer", GOLD, "diamond", 0.14, [(y, row, row.gold) for y, row in enumerate(rows)]),
    ]
    line = {"color": BAYES, "width": 1.2, "dash": "dot"}
    bottom = len(rows) - 0.5
    return figure(
        traces,
        height or 84 + 25 * len(rows),
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"},
        margin={"l": 8, "r": 16, "t": 30, "b": 40},
        shapes=[{"type": "line", "x0": x, "x1": x, "y0": -0.5, "y1": bottom, "line": line} for _, x in rules],
        annotations=[
            {
                "text": shorten(name, 40),
                "x": x,
                "y": bottom,
                "yanchor": "bottom",
                "xanchor": "right" if x > 0.5 else "left",
                "xshift": -4 if x > 0.5 else 4,
                "showarrow": False,
                "font": {"size": 11, "color": BAYES},
            }
            for name, x in rules
        ],
        xaxis={
            "range": [0, 1.02],
            "title": {"text": "share of items that agree, with 95 % intervals", "font": {"size": 12}, "standoff": 4},
            "fixedrange": True,
            "zeroline": False,
            "gridcolor": FAINT,
        },
        yaxis={
            "tickvals": np.arange(len(rows)),
            "ticktext": distinct([row.name for row in rows], 34),
            "range": [bottom, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    )


def _marks(
    name: str, colour: str, symbol: str, shift: float, rows: Sequence[tuple[int, AgreementRow, Interval | None]]
) -> Trace:
    """Shares with their intervals as whiskers; rows without one are left out."""
    kept = [(y + shift, row.name, *found) for y, row, found in rows if found is not None]
    value, low, high = (single([entry[i] for entry in kept]) for i in (2, 3, 4))
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": value,
        "y": single([entry[0] for entry in kept]),
        "customdata": np.stack([low, high], axis=-1),
        "text": [wrap(entry[1]) for entry in kept],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": high - value,
            "arrayminus": value - low,
            "thickness": 1.5,
            "width": 0,
            "color": colour,
        },
        "marker": {"color": colour, "symbol": symbol, "size": 9},
        "hovertemplate": f"%{{text}}<br>agrees with {name}: %{{x:.3f}} "
        "(95 % interval %{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
    }
