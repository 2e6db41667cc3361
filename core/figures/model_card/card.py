"""The model card: the mixture, the learning curve, and how close to exact Bayes the model is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from core.figures.base import Trace, distinct, figure, single, wrap
from core.figures.colours import BAYES, FAINT, INK, MODEL, TASK_COLOURS


def mixture_figure(
    families: Sequence[str], prior: ArrayLike, domains: Mapping[str, str], height: int = 420
) -> go.Figure:
    """Prior of every family as a treemap, families inside their domain.

    Args:
        families: (F,) names.
        prior: (F,) P(family).
        domains: domain of every family.
        height: in pixels.
    """
    weights = np.asarray(prior, dtype=float)
    order = list(dict.fromkeys(domains[name] for name in families))
    ids = [f"d:{name}" for name in order] + [f"f:{name}" for name in families]
    parents = [""] * len(order) + [f"d:{domains[name]}" for name in families]
    # No task colours here: those are given to the few tasks that a view is about. The darker, the likelier.
    shade = [0.06] * len(order) + (0.15 + 0.6 * weights / weights.max()).tolist()
    trace: Trace = {
        "type": "treemap",
        "ids": ids,
        "parents": parents,
        "labels": distinct([*order, *families], 28),
        # "remainder": a parent's own value is what it holds beside its children, which is nothing.
        "values": single([0.0] * len(order) + weights.tolist()),
        "branchvalues": "remainder",
        "marker": {"colors": [f"rgba(109,91,208,{alpha:.2f})" for alpha in shade], "line": {"width": 1}},
        "textfont": {"color": INK},
        "hovertemplate": "%{label}<br>prior %{value:.4f}<extra></extra>",
        "tiling": {"pad": 1},
    }
    return figure([trace], height, margin={"l": 0, "r": 0, "t": 0, "b": 0}, uniformtext={"minsize": 9, "mode": "hide"})


def learning_figure(curve: Sequence[Mapping[str, float]], height: int = 280) -> go.Figure:
    """Training loss and KL(Bayes‖model) in nats per label, against tokens seen."""
    traces = []
    for key, name, colour in (("loss", "training loss", BAYES), ("kl", "KL(Bayes‖model)", MODEL)):
        points = [(row["tokens"], row[key]) for row in curve if row.get(key) is not None]
        if points:
            x, y = zip(*points, strict=True)
            traces.append(_curve(name, single(x) / np.float32(1e6), single(y), colour))
    return figure(
        traces,
        height,
        showlegend=True,
        legend={"orientation": "h", "y": 1.12, "x": 0},
        margin={"l": 8, "r": 8, "t": 28, "b": 36},
        xaxis={"title": {"text": "million tokens seen"}, "fixedrange": True, "rangemode": "tozero"},
        yaxis={"title": {"text": "nats"}, "fixedrange": True, "type": "log", "automargin": True},
    )


def by_k_figure(rows: Sequence[Mapping[str, float]], height: int = 280) -> go.Figure:
    """KL and total variation to exact Bayes after k demonstrations, and both accuracies."""
    series = (
        ("kl", "KL(Bayes‖model), nats", MODEL, "solid"),
        ("tv", "posterior total variation", TASK_COLOURS[1], "solid"),
        ("accuracy_model", "accuracy, model", TASK_COLOURS[2], "solid"),
        ("accuracy_bayes", "accuracy, exact Bayes", BAYES, "dash"),
    )
    traces = []
    for key, name, colour, dash in series:
        points = [(row["k"], row[key]) for row in rows if row.get(key) is not None]
        if points:
            x, y = zip(*points, strict=True)
            traces.append(_curve(name, single(x), single(y), colour, dash))
    return figure(
        traces,
        height,
        showlegend=True,
        legend={"orientation": "h", "y": 1.2, "x": 0},
        margin={"l": 8, "r": 8, "t": 40, "b": 36},
        xaxis={"title": {"text": "demonstrations"}, "fixedrange": True},
        yaxis={"fixedrange": True, "rangemode": "tozero", "automargin": True},
    )


OPEN_SERIES = (
    ("probes", "answers at the probes", MODEL),
    ("random", "answers to random queries", TASK_COLOURS[2]),
    ("posterior", "posterior", TASK_COLOURS[1]),
    ("decoded", "posterior from exact Bayes’s answers", BAYES),
)


def open_figure(rows: Sequence[Mapping[str, Any]], name: str, height: int = 280) -> go.Figure:
    """Total variation to exact Bayes by how open the task is, with 95 % intervals.

    Args:
        rows: one for each group of states: its `name`, and figures with `…_low` and `…_high`.
        name: what the groups are by.
        height: in pixels.
    """
    traces: list[Trace] = []
    for key, title, colour in OPEN_SERIES:
        some = [row for row in rows if row.get(key) is not None]
        if not some:
            continue
        value, low, high = (np.array([row[k] for row in some]) for k in (key, f"{key}_low", f"{key}_high"))
        traces.append(
            {
                "type": "bar",
                "name": title,
                "x": [str(row[name]) for row in some],
                "y": single(value),
                "marker": {"color": colour},
                "error_y": {
                    "type": "data",
                    "array": single(high - value),
                    "arrayminus": single(value - low),
                    "thickness": 1.2,
                    "width": 2,
                    "color": BAYES,
                },
                "customdata": [f"{a:.3f} – {b:.3f}" for a, b in zip(low, high, strict=True)],
                "hovertemplate": f"{title}: %{{y:.3f}} (%{{customdata}})<extra></extra>",
            }
        )
    return figure(
        traces,
        height,
        showlegend=True,
        legend={"orientation": "h", "y": 1.24, "x": 0},
        margin={"l": 8, "r": 8, "t": 48, "b": 36},
        xaxis={"type": "category", "fixedrange": True},
        yaxis={"title": {"text": "total variation"}, "fixedrange": True, "rangemode": "tozero", "automargin": True},
    )


def calibration_figure(rows: Sequence[Mapping[str, Any]], height: int = 280) -> go.Figure:
    """How often what is said with a probability is true: a curve for the answers, one for the largest bar.

    Args:
        rows: bins, each `of` "answer" or "posterior", with mean probability `said`, share `true` and `cases`.
        height: in pixels.
    """
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "as said",
            "x": single([0, 1]),
            "y": single([0, 1]),
            "line": {"color": BAYES, "width": 1, "dash": "dash"},
            "hoverinfo": "skip",
        }
    ]
    for kind, title, colour in (
        ("answer", "likeliest answer", MODEL),
        ("posterior", "largest bar", TASK_COLOURS[1]),
    ):
        some = [row for row in rows if row["of"] == kind]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": title,
                "x": single([row["said"] for row in some]),
                "y": single([row["true"] for row in some]),
                "line": {"color": colour, "width": 2},
                "customdata": [int(row["cases"]) for row in some],
                "hovertemplate": f"{title}: said %{{x:.2f}}, true %{{y:.2f}} of %{{customdata:,}}<extra></extra>",
            }
        )
    return figure(
        traces,
        height,
        showlegend=True,
        legend={"orientation": "h", "y": 1.16, "x": 0},
        margin={"l": 8, "r": 8, "t": 32, "b": 36},
        xaxis={"title": {"text": "probability said"}, "range": [0, 1], "fixedrange": True},
        yaxis={"title": {"text": "share true"}, "range": [0, 1.02], "fixedrange": True, "automargin": True},
    )


def by_family_figure(
    names: Sequence[str], kl: ArrayLike, target: float | None = None, height: int | None = None
) -> go.Figure:
    """KL(Bayes‖model) of every family, worst on top; the line is the target."""
    values = np.asarray(kl, dtype=float)
    order = np.argsort(-values, kind="stable")
    rows = np.arange(len(order), dtype=np.float32)
    late = target if target is not None else np.inf
    trace: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": single(values[order]),
        "y": rows,
        "marker": {"color": [TASK_COLOURS[3] if values[i] > late else MODEL for i in order]},
        "customdata": [wrap(names[i]) for i in order],
        "hovertemplate": "%{customdata}<br>%{x:.4f} nats<extra></extra>",
    }
    shapes: list[dict[str, Any]] = []
    if target is not None:
        shapes.append(
            {
                "type": "line",
                "x0": target,
                "x1": target,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": FAINT, "width": 3},
            }
        )
    return figure(
        [trace],
        height or max(220, 15 * len(order) + 50),
        shapes=shapes,
        margin={"l": 8, "r": 8, "t": 8, "b": 36},
        xaxis={"title": {"text": "KL(Bayes‖model), nats per label"}, "fixedrange": True},
        yaxis={
            "tickvals": rows,
            "ticktext": distinct([names[i] for i in order], 28),
            "range": [len(order) - 0.4, -0.6],
            "fixedrange": True,
            "automargin": True,
            "showgrid": False,
            "tickfont": {"size": 11},
        },
    )


def _curve(name: str, x: np.ndarray, y: np.ndarray, colour: str, dash: str = "solid") -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(x) <= 40 else "lines",
        "x": x,
        "y": y,
        "name": name,
        "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": name + " at %{x:.4g}: %{y:.4f}<extra></extra>",
    }
