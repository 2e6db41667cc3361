"""Posterior over tasks: bars after n demonstrations, and the path from the prior to the last demonstration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.figures.base import (
    FigureFunction,
    Spec,
    Trace,
    distinct,
    panel_title,
    room_for_titles,
    shorten,
    single,
    spec,
    wrap,
)
from core.figures.colours import FAINT, OTHERS
from core.runtime.numbers import cell
from core.statistics.intervals import around

HANDFUL = 7
SPAN = "#808694"  # intervals, on light and dark pages
SHARES = {
    "range": [0, 1.22],
    "tickvals": [0, 0.5, 1],
    "ticktext": ["0", ".5", "1"],
    "fixedrange": True,
    "zeroline": False,
}
"""An axis of probabilities, with room for a number behind the longest bar."""
UNDER = 0.42  # of a row below a bar's middle, where its interval lies


@dataclass(frozen=True)
class Panel:
    """One posterior, to stand beside the others.

    Attributes:
        title: over the panel, such as "exact".
        tasks: (T,) names.
        weights: (k + 1, T), rows sum to one.
        note: one short line under the title.
        reach: (k + 1,) radians, where the weights have intervals (`core.statistics.intervals.around`).
    """

    title: str
    tasks: tuple[str, ...]
    weights: ArrayLike
    note: str = ""
    reach: ArrayLike | None = None

    def interval(self, weights: ArrayLike, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Ends of the intervals on these of its weights after n demonstrations, or None without any."""
        if self.reach is None:
            return None
        reach = np.asarray(self.reach, dtype=float)
        return around(np.asarray(weights, dtype=float), reach[min(n, len(reach) - 1)])


