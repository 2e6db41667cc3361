"""The predictive as a mixture: for every label, what each task adds, beside the model's own probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, distinct, figure, shorten, single, wrap
from core.figures.colours import MODEL, OTHERS

NEGLIGIBLE = 0.005
PROBABILITY = {
    "range": [0, 1.02],
    "tickvals": [0, 0.25, 0.5, 0.75, 1],
    "ticktext": ["0", ".25", ".5", ".75", "1"],
    "fixedrange": True,
    "automargin": True,
}


def task_mixture_figure(
    labels: Sequence[str],
    own: ArrayLike,
    shares: ArrayLike,
    tasks: Sequence[str],
    colours: Mapping[str, str],
    gold: str | None = None,
    most: int = 7,
    height: int = 220,
) -> go.Figure:
    """Two bars a label: the model's, and below it the mixture's, stacked by task.

    Args:
        labels: (L,) with any other text last; it is drawn last.
        own: (L,) the model's probabilities.
        shares: (T, L) P(T|D,x) p(y|x,T).
        tasks: (T,) names; those without a colour are stacked together in grey.
        colours: by task.
        gold: the right answer, which carries a ★.
        most: rows drawn at most; labels beyond are summed up in one.
        height: in pixels.
    """
    q, parts = np.asarray(own, dtype=float), np.asarray(shares, dtype=float)
    rows = _rows(q, parts.sum(0), most)
    short = dict(zip(labels, distinct(labels, 16), strict=True))
    names = [_name(row, labels, short, gold) for row in rows]
    full = ["<br>".join(wrap(labels[i]) for i in row[:6]) + ("<br>…" if len(row) > 6 else "") for row in rows]
    places = np.arange(len(rows), dtype=np.float32)
    traces = [
        _bar("the model", [q[row].sum() for row in rows], places - np.float32(0.2), MODEL, full, "model"),
    ]
    groups = _groups(tasks, colours)
    for (name, members, colour), entry in zip(groups, distinct([group[0] for group in groups], 22), strict=True):
        values = [parts[np.ix_(members, row)].sum() for row in rows]
        if max(values, default=0.0) > NEGLIGIBLE:
            traces.append(_bar(name, values, places + np.float32(0.2), colour, full, "mixture") | {"name": entry})
    return figure(
        traces,
        height,
        barmode="relative",
        margin={"l": 8, "r": 8, "t": 4, "b": 8},
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12},
            "traceorder": "normal",
        },
        xaxis=PROBABILITY,
        yaxis={
            "tickvals": places,
            "ticktext": names,
            "range": [len(rows) - 0.45, -0.55],
            "fixedrange": True,
            "showgrid": False,
            "automargin": True,
        },
    )


def _groups(tasks: Sequence[str], colours: Mapping[str, str]) -> list[tuple[str, list[int], str]]:
    """Name, places and colour of what is stacked: each task with a colour, and the rest together."""
    groups = [(task, [tasks.index(task)], colour) for task, colour in colours.items() if task in tasks]
    rest = [t for t, task in enumerate(tasks) if task not in colours]
    if rest:
        groups.append((f"{len(rest)} other task{'s' if len(rest) > 1 else ''}", rest, OTHERS))
    return groups


def _rows(own: np.ndarray, mixed: np.ndarray, most: int) -> list[list[int]]:
    """Which labels stand in each row: the likeliest by themselves, the rest together, any other text last."""
    reach = np.maximum(own, mixed)[:-1]
    order = [int(i) for i in np.argsort(-reach, kind="stable")]
    alone = [i for i in order if reach[i] >= NEGLIGIBLE][: most - 2] or order[:1]
    together = [i for i in order if i not in alone]
    if len(together) == 1:
        alone, together = [*alone, *together], []
    return [*([i] for i in alone), *([together] if together else []), [len(own) - 1]]


def _name(row: Sequence[int], labels: Sequence[str], short: Mapping[str, str], gold: str | None) -> str:
    if len(row) > 1:
        return f"{len(row)} others"
    return ("★ " if labels[row[0]] == gold else "") + short[labels[row[0]]]


def _bar(name: str, values: Sequence[float], places: np.ndarray, colour: str, full: Sequence[str], side: str) -> Trace:
    said = f"{shorten(name, 30)}: %{{x:.4f}}" if side == "model" else f"by {wrap(name)}: %{{x:.4f}}"
    return {
        "type": "bar",
        "orientation": "h",
        "name": shorten(name, 22),
        "x": single(values),
        "y": places,
        "width": 0.36,
        "marker": {"color": colour, "pattern": {"shape": "/" if side == "model" else ""}, "line": {"width": 0}},
        "customdata": list(full),
        "hovertemplate": f"%{{customdata}}<br>{said}<extra></extra>",
    }
