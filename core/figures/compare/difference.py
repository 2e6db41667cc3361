"""Bars of A, of B and of B − A beside each other.

Less is orange and more is blue, which any common colour vision tells apart; what a side lacks is marked "–", never
drawn as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.base import Trace, distinct, figure, panel_title, single, wrap
from core.figures.colours import LESS, MODEL, MORE, OTHERS
from core.figures.compare.cells import FIXED, LEAST, NEGLIGIBLE
from core.runtime.numbers import cell, signed_cell

PANELS = ((0.0, 0.30), (0.345, 0.645), (0.70, 1.0))


@dataclass(frozen=True)
class Series:
    """One quantity on both sides.

    Attributes:
        name: for the hover text.
        a, b: (N,) values, NaN where a side lacks the name.
        colours: one for all names, or (N,) one for each.
        hatched: whether its bars are hatched where they show B − A.
    """

    name: str
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    colours: str | Sequence[str] = MODEL
    hatched: bool = False


def sides_figure(
    names: Sequence[str],
    series: Sequence[Series],
    star: str | None = None,
    notes: tuple[str, str, str] = ("", "", ""),
    what: str = "candidates",
    most: int = 7,
    height: int = 262,
) -> go.Figure:
    """Bars of A, of B and of B − A, a row a name; the largest `most` names, and one row for all others.

    Args:
        names: (N,).
        series: one or two, drawn one under the other in every row.
        star: the name that carries a ★.
        notes: a short line under the title of each panel.
        what: what the names are, for the row of others.
        most: rows.
        height: in pixels.
    """
    shown, rest = _ranked(series, most)
    titles = [
        ("★ " if names[i] == star else "") + name
        for i, name in zip(shown, distinct([names[i] for i in shown], 15), strict=True)
    ]
    full = [wrap(names[i]) for i in shown]
    if len(rest):
        titles.append(f"{len(rest)} others")
        full.append(f"{len(rest)} other {what} together")
    rows = np.arange(len(titles), dtype=np.float32)
    kept = [[_column(values, shown, rest) for values in (one.a, one.b)] for one in series]
    changes = [_column(one.b - one.a, shown, rest) for one in series]
    reach = max([LEAST, *(float(np.nanmax(np.abs(change), initial=0.0)) for change in changes)])
    traces: list[Trace] = []
    for place, (one, (a, b), change) in enumerate(zip(series, kept, changes, strict=True)):
        shift = (place - (len(series) - 1) / 2) * 0.4
        tints = one.colours if isinstance(one.colours, str) else [*(one.colours[i] for i in shown), OTHERS][: len(rows)]
        for panel, values in enumerate((a, b, change)):
            trace = _bars(one, values, rows, shift, panel, full, 0.38 if len(series) > 1 else 0.62)
            signs = [LESS if value < 0 else MORE for value in values]
            trace["marker"] = {"color": tints if panel < 2 else signs}
            if panel == 2 and one.hatched:
                trace["marker"] |= {"pattern": {"shape": "/", "size": 5, "solidity": 0.4}}
            traces.append(trace)
    return figure(traces, height, **_three_panels(titles, reach, notes))


def _ranked(series: Sequence[Series], most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The names to draw, the largest of any side first, and the others."""
    values = np.array([side for one in series for side in (one.a, one.b)])
    reach = np.nanmax(np.where(np.isnan(values), 0.0, values), axis=0, initial=0.0)
    order = np.argsort(-reach, kind="stable")
    most = min(most, max(3, 1 + int((reach >= NEGLIGIBLE).sum())))
    return (order, order[:0]) if len(order) <= most else (order[: most - 1], order[most - 1 :])


def _column(values: NDArray[np.float64], shown: NDArray[np.intp], rest: NDArray[np.intp]) -> NDArray[np.float32]:
    """The values drawn, and the sum of the others that a side has."""
    kept = values[shown]
    if len(rest):
        others = values[rest]
        kept = np.append(kept, np.nan if np.isnan(others).all() else np.nansum(others))
    return single(kept)


def _bars(
    one: Series,
    values: NDArray[np.float32],
    rows: NDArray[np.float32],
    shift: float,
    panel: int,
    full: list[str],
    width: float,
) -> Trace:
    suffix = "" if panel == 0 else str(panel + 1)
    side = ("A", "B", "B − A")[panel]
    lacking = np.isnan(values)
    texts = ["–" if gap else signed_cell(v) if panel == 2 else cell(v) for v, gap in zip(values, lacking, strict=True)]
    return {
        "type": "bar",
        "orientation": "h",
        "name": f"{one.name}, {side}",
        "x": np.where(lacking, np.float32(0), values),
        "y": rows + np.float32(shift),
        "width": width,
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "customdata": [
            f"{name}<br>{one.name}, {side} " + ("is not known" if gap else f"{value:{'+' if panel == 2 else ''}.4f}")
            for name, value, gap in zip(full, values, lacking, strict=True)
        ],
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "constraintext": "none",
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _three_panels(titles: Sequence[str], reach: float, notes: tuple[str, str, str]) -> dict[str, Any]:
    """Axes and titles of A, B and B − A, sharing their rows."""
    rows = np.arange(len(titles), dtype=np.float32)
    layout: dict[str, Any] = {"barmode": "overlay", "annotations": [], "margin": {"l": 8, "r": 8, "t": 40, "b": 22}}
    for panel, (left, right) in enumerate(PANELS):
        suffix = "" if panel == 0 else str(panel + 1)
        layout[f"xaxis{suffix}"] = {
            "domain": [left, right],
            "anchor": f"y{suffix}",
            "fixedrange": True,
            "range": [0, 1.32] if panel < 2 else [-1.5 * reach, 1.5 * reach],
            "tickvals": [0, 0.5, 1] if panel < 2 else [0],
            "ticktext": ["0", ".5", "1"] if panel < 2 else ["0"],
            "zeroline": panel == 2,
            "zerolinecolor": OTHERS,
        }
        layout[f"yaxis{suffix}"] = {
            **FIXED,
            "anchor": f"x{suffix}",
            "autorange": False,
            "range": [len(titles) - 0.45, -0.55],
            "tickvals": rows,
            "ticktext": titles if panel == 0 else [""] * len(titles),
            "automargin": panel == 0,
        }
        layout["annotations"].append(panel_title(("A", "B", "B − A")[panel], left, notes[panel]))
    return layout
