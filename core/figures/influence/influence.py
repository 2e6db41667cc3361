"""Influence of the demonstrations by removal: bars to the right push towards the label asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, distinct, figure, outline, panel_title, single, wrap
from core.figures.colours import BAYES, FAINT, MARK, MODEL

STEPS = 24  # invisible markers along a row of bars, so that a click beside a short bar counts too
FIXED = {"fixedrange": True, "zeroline": False, "automargin": True}


def influence_figure(
    panels: Sequence[str],
    model: ArrayLike,
    bayes: ArrayLike | None,
    errors: ArrayLike | None,
    inputs: Sequence[str],
    labels: Sequence[str],
    numbers: Sequence[int],
    changed: Sequence[str | None],
    unit: str,
    marked: int | None = None,
    height: int = 262,
) -> go.Figure:
    """A row a demonstration, a panel a measure: bars to the right push towards the label asked about.

    Args:
        panels: (P,) titles, such as "leave-one-out" and "Shapley".
        model: (P, n) the model's influence.
        bayes: (P, n) exact Bayes's, or None where the mixture is unknown.
        errors: (P, n) standard errors of `model`, 0 or NaN where exact; or None.
        inputs, labels: (n,) the demonstrations in the order shown.
        numbers: (n,) their numbers, the same in every view.
        changed: (n,) what the model answers when a demonstration goes, None where it answers the same.
        unit: of v, for the hover text.
        marked: number of the demonstration to frame.
        height: in pixels.
    """
    bars = np.atleast_2d(np.asarray(model, dtype=float))
    truth = None if bayes is None else np.atleast_2d(np.asarray(bayes, dtype=float))
    spread = np.zeros_like(bars) if errors is None else np.nan_to_num(np.atleast_2d(np.asarray(errors, dtype=float)))
    names = [f"{wrap(x)} → {wrap(y)}" for x, y in zip(inputs, labels, strict=True)]
    shift = 0.19 if truth is not None else 0.0
    traces: list[Trace] = []
    layout: dict[str, Any] = {}
    notes = []
    for p, title in enumerate(panels):
        axis = "" if p == 0 else str(p + 1)
        own: dict[str, Any] = {"numbers": numbers, "names": names, "axis": axis, "unit": unit}
        traces.append(_bars("model", bars[p], -shift, MODEL, errors=spread[p], changed=changed, **own))
        if truth is not None:
            traces.append(_bars("exact Bayes", truth[p], shift, BAYES, **own))
        sides = [bars[p] - spread[p], bars[p] + spread[p], *([truth[p]] if truth is not None else [])]
        limits = _reach(np.concatenate(sides))
        traces.append(_row_targets(limits, numbers, axis))
        left, right = p / len(panels) + (0.025 if p else 0), (p + 1) / len(panels) - 0.025
        layout[f"xaxis{axis}"] = _effect_axis(limits, (left, right), f"y{axis}")
        layout[f"yaxis{axis}"] = rows_axis(bars.shape[1], numbers, labels if p == 0 else None, f"x{axis}")
        notes.append(panel_title(title, left))
    framed = [r for r, number in enumerate(numbers) if number == marked]
    return figure(
        traces,
        height,
        barmode="overlay",
        shapes=[_row_frame(r, p) for r in framed for p in range(len(panels))],
        annotations=notes,
        margin={"l": 8, "r": 8, "t": 30, "b": 24},
        **layout,
    )


def _bars(
    name: str,
    values: NDArray[np.float64],
    shift: float,
    colour: str,
    *,
    numbers: Sequence[int],
    names: Sequence[str],
    axis: str,
    unit: str,
    errors: NDArray[np.float64] | None = None,
    changed: Sequence[str | None] = (),
) -> Trace:
    ends = [f"<br>without it the model answers {wrap(c)}" if c is not None else "" for c in changed] or [""] * len(
        names
    )
    trace: Trace = {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": single(values),
        "y": np.arange(len(names), dtype=np.float32) + np.float32(shift),
        "width": 0.36 if shift else 0.6,
        "marker": {"color": colour},
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "customdata": [[n, text + end] for n, text, end in zip(numbers, names, ends, strict=True)],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "hovertemplate": "<b>%{customdata[0]}</b> %{customdata[1]}<br>" + f"{name} %{{x:+.4f}} {unit}<extra></extra>",
    }
    if errors is not None and errors.any():
        trace["error_x"] = {"type": "data", "array": single(errors), "thickness": 1.2, "width": 3, "color": BAYES}
        trace["hovertemplate"] = trace["hovertemplate"].replace(f" {unit}<", f" ± %{{error_x.array:.4f}} {unit}<")
    return trace


def _effect_axis(limits: tuple[float, float], domain: tuple[float, float], anchor: str) -> dict[str, Any]:
    return {
        **FIXED,
        "automargin": False,
        "domain": list(domain),
        "range": list(limits),
        "nticks": 5,
        "zeroline": True,
        "zerolinecolor": FAINT,
        "zerolinewidth": 2,
        "anchor": anchor,
    }


def _row_frame(row: int, panel: int) -> dict[str, Any]:
    """A frame around a row of one panel."""
    axis = "" if panel == 0 else str(panel + 1)
    return {**outline(0, 1, row - 0.5, row + 0.5), "xref": f"x{axis} domain", "yref": f"y{axis}"}


def _row_targets(limits: tuple[float, float], numbers: Sequence[int], axis: str) -> Trace:
    """Invisible markers along every row, which carry the number of its demonstration."""
    (low, high), rows = limits, len(numbers)
    return {
        "type": "scatter",
        "x": np.tile(np.linspace(low, high, STEPS, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), STEPS),
        "mode": "markers",
        "customdata": [[number] for number in numbers for _ in range(STEPS)],
        "hoverinfo": "none",
        "marker": {"opacity": 0, "size": 14, "symbol": "square", "color": MARK},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
    }


def rows_axis(rows: int, numbers: Sequence[int], labels: Sequence[str] | None, anchor: str) -> dict[str, Any]:
    """Demonstrations from top to bottom; number and label while there is room, numbers alone after that."""
    text = (
        [f"<b>{n}</b>" for n in numbers]
        if rows <= 24
        else [str(n) if i % 5 == 0 else "" for i, n in enumerate(numbers)]
    )
    if labels is not None and rows <= 24:
        text = [f"{y} {t}" for y, t in zip(distinct(labels, 10), text, strict=True)]
    return {
        **FIXED,
        "showgrid": False,
        "tickvals": np.arange(rows),
        "ticktext": text if labels is not None else [""] * rows,
        "tickfont": {"size": 12 if rows <= 12 else 10},
        "range": [rows - 0.5, -0.5],
        "anchor": anchor,
    }


def _reach(values: NDArray[np.float64]) -> tuple[float, float]:
    """Limits of an axis around finite values and zero, with some air."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    air = 0.06 * ((high - low) or 1.0)
    return low - air, high + air
