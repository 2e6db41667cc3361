"""Kernels beside what they would answer: weights on the left, ŷ on the right, the model and exact Bayes below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, click_targets, distinct, figure, outline, single, wrap
from core.figures.colours import DIVERGING, FAINT, INK, SEQUENTIAL
from core.runtime.numbers import cell

QUIET = {"fixedrange": True, "showgrid": False, "zeroline": False, "tickangle": 0, "tickfont": {"size": 11}}
LABELS = 6  # columns of ŷ; the rest is summed up in one more
GAP = 0.03  # of the width, between the two panels


def weights_figure(
    names: Sequence[str],
    weights: ArrayLike,
    others: ArrayLike,
    predictive: ArrayLike,
    references: Sequence[tuple[str, ArrayLike]],
    labels: Sequence[str],
    verdicts: Sequence[str],
    inputs: Sequence[str],
    given: Sequence[str],
    numbers: Sequence[int],
    marked: int | None = None,
    raw: bool = False,
    gold: str | None = None,
    height: int = 0,
) -> go.Figure:
    """A row a kernel: its weights on the demonstrations, ŷ over the candidates, and a verdict.

    Args:
        names: (K,) kernels.
        weights: (K, n) what is drawn, normalised or raw weights.
        others: (K, n) the other of the two, for the hover text.
        predictive: (K, L) ŷ of every kernel.
        references: (name, (L,)) distributions drawn below the kernels, without weights.
        labels: (L,) candidates.
        verdicts: (K,) short words at the end of every row.
        inputs, given: (n,) the demonstrations' inputs and labels.
        numbers: (n,) their numbers, the same in every view.
        marked: number of the demonstration to frame.
        raw: whether `weights` are raw; then every row has a scale of its own.
        gold: the right answer, starred.
        height: in pixels; 0 lets the rows decide.
    """
    cells = single(weights)
    rows, columns = cells.shape
    below = [name for name, _ in references]
    total = rows + len(below)
    roomy, left = total <= 26, _split(columns, len(labels))
    answers = np.vstack([single(predictive), *(single(p)[None] for _, p in references)])  # (K + references, L)
    heads, shares = _panel(answers, labels, gold)
    texts = _hovers(numbers, inputs, given)
    traces = [_weights(cells, single(others), texts, raw, own_scale=raw)]
    traces += [click_targets(columns, rows, list(numbers)), _answers(shares, heads, [*names, *below])]
    if roomy:
        traces += [_letters(shares, "x2"), *([_letters(cells, "x")] if columns <= 16 else [])]
    said = [*distinct(names, 26), *(f"<b>{name}</b>" for name in distinct(below, 26))]
    return figure(
        traces,
        height or 60 + (26 if total <= 20 else 15 if total <= 60 else 12) * total,
        shapes=[*_frames(numbers, marked, rows), _rule(rows)],
        annotations=[_verdict(row, text, total) for row, text in enumerate(verdicts)],
        margin={"l": 8, "r": 92, "t": 38, "b": 8},
        xaxis=_top(_numbered(numbers, given), 0, left),
        xaxis2=_top([f"<b>{head}</b>" for head in distinct(heads, 10 if len(heads) <= 3 else 9)], left + GAP, 1),
        yaxis=_rows(said, 12 if roomy else 10),
    )


def _numbered(numbers: Sequence[int], given: Sequence[str]) -> list[str]:
    """Names of the demonstrations' columns: their numbers, with the label where there is room."""
    if len(numbers) > 10:
        return [str(n) for n in numbers]
    return [f"<b>{n}</b><br>{y}" for n, y in zip(numbers, distinct(given, 7), strict=True)]


def _hovers(numbers: Sequence[int], inputs: Sequence[str], given: Sequence[str]) -> list[str]:
    """What a demonstration's cells say of it."""
    rows = zip(numbers, inputs, given, strict=True)
    return [f"<b>{n}</b> {wrap(x)}<br>→ {wrap(y)}" for n, x, y in rows]