def importance(panels: Sequence[Panel]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Every task of any panel, in order of first appearance, and its largest weight over n and panels.

    The prior counts for little here: a task that only the prior favours is not what a view is about. Of a handful of
    tasks, which somebody wrote to see them, each counts for something.
    """
    largest: dict[str, float] = {}
    for panel in panels:
        weights = np.asarray(panel.weights, dtype=float)
        after = weights[1:] if len(weights) > 1 else weights
        least = 0.02 if len(panel.tasks) <= HANDFUL else 0.0
        for task, weight in zip(panel.tasks, after.max(axis=0, initial=least), strict=True):
            largest[task] = max(largest.get(task, 0.0), float(weight))
    return tuple(largest), np.array(list(largest.values()))


@FigureFunction
def bars_figure(panels: Sequence[Panel], n: int, colours: Mapping[str, str], height: int = 250) -> Spec:
    """P(T | first n demonstrations), a panel beside the other, a row a task.

    Panels with the same tasks share their rows, and rows keep their place for every n, so that stepping n moves the
    bars and nothing else. Tasks without a colour are one grey row. Where a panel has intervals, a line under each bar
    spans its own.
    """
    traces: list[Trace] = []
    lines = _note_lines(panels)
    top = room_for_titles(lines)
    layout: dict[str, Any] = {
        "annotations": [],
        "shapes": [],
        "margin": {"l": 8, "r": 8, "t": top, "b": 22},
    }
    groups = _groups(panels)
    bounds = _bounds(panels, groups)
    for place, (panel, (left, right)) in enumerate(zip(panels, bounds, strict=True), start=1):
        suffix = "" if place == 1 else str(place)
        first_of_group = place == 1 or groups[place - 1] != groups[place - 2]
        names, values, tints = _rows(panel, n, colours)
        rows = np.arange(len(names), dtype=np.float32)
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": single(values),
                "y": rows,
                "marker": {"color": tints},
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "name": panel.title,
                "customdata": _hovers(panel, n, names, values),
                "text": [cell(v) for v in values],
                "textposition": "outside",
                "cliponaxis": False,
                "constraintext": "none",
                "hovertemplate": (
                    f"%{{customdata[0]}}<br>{panel.title}, n = {n}: %{{x:.4f}}%{{customdata[1]}}<extra></extra>"
                ),
                "width": 0.66,
            }
        )
        layout["shapes"] += _spans(panel, n, values, suffix)
        layout[f"xaxis{suffix}"] = {"domain": [left, right], "anchor": f"y{suffix}", **SHARES}
        layout[f"yaxis{suffix}"] = {
            "range": [len(names) - 0.4, -0.6],
            "anchor": f"x{suffix}",
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "tickvals": rows,
            "ticktext": distinct(names, 22) if first_of_group else [""] * len(names),
            "automargin": place == 1,
        }
        layout["annotations"].append(panel_title(panel.title, left, panel.note, lines))
    return spec(traces, height, **layout)


def _note_lines(panels: Sequence[Panel]) -> int:
    """One line a note where there are two panels at most, else one a clause: three panels are too narrow for more."""
    return max((panel.note.count(", ") + 1 for panel in panels), default=1) if len(panels) > 2 else 1


def _hovers(panel: Panel, n: int, names: Sequence[str], values: Sequence[float]) -> list[list[str]]:
    """Name and interval of every row."""
    ends = panel.interval(values, n)
    if ends is None:
        return [[wrap(name), ""] for name in names]
    said = [f"<br>exact Bayes within {low:.3f} – {high:.3f}" for low, high in zip(*ends, strict=True)]
    return [[wrap(name), interval] for name, interval in zip(names, said, strict=True)]


def _spans(panel: Panel, n: int, values: Sequence[float], suffix: str) -> list[dict[str, Any]]:
    """A line under every bar from the low to the high end of its interval."""
    ends = panel.interval(values, n)
    if ends is None:
        return []
    return [
        {
            "type": "line",
            "x0": float(low),
            "x1": float(high),
            "y0": row + UNDER,
            "y1": row + UNDER,
            "xref": f"x{suffix}",
            "yref": f"y{suffix}",
            "line": {"color": SPAN, "width": 2},
            "layer": "above",
        }
        for row, (low, high) in enumerate(zip(*ends, strict=True))
    ]


@FigureFunction
def path_figure(panels: Sequence[Panel], n: int, colours: Mapping[str, str], height: int = 250) -> Spec:
    """P(T | D_n) against n, a line a task; the line at n shows which step the bars are at."""
    traces: list[Trace] = []
    lines = _note_lines(panels)
    top = room_for_titles(lines)
    layout: dict[str, Any] = {
        "annotations": [],
        "margin": {"l": 8, "r": 8, "t": top, "b": 22},
        "shapes": [],
    }
    width = 1.0 / max(len(panels), 1)
    short = dict(zip(colours, distinct(list(colours), 22), strict=True))
    for place, panel in enumerate(panels, start=1):
        suffix = "" if place == 1 else str(place)
        left, right = (place - 1) * width + (0.03 if place > 1 else 0.0), place * width - 0.01
        weights = np.asarray(panel.weights, dtype=float)
        steps = np.arange(len(weights), dtype=np.float32)
        for task, colour in colours.items():
            if task in panel.tasks:
                line = _line(panel, task, steps, weights[:, panel.tasks.index(task)], colour, suffix)
                traces.append(line | {"name": short[task]})
        coloured = [panel.tasks.index(task) for task in colours if task in panel.tasks]
        rest = 1.0 - weights[:, coloured].sum(axis=1)
        if len(coloured) < len(panel.tasks):
            traces.append(_line(panel, "others", steps, rest, OTHERS, suffix))
        layout[f"xaxis{suffix}"] = {
            "domain": [left, right],
            "anchor": f"y{suffix}",
            "fixedrange": True,
            "zeroline": False,
            "range": [-0.2, len(weights) - 0.8],
            "dtick": max(1, len(weights) // 8),
        }
        layout[f"yaxis{suffix}"] = {
            "range": [-0.03, 1.05],
            "anchor": f"x{suffix}",
            "fixedrange": True,
            "zeroline": False,
            "tickvals": [0, 0.5, 1],
            "ticktext": ["0", ".5", "1"] if place == 1 else ["", "", ""],
            "automargin": place == 1,
        }
        layout["shapes"].append(
            {
                "type": "line",
                "x0": n,
                "x1": n,
                "y0": 0,
                "y1": 1,
                "xref": f"x{suffix}",
                "yref": f"y{suffix}",
                "line": {"color": FAINT, "width": 6},
                "layer": "below",
            }
        )
        layout["annotations"].append(panel_title(panel.title, left, panel.note, lines))
    # At the foot of the figure, two lines of it at most; what does not fit scrolls.
    legend = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "font": {"size": 11}}
    layout["margin"]["b"] = 64
    return spec(_once_in_legend(traces), height, **layout, showlegend=True, legend=legend)


def _once_in_legend(traces: list[Trace]) -> list[Trace]:
    """A task that several panels draw has one entry, which shows and hides all of its lines."""
    named: set[str] = set()
    for trace in traces:
        trace["legendgroup"] = trace["name"]
        trace["showlegend"] = trace["name"] not in named
        named.add(trace["name"])
    return traces


def _line(
    panel: Panel, task: str, steps: NDArray[np.float32], weights: NDArray[np.float64], colour: str, suffix: str
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": steps,
        "y": single(weights),
        "name": shorten(task, 22),
        "line": {"color": colour, "width": 2.5},
        "marker": {"size": 6},
        "xaxis": f"x{suffix}",
        "yaxis": f"y{suffix}",
        "hovertemplate": f"{wrap(task)}<br>{panel.title}, n = %{{x}}: %{{y:.4f}}<extra></extra>",
    }


def _rows(panel: Panel, n: int, colours: Mapping[str, str]) -> tuple[list[str], list[float], list[str]]:
    """Rows of a panel: its coloured tasks in the order of `colours`, then all others in one row.

    A handful of tasks is shown whole, in its own order: somebody wrote them to see them.
    """
    weights = np.asarray(panel.weights, dtype=float)
    row = weights[min(n, len(weights) - 1)]
    place = {task: i for i, task in enumerate(panel.tasks)}
    names = list(panel.tasks) if len(panel.tasks) <= HANDFUL else [task for task in colours if task in place]
    values = [float(row[place[task]]) for task in names]
    tints = [colours.get(task, OTHERS) for task in names]
    others = len(panel.tasks) - len(names)
    if others:
        names.append(f"{others} other{'s' if others > 1 else ''}")
        values.append(max(0.0, 1.0 - sum(values)))
        tints.append(OTHERS)
    return names, values, tints


def _groups(panels: Sequence[Panel]) -> list[int]:
    """Panels in a row that have the same tasks are one group and need their names once."""
    groups: list[int] = []
    for i, panel in enumerate(panels):
        same = i > 0 and panel.tasks == panels[i - 1].tasks
        groups.append(groups[-1] if same else len(set(groups)))
    return groups


def _bounds(panels: Sequence[Panel], groups: Sequence[int]) -> list[tuple[float, float]]:
    """Left and right edge of every panel; a new group leaves room for its names."""
    room = 0.22  # of the width, for a second group's task names
    breaks = sum(1 for i in range(1, len(panels)) if groups[i] != groups[i - 1])
    width = (1.0 - breaks * room) / max(len(panels), 1)
    bounds, left = [], 0.0
    for i in range(len(panels)):
        if i and groups[i] != groups[i - 1]:
            left += room
        bounds.append((left, left + width - 0.025))
        left += width
    return bounds
