"""What the answer does when a demonstration is shown otherwise: with another label, or in another place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, click_targets, distinct, figure, outline, single, wrap
from core.figures.colours import BAYES, DIVERGING, INK, MARK
from core.figures.influence.influence import FIXED, rows_axis
from core.runtime.numbers import signed


def flip_figure(
    effects: ArrayLike,
    own: ArrayLike,
    answers: Sequence[Sequence[str | None]],
    bayes: ArrayLike | None,
    candidates: Sequence[str],
    inputs: Sequence[str],
    labels: Sequence[str],
    numbers: Sequence[int],
    marked: int | None = None,
    height: int = 262,
) -> go.Figure:
    """Change of v when a demonstration (row) carries another label (column): a dot is its own label, ✗ another answer.

    Args:
        effects: (n, C) v(flipped) − v(as shown).
        own: (n,) column of a demonstration's own label, −1 for none.
        answers: (n, C) what the model answers then, None where it answers as before.
        bayes: (n, C) the same effects under exact Bayes, or None.
        candidates: (C,) the columns.
        inputs, labels, numbers, marked: the demonstrations in the order shown, their numbers, the one to frame.
        height: in pixels.
    """
    cells = single(effects)
    rows, columns = cells.shape
    truth = None if bayes is None else single(bayes)
    rows_in_words = [f"<b>{n}</b> {wrap(x)} → " for n, x in zip(numbers, inputs, strict=True)]
    heatmap = _flip_cells(
        cells, truth, answers, rows_in_words, [wrap(y) for y in candidates], [wrap(y) for y in labels]
    )
    framed = [r for r, number in enumerate(numbers) if number == marked]
    narrow = columns > 6
    return figure(
        [heatmap, _signs(np.asarray(own).tolist(), answers), _cell_targets(rows, columns, numbers)],
        height,
        shapes=[outline(-0.5, columns - 0.5, r - 0.5, r + 0.5) for r in framed],
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={
            **FIXED,
            "showgrid": False,
            "tickvals": np.arange(columns),
            "ticktext": distinct(candidates, 10 if narrow else 12),
            "tickangle": -90 if narrow else 0,
            "tickfont": {"size": 10 if narrow else 11},
            "range": [-0.5, columns - 0.5],
        },
        yaxis=rows_axis(rows, numbers, labels, "x"),
    )


def _signs(own: Sequence[int], answers: Sequence[Sequence[str | None]]) -> Trace:
    """A dot at a demonstration's own label, a cross where the model answers something else."""
    signs = [("•", c, r) for r, c in enumerate(own) if c >= 0]
    signs += [("✗", c, r) for r, row in enumerate(answers) for c, answer in enumerate(row) if answer is not None]
    return {
        "type": "scatter",
        "mode": "text",
        "x": single([c for _, c, _ in signs]),
        "y": single([r for _, _, r in signs]),
        "text": [sign for sign, _, _ in signs],
        "textfont": {"size": 12, "color": INK},
        "hoverinfo": "skip",
    }


def _flip_cells(
    cells: NDArray[np.float32],
    truth: NDArray[np.float32] | None,
    answers: Sequence[Sequence[str | None]],
    names: Sequence[str],
    candidates: Sequence[str],
    labels: Sequence[str],
) -> Trace:
    """The effects as cells on a scale around zero, and what each of them says in words."""

    def words(r: int, c: int) -> str:
        by_bayes = "" if truth is None else f", exact Bayes {signed(truth[r, c])}"
        answer = answers[r][c]
        then = "" if answer is None else f"<br>the model then answers {wrap(answer)}"
        return f"{names[r]}{candidates[c]} in place of {labels[r]}<br>model {signed(cells[r, c])}{by_bayes}{then}"

    reach = float(np.abs(cells[np.isfinite(cells)]).max(initial=0.0)) or 1.0
    rows, columns = cells.shape
    return {
        "type": "heatmap",
        "z": cells,
        "text": [[words(r, c) for c in range(columns)] for r in range(rows)],
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": DIVERGING,
        "zmin": -reach,
        "zmax": reach,
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"thickness": 6, "xpad": 2, "len": 0.95, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 10}},
    }