def _frames(numbers: Sequence[int], marked: int | None, rows: int) -> list[dict[str, Any]]:
    """A frame around the marked demonstration's column."""
    return [outline(c - 0.5, c + 0.5, -0.5, rows - 0.5) for c, number in enumerate(numbers) if number == marked]


def _top(names: Sequence[str], start: float, end: float) -> dict[str, Any]:
    """An axis over a panel that reaches from `start` to `end` of the width, a name a column."""
    return {
        **QUIET,
        "domain": [start, end],
        "tickvals": np.arange(len(names)),
        "ticktext": list(names),
        "side": "top",
        "range": [-0.5, len(names) - 0.5],
    }


def _rows(names: Sequence[str], size: int) -> dict[str, Any]:
    """The axis of rows, the first on top."""
    return {
        **QUIET,
        "tickvals": np.arange(len(names)),
        "ticktext": list(names),
        "range": [len(names) - 0.5, -0.5],
        "automargin": True,
        "tickfont": {"size": size},
    }


def _split(columns: int, labels: int) -> float:
    """Where the panel of weights ends, by the number of columns on either side."""
    right = min(labels, LABELS + 1) + 1
    return float(np.clip(columns / (columns + right), 0.3, 0.72))


def _columns(
    shares: NDArray[np.float32], labels: Sequence[str], gold: str | None
) -> tuple[NDArray[np.intp], list[str]]:
    """Which candidates have a column, by the most that any row gives them, and the columns' names."""
    most = shares.max(0) if len(shares) else np.zeros(len(labels))
    ranked = np.argsort(-np.abs(most), kind="stable")
    kept = ranked if len(labels) <= LABELS + 1 else ranked[:LABELS]
    order = np.sort(kept)
    names = [("★ " if labels[i] == gold else "") + labels[i] for i in order]
    return order, names if len(kept) == len(labels) else [*names, f"{len(labels) - len(kept)} others"]


def _panel(
    answers: NDArray[np.float32], labels: Sequence[str], gold: str | None
) -> tuple[list[str], NDArray[np.float32]]:
    """The columns of ŷ: their names and (rows, columns) shares."""
    order, heads = _columns(answers, labels, gold)
    return heads, _gathered(answers, order)


def _gathered(shares: NDArray[np.float32], order: NDArray[np.intp]) -> NDArray[np.float32]:
    """(rows, columns) shares of the labels that have a column, and the sum of the rest where there is any."""
    if len(order) == shares.shape[1]:
        return single(shares[:, order])
    rest = np.delete(shares, order, axis=1).sum(1, keepdims=True)
    return single(np.hstack([shares[:, order], rest]))


def _weights(
    cells: NDArray[np.float32], others: NDArray[np.float32], texts: list[str], raw: bool, own_scale: bool
) -> Trace:
    """Weights as cells; with `own_scale` a row's colours are its own, since kernels have no common unit."""
    reach = np.abs(cells).max(axis=1, initial=0.0, keepdims=True) if own_scale else np.abs(cells).max(initial=0.0)
    scale = np.where(reach > 0, reach, 1.0)
    negative = bool((cells < 0).any())
    first, second = ("K", "K / ΣK") if raw else ("K / ΣK", "K")
    return {
        "type": "heatmap",
        "z": single(cells / scale),
        "showscale": False,
        "xgap": 2,
        "ygap": 2 if len(cells) <= 60 else 1,
        "colorscale": DIVERGING if negative else SEQUENTIAL,
        "zmin": -1.0 if negative else 0.0,
        "zmax": 1.0,
        "customdata": np.stack([cells, others], axis=-1),
        "text": [texts] * len(cells),
        "hovertemplate": f"%{{text}}<br>%{{y}}<br>{first} = %{{customdata[0]:.4g}}, {second} = "
        "%{customdata[1]:.4g}<extra></extra>",
    }


