"""Selections side by side: which rows each took, how it scored them, how much they agree, and where each one leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, cell_text, distinct, figure, outline, single, wrap
from core.figures.colours import BAYES, DIVERGING, FAINT, INK, MODEL, OTHERS, SEQUENTIAL
from core.runtime.numbers import fixed

FIXED = {"fixedrange": True, "zeroline": False, "automargin": True}
LINE = 22  # pixels of a row
ACROSS = 24  # invisible markers along a row, so that a click anywhere on it counts
FAINTER = [[0.0, "rgba(109,91,208,0)"], [1.0, "rgba(109,91,208,0.42)"]]


def choice_figure(
    titles: Sequence[str],
    numbers: Sequence[int],
    inputs: Sequence[str],
    labels: Sequence[str],
    ranks: Sequence[Sequence[int | None]],
    standing: ArrayLike,
    scores: ArrayLike,
    own: int | None = None,
    marked: int | None = None,
) -> go.Figure:
    """A row a row of the pool, a column a selection; a ring where it was chosen, with the rank at which it was.

    Args:
        titles: (S,) selections.
        numbers, inputs, labels: (R,) rows of the pool.
        ranks: (R, S) 1 for the one taken first, 0 for one of a set taken at once, None where it was not chosen.
        standing: (R, S) share of scored rows that score no higher, NaN where there is no score: the shade.
        scores: (R, S) for the hover box, NaN where there is none.
        own: column of the study's own selection, framed.
        marked: number of the row to frame.
    """
    shades, values = single(standing), single(scores)
    rows, columns = len(numbers), len(titles)
    names = [f"<b>{n}</b> {wrap(x)} → {wrap(y)}" for n, x, y in zip(numbers, inputs, labels, strict=True)]
    traces: list[Trace] = [
        _shades(shades),
        _chosen_cells(ranks),
        _cells(titles, numbers, names, ranks, values, shades),
    ]
    shapes = [outline(-0.5, columns - 0.5, r - 0.5, r + 0.5) for r, n in enumerate(numbers) if n == marked]
    if own is not None:
        frame = outline(own - 0.5, own + 0.5, -0.5, rows - 0.5)
        shapes.append({**frame, "line": {"color": MODEL, "width": 1.5, "dash": "dot"}})
    ticks = [
        f"{x} → {y} <b>{n}</b>" for n, x, y in zip(numbers, distinct(inputs, 26), distinct(labels, 10), strict=True)
    ]
    return figure(
        traces,
        rows * LINE + 110,
        hovermode="closest",
        shapes=shapes,
        margin={"l": 8, "r": 84, "t": 8, "b": 8},  # the last title leans over the edge
        xaxis={
            **FIXED,
            "showgrid": False,
            "side": "top",
            "tickvals": np.arange(columns),
            "ticktext": [f"<b>{t}</b>" if i == own else t for i, t in enumerate(distinct(titles, 20))],
            "tickangle": -40,
            "range": [-0.5, columns - 0.5],
        },
        yaxis={
            **FIXED,
            "showgrid": False,
            "tickvals": np.arange(rows),
            "ticktext": ticks,
            "range": [rows - 0.5, -0.5],
        },
    )


def _shades(standing: NDArray[np.float32]) -> Trace:
    return {
        "type": "heatmap",
        "z": standing,
        "colorscale": FAINTER,
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hoverinfo": "skip",
        "xgap": 1,
        "ygap": 1,
    }


def _chosen_cells(ranks: Sequence[Sequence[int | None]]) -> Trace:
    """A ring and a rank where a row was chosen; a dot in it where a set was taken at once."""
    found = [(c, r, rank) for r, line in enumerate(ranks) for c, rank in enumerate(line) if rank is not None]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": single([c for c, _, _ in found]),
        "y": single([r for _, r, _ in found]),
        "text": [f"<b>{rank}</b>" if rank else "•" for *_, rank in found],
        "textfont": {"color": INK, "size": 11},
        "hoverinfo": "skip",
        "marker": {"symbol": "circle-open", "size": 18, "color": MODEL, "line": {"width": 2}},
    }


def _cells(
    titles: Sequence[str],
    numbers: Sequence[int],
    names: Sequence[str],
    ranks: Sequence[Sequence[int | None]],
    scores: NDArray[np.float32],
    shades: NDArray[np.float32],
) -> Trace:
    """Invisible markers that carry [number] and say what a cell holds."""
    said = []
    for r, name in enumerate(names):
        for c, title in enumerate(titles):
            rank, score = ranks[r][c], float(scores[r, c])
            taken = "not chosen" if rank is None else f"taken as number {rank}" if rank else "one of the set chosen"
            above = f"score {score:.4g}, at or above {float(shades[r, c]):.0%} of the rows scored"
            value = above if np.isfinite(score) else "no score"
            said.append(f"<b>{wrap(title)}</b>: {taken}<br>{name}<br>{value}")
    columns = len(titles)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.tile(np.arange(columns, dtype=np.float32), len(names)),
        "y": np.repeat(np.arange(len(names), dtype=np.float32), columns),
        "customdata": [[n] for n in numbers for _ in titles],
        "text": said,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"opacity": 0, "size": 20, "symbol": "square", "color": MODEL},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
    }


def lead_figure(
    names: Sequence[str],
    titles: Sequence[str],
    answers: Sequence[str],
    shares: ArrayLike,
    right: Sequence[bool | None],
    notes: Sequence[str],
    own: str,
    axis: str,
    height: int,
) -> go.Figure:
    """A bar a selection: how probable the right answer is with what it chose, and what the model answers.

    Args:
        names: (S,) of the selections; a click carries [name].
        titles: (S,).
        answers: (S,) what the model answers.
        shares: (S,) probabilities.
        right: (S,) whether the answer is gold, None where gold is unknown.
        notes: (S,) for the hover box.
        own: name of the study's own selection, in bold.
        axis: what the bars are.
        height: in pixels.
    """
    values = single(shares)
    rows = len(names)
    ends = {True: " ✓", False: " ✗", None: ""}
    said = [
        f"<b>{wrap(t)}</b><br>answers {wrap(a)}{ends[r]}<br>{wrap(axis)} {fixed(v)}<br>{wrap(n, 70)}<br>click to use it"
        for t, a, r, v, n in zip(titles, answers, right, values, notes, strict=True)
    ]
    words = [f"{a}{ends[r]}" for a, r in zip(distinct(answers, 12), right, strict=True)]
    bars = _lead_bars(values, words, [MODEL if r is not False else OTHERS for r in right], names, said)
    return figure(
        [_row_targets(names, said, 1.0), bars],
        height,
        hovermode="closest",
        margin={"l": 8, "r": 64, "t": 4, "b": 30},
        xaxis={**FIXED, "range": [0, 1], "title": {"text": axis, "standoff": 2}, "nticks": 5},
        yaxis={
            **FIXED,
            "showgrid": False,
            "tickvals": np.arange(rows),
            "ticktext": [f"<b>{t}</b>" if n == own else t for n, t in zip(names, distinct(titles, 20), strict=True)],
            "range": [rows - 0.5, -0.5],
        },
    )


def _lead_bars(
    values: NDArray[np.float32], words: Sequence[str], colours: Sequence[str], names: Sequence[str], said: Sequence[str]
) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": np.arange(len(words)),
        "marker": {"color": list(colours)},
        "text": list(words),
        "textposition": "outside",
        "textfont": {"color": INK},
        "cliponaxis": False,
        "customdata": [[name] for name in names],
        "hovertext": list(said),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}, "textfont": {"color": INK}},
    }


def _row_targets(values: Sequence[Any], said: Sequence[str], width: float, low: float = 0.0) -> Trace:
    """Invisible markers along every row, which carry [value]."""
    rows = len(values)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.tile(np.linspace(low, width, ACROSS, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), ACROSS),
        "customdata": [[value] for value in values for _ in range(ACROSS)],
        "text": [text for text in said for _ in range(ACROSS)],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"opacity": 0, "size": 18, "symbol": "square", "color": MODEL},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
    }


def square_figure(
    titles: Sequence[str], values: ArrayLike, hover: Sequence[Sequence[str]], signed: bool, height: int
) -> go.Figure:
    """Every selection with every other: a cell a pair, from 0 to 1, or from −1 to 1 where `signed`."""
    cells = single(values)
    size = len(titles)
    ticks = distinct(titles, 16)
    axis = {**FIXED, "showgrid": False, "tickvals": np.arange(size), "ticktext": ticks}
    traces: list[Trace] = [
        {
            "type": "heatmap",
            "z": cells,
            "colorscale": DIVERGING if signed else SEQUENTIAL,
            "zmin": -1 if signed else 0,
            "zmax": 1,
            "showscale": False,
            "text": [list(line) for line in hover],
            "hovertemplate": "%{text}<extra></extra>",
            "xgap": 1,
            "ygap": 1,
        }
    ]
    text = cell_text(np.nan_to_num(cells))
    text["textfont"] = {**text["textfont"], "size": 10 if size <= 14 else 9}
    traces.append(text)
    return figure(
        traces,
        height,
        xaxis={**axis, "tickangle": -40, "side": "bottom", "range": [-0.5, size - 0.5]},
        yaxis={**axis, "range": [size - 0.5, -0.5]},
    )


def score_figure(
    numbers: Sequence[int],
    inputs: Sequence[str],
    labels: Sequence[str],
    scores: ArrayLike,
    chosen: Sequence[bool],
    marked: int | None = None,
    height: int = 420,
) -> go.Figure:
    """A dot a row of the pool, best first: the score that a selection gave it; those chosen in colour.

    Dots and not bars, as the axis spans the scores and need not hold 0.

    Args:
        numbers, inputs, labels, scores, chosen: (R,).
        marked: number of the row to frame.
        height: in pixels.
    """
    values = single(scores)
    rows = len(numbers)
    said = [
        f"<b>{n}</b> {wrap(x)} → {wrap(y)}<br>score {v:.5g}{', chosen' if c else ''}"
        for n, x, y, v, c in zip(numbers, inputs, labels, values, chosen, strict=True)
    ]
    low, high = (float(values.min()), float(values.max())) if rows else (0.0, 1.0)
    margin = 0.06 * (high - low) or max(abs(high), 1e-6) * 0.1
    low, high = low - margin, high + margin
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": np.arange(rows),
        "marker": {
            "color": [MODEL if c else BAYES for c in chosen],
            "symbol": ["circle" if c else "circle-open" for c in chosen],
            "size": 10,
            "line": {"width": 2},
        },
        "hoverinfo": "skip",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    return figure(
        [dots, _row_targets(numbers, said, high, low)],
        height,
        hovermode="closest",
        shapes=[outline(low, high, r - 0.5, r + 0.5) for r, number in enumerate(numbers) if number == marked],
        margin={"l": 8, "r": 8, "t": 4, "b": 24},
        xaxis={**FIXED, "range": [low, high], "nticks": 5},
        yaxis={
            **FIXED,
            "gridcolor": FAINT,
            "tickvals": np.arange(rows),
            "ticktext": [
                f"{x} → {y} <b>{n}</b>"
                for n, x, y in zip(numbers, distinct(inputs, 18), distinct(labels, 8), strict=True)
            ],
            "range": [rows - 0.5, -0.5],
        },
    )


def accuracy_figure(titles: Sequence[str], accuracy: ArrayLike, interval: ArrayLike, height: int) -> go.Figure:
    """A dot a selection with its 95 % interval.

    Args:
        titles: (S,).
        accuracy: (S,) shares.
        interval: (S, 2).
    """
    share, ends = single(accuracy), single(interval)
    rows = len(titles)
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": share,
        "y": np.arange(rows),
        "marker": {"color": MODEL, "size": 10},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": np.maximum(ends[:, 1] - share, 0),
            "arrayminus": np.maximum(share - ends[:, 0], 0),
            "thickness": 1.5,
            "width": 4,
            "color": MODEL,
        },
        "text": [
            f"<b>{wrap(t)}</b><br>accuracy {a:.3f}<br>95 % from {low:.3f} to {high:.3f}"
            for t, a, (low, high) in zip(titles, share, ends, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }
    return figure(
        [dots],
        height,
        hovermode="closest",
        margin={"l": 8, "r": 8, "t": 4, "b": 30},
        xaxis={**FIXED, "range": [-0.02, 1.02], "title": {"text": "accuracy", "standoff": 2}, "nticks": 6},
        yaxis={
            **FIXED,
            "tickvals": np.arange(rows),
            "ticktext": distinct(titles, 20),
            "range": [rows - 0.5, -0.5],
            "gridcolor": FAINT,
        },
    )
