"""Figures of every function whose figures our own drawing draws, in all the forms that they take."""

from __future__ import annotations

import numpy as np

from core.figures import (
    Panel,
    Spec,
    answer_figure,
    assign_colours,
    bars_figure,
    demonstration_figure,
    head_figure,
    kernel_figure,
    path_figure,
    rows_figure,
)
from core.figures.posterior.posterior import importance

TASKS = tuple(f"task {i}" for i in range(12))


def _answers() -> dict[str, Spec]:
    labels, p = [f"label {i}" for i in range(12)], np.linspace(0.3, 0.01, 12)
    return {
        "answer": answer_figure.spec(labels[:3], [0.6, 0.3, 0.1], [0.5, 0.25, 0.25], gold="label 1"),
        "answer of many": answer_figure.spec(labels, p / p.sum()),
        "answer alone": answer_figure.spec(["yes"], [1.0]),
    }


def _posteriors() -> dict[str, Spec]:
    weights = np.stack([np.full(12, 1 / 12), np.r_[0.7, 0.2, 0.05, np.full(9, 0.05 / 9)]])
    exact = Panel("exact", TASKS, weights, "log P(D) -3.20")
    swing = 0.5 + 0.4 * np.sin(np.arange(20))
    few = Panel("mine", ("a", "b"), np.stack([swing, 1 - swing], axis=1))
    sure = Panel("implicit", TASKS, weights, reach=np.full(len(weights), 0.2))
    found = {}
    for name, panels in {"one": [exact], "two": [sure, few], "three": [exact, sure, few]}.items():
        colours = assign_colours(*importance(panels))
        found[f"bars, {name}"] = bars_figure.spec(panels, 1, colours)
        found[f"path, {name}"] = path_figure.spec(panels, 1, colours)
    return found


def _kernels() -> dict[str, Spec]:
    def kernels(cells: np.ndarray, marked: int | None = None) -> Spec:
        rows, columns = cells.shape
        names, answers = [f"kernel {r}" for r in range(rows)], ["a", None, "b"][:rows]
        inputs, labels = [f"x{c}" for c in range(columns)], ["a", "b"] * columns
        return kernel_figure.spec(
            names, cells, 2 * cells, answers, "a", inputs, labels[:columns], range(1, columns + 1), marked
        )

    return {
        "kernels": kernels(np.array([[0.5, 0.3, 0.2], [0.125, 0.125, 0.75]]), 2),
        "kernels below zero": kernels(np.array([[1.5, -0.5]])),
        "kernels of many": kernels(np.full((3, 20), 0.05)),
    }


def _attention() -> dict[str, Spec]:
    rng = np.random.default_rng(0)
    spans, owners, texts = ["instruction", "1", "query"], [None, 1, None], ["a", "b → c", "d"]
    wide = [str(i + 1) for i in range(120)]
    return {
        "heads": head_figure.spec(rng.random((4, 3)), "the query"),
        "heads of many": head_figure.spec(rng.random((12, 12)), "demonstration 1"),
        "demonstrations": demonstration_figure.spec(rng.random((4, 3, 3)), spans, owners, texts, 1),
        "demonstrations of many": demonstration_figure.spec(
            rng.random((12, 4, 120)), wide, list(range(1, 121)), wide, 2
        ),
        "rows of many layers": rows_figure.spec(
            rng.random((30, 3)), [f"L{layer}" for layer in range(30)], spans, owners, texts, 1
        ),
        "rows of few heads": rows_figure.spec(
            rng.random((4, 3)), ["L0H1 .50", "L12H3 .25", "a", "b"], spans, owners, texts
        ),
    }


def live_figures() -> dict[str, Spec]:
    """By a name that begins with what is shown."""
    return {**_answers(), **_posteriors(), **_kernels(), **_attention()}