def _answers(shares: NDArray[np.float32], heads: Sequence[str], names: Sequence[str]) -> Trace:
    return {
        "type": "heatmap",
        "z": shares,
        "xaxis": "x2",
        "showscale": False,
        "xgap": 2,
        "ygap": 2 if len(shares) <= 60 else 1,
        "colorscale": SEQUENTIAL,
        "zmin": 0.0,
        "zmax": 1.0,
        "text": [[f"{wrap(name)}: {wrap(head)}" for head in heads] for name in names],
        "hovertemplate": "%{text} %{z:.4f}<extra></extra>",
    }


def _letters(cells: NDArray[np.float32], axis: str) -> Trace:
    """Values in the cells; small ones stay unwritten."""
    rows, columns = cells.shape
    reach = float(np.abs(cells).max(initial=0.0))
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "xaxis": axis,
        "x": np.tile(np.arange(columns, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), columns),
        "text": [_short(float(value), reach) for value in cells.ravel()],
        "textfont": {"size": 11, "color": INK},
    }


def _short(value: float, reach: float) -> str:
    if abs(value) < 0.005 and reach <= 1.5:
        return "≈0" if reach < 0.02 and value else ""
    return cell(value) if abs(value) < 999.995 else f"{value:.4g}".replace("-", "−")


def _rule(rows: int) -> dict[str, Any]:
    """A line between the kernels and what they are held against."""
    line = {"color": FAINT, "width": 1.5}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": rows - 0.5, "y1": rows - 0.5, "line": line}


def _verdict(row: int, text: str, total: int) -> dict[str, Any]:
    return {
        "text": text,
        "x": 1,
        "y": row,
        "xref": "paper",
        "yref": "y",
        "xanchor": "left",
        "showarrow": False,
        "xshift": 6,
        "align": "left",
        "font": {"size": 12 if total <= 26 else 10},
    }


def queries_figure(
    queries: Sequence[str],
    weights: ArrayLike,
    others: ArrayLike,
    answers: Sequence[Sequence[str]],
    heads: Sequence[str],
    inputs: Sequence[str],
    given: Sequence[str],
    numbers: Sequence[int],
    marked: int | None = None,
    raw: bool = False,
    height: int = 0,
) -> go.Figure:
    """A row a query: one kernel's weights on the demonstrations, and answers side by side.

    Args:
        queries: (Q,) inputs.
        weights, others: (Q, n) as in `weights_figure`; raw ones share one scale here, since it is one kernel.
        answers: (Q, columns) short words: ŷ, the model's answer, exact Bayes's, the right one.
        heads: (columns,) what stands over them.
        inputs, given, numbers, marked: the demonstrations, as in `weights_figure`.
        raw: whether `weights` are raw.
        height: in pixels; 0 lets the rows decide.
    """
    cells = single(weights)
    rows, columns = cells.shape
    left = float(np.clip(columns / (columns + 1.6 * len(heads)), 0.35, 0.7))
    texts = _hovers(numbers, inputs, given)
    traces = [_weights(cells, single(others), texts, raw, own_scale=False)]
    if columns <= 16 and rows <= 26:
        traces.append(_letters(cells, "x"))
    traces += [click_targets(columns, rows, list(numbers)), _words(answers)]
    return figure(
        traces,
        height or 60 + 26 * rows,
        shapes=_frames(numbers, marked, rows),
        margin={"l": 8, "r": 8, "t": 38, "b": 8},
        xaxis=_top(_numbered(numbers, given), 0, left),
        xaxis2=_top([f"<b>{head}</b>" for head in heads], left + GAP, 1),
        yaxis=_rows(distinct(queries, 26), 12),
    )


def _words(answers: Sequence[Sequence[str]]) -> Trace:
    """Words in a grid."""
    every = [word for row in answers for word in row]
    return {
        "type": "scatter",
        "mode": "text",
        "xaxis": "x2",
        "x": np.array([c for row in answers for c in range(len(row))], dtype=np.float32),
        "y": np.array([r for r, row in enumerate(answers) for _ in row], dtype=np.float32),
        "text": distinct(every, 13),
        "hovertext": [wrap(word) for word in every],
        "hoverinfo": "text",
        "textfont": {"size": 12, "color": INK},
    }
