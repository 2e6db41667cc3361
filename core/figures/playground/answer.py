"""The answer: a probability for every candidate label, the model beside exact Bayes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.figures.base import FigureFunction, Spec, Trace, distinct, single, spec, wrap
from core.figures.colours import BAYES, MODEL

FIXED = {"fixedrange": True, "zeroline": False}
NEGLIGIBLE = 0.005  # labels below are drawn as 0.00, so the first few of them are enough


@FigureFunction
def answer_figure(
    labels: Sequence[str],
    model: ArrayLike,
    bayes: ArrayLike | None = None,
    gold: str | None = None,
    most: int = 7,
    height: int = 250,
) -> Spec:
    """Bars of P(label), the likeliest `most` labels on top; the right answer, where known, carries a ★.

    Args:
        labels: (L,) candidates.
        model: (L,) the model's probabilities.
        bayes: (L,) exact Bayes's, or None where the mixture is unknown.
        gold: the right answer.
        most: how many labels are drawn; the rest is summed up in one row.
        height: in pixels.
    """
    p = np.asarray(model, dtype=float)
    b = None if bayes is None else np.asarray(bayes, dtype=float)
    reach = p if b is None else np.maximum(p, b)
    order = np.argsort(-reach, kind="stable")
    most = min(most, max(3, 1 + int((reach >= NEGLIGIBLE).sum())))
    shown, rest = (order, order[:0]) if len(order) <= most else (order[: most - 1], order[most - 1 :])
    shown = shown[np.argsort(-p[shown], kind="stable")]
    names = [
        ("★ " if labels[i] == gold else "") + name
        for i, name in zip(shown, distinct([labels[i] for i in shown], 16), strict=True)
    ]
    full = [wrap(labels[i]) for i in shown]
    if len(rest):
        names.append(f"{len(rest)} others")
        full.append(f"{len(rest)} other candidates together")

    def column(values: np.ndarray) -> np.ndarray:
        kept = values[shown]
        return single(np.append(kept, values[rest].sum()) if len(rest) else kept)

    places = np.arange(len(names), dtype=np.float32)
    traces = [_bars("model", column(p), places, full, MODEL, -0.2 if b is not None else 0.0)]
    if b is not None:
        traces.append(_bars("exact Bayes", column(b), places, full, BAYES, 0.2))
    return spec(
        traces,
        height,
        barmode="overlay",
        margin={"l": 8, "r": 8, "t": 4, "b": 24},
        xaxis={**FIXED, "range": [0, 1.16], "tickvals": [0, 0.5, 1], "ticktext": ["0", ".5", "1"]},
        yaxis={
            **FIXED,
            "tickvals": places,
            "ticktext": names,
            "autorange": False,
            "range": [len(names) - 0.45, -0.55],
            "showgrid": False,
            "automargin": True,
        },
    )


def _bars(name: str, values: np.ndarray, places: np.ndarray, full: Sequence[str], colour: str, shift: float) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": values,
        "y": places + np.float32(shift),
        "width": 0.38 if shift else 0.6,
        "marker": {"color": colour},
        "customdata": list(full),
        "text": [f"{value:.2f}" if value >= 0.005 else "" for value in values],
        "textposition": "outside",
        "cliponaxis": False,
        "constraintext": "none",
        "hovertemplate": "%{customdata}<br>" + name + " %{x:.4f}<extra></extra>",
    }