def move_figure(
    effects: ArrayLike,
    inputs: Sequence[str],
    labels: Sequence[str],
    numbers: Sequence[int],
    marked: int | None = None,
    height: int = 262,
) -> go.Figure:
    """Change of v as a demonstration moves: a line a demonstration, a ring where it stands.

    The zero line is in the colour of exact Bayes, whose answer no move changes.

    Args:
        effects: (n, n) v(row's demonstration stands in the column's position) − v(as shown).
        inputs, labels, numbers, marked: the demonstrations in the order shown, their numbers, the one drawn in colour.
        height: in pixels.
    """
    lines = single(effects)
    size = len(lines)
    names = [f"<b>{n}</b> {wrap(x)} → {wrap(y)}" for n, x, y in zip(numbers, inputs, labels, strict=True)]
    order = sorted(range(size), key=lambda i: numbers[i] == marked)  # the marked one is drawn last, over the others
    return figure(
        [_line(lines[i], i, numbers[i], names[i], numbers[i] == marked) for i in order],
        height,
        hovermode="closest",
        annotations=_line_names(lines, numbers, marked),
        margin={"l": 8, "r": 22, "t": 10, "b": 36},
        xaxis={
            **FIXED,
            "showgrid": False,
            "title": {"text": "position (last: next to the query)", "font": {"size": 12}, "standoff": 4},
            "dtick": max(1, round(size / 12)),
            "tick0": 1,
            "range": [0.7, size + 0.3],
        },
        yaxis={**FIXED, "nticks": 6, "zeroline": True, "zerolinecolor": BAYES, "zerolinewidth": 2},
    )


def _line(values: NDArray[np.float32], place: int, number: int, name: str, marked: bool) -> Trace:
    """One demonstration's line; a ring where it stands."""
    colour = MARK if marked else "rgba(109,91,208,0.55)"
    size = len(values)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": np.arange(1, size + 1, dtype=np.float32),
        "y": values,
        "name": str(number),
        "customdata": [[number]] * size,
        "line": {"color": colour, "width": 2.5 if marked else 1.2},
        "marker": {
            "color": colour,
            "size": [11 if p == place else 6 for p in range(size)],
            "symbol": ["circle-open" if p == place else "circle" for p in range(size)],
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "hovertemplate": f"{name}<br>in position %{{x}}: %{{y:+.3f}}<extra></extra>",
    }


def _line_names(lines: NDArray[np.float32], numbers: Sequence[int], marked: int | None) -> list[Any]:
    """Numbers at the right ends of the lines, as many as fit, the marked one always."""
    note: dict[str, Any] = {"xref": "paper", "x": 1, "xanchor": "left", "showarrow": False, "xshift": 2}
    ends = lines[:, -1]
    gap = 0.07 * (float(np.ptp(np.append(lines, 0.0))) or 1.0)
    order = sorted(range(len(numbers)), key=lambda i: (numbers[i] != marked, i))
    kept: list[int] = []
    for i in order:
        if np.isfinite(ends[i]) and all(abs(ends[i] - ends[j]) >= gap for j in kept):
            kept.append(i)
    notes = [
        {
            **note,
            "y": float(ends[i]),
            "text": f"<b>{numbers[i]}</b>",
            "font": {"size": 11, "color": MARK} if numbers[i] == marked else {"size": 11},
        }
        for i in kept
    ]
    return notes


def _cell_targets(rows: int, columns: int, numbers: Sequence[int]) -> Trace:
    """Invisible markers over the cells; a row's carry the number of its demonstration."""
    targets = click_targets(columns, rows, [None] * columns)
    targets["customdata"] = [[numbers[r], c, r] for r in range(rows) for c in range(columns)]
    return targets
