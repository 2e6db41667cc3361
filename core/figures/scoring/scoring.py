"""Ways to score: a cell for every scorer and calibration, a dot for its accuracy, a cell for every pair of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.base import Trace, click_targets, distinct, figure, outline, rows_axis, single, wrap
from core.figures.colours import BAYES, FAINT, INK, MARK, MODEL, OTHERS, SEQUENTIAL, TASK_COLOURS
from core.runtime.numbers import cell, fixed

STEPS = 21  # invisible markers along a row, so that a click anywhere on it counts
FIXED = {"fixedrange": True, "zeroline": False, "automargin": True}
GAP = 0.45  # rows between the model's and exact Bayes's


def score_cells_figure(
    rows: Sequence[str],
    columns: Sequence[str],
    winners: Sequence[Sequence[str | None]],
    values: ArrayLike,
    colours: Mapping[str, str],
    notes: Sequence[Sequence[str]],
    keys: Sequence[Sequence[str]],
    gold: str | None = None,
    bayes: Sequence[tuple[str, str | None, float]] = (),
    own: tuple[int, int] | None = None,
    opened: tuple[int, int] | None = None,
    of: str | None = None,
    height: int = 330,
) -> go.Figure:
    """A row a scorer, a column a calibration; a cell carries the winning label and its probability.

    Args:
        rows, columns: (V,) scorers, (K,) calibrations.
        winners: (V, K) winning labels, None where there is no answer.
        values: (V, K) the winning label's probability, or that of `of`.
        colours: a colour a label, from `label_colours`.
        notes: (V, K) for the hover text.
        keys: (V, K) what a click carries.
        gold: the right answer; where it wins, the cell carries a ★.
        bayes: (name, winning label, value) of exact Bayes's rows, below.
        own: the study's own cell, framed.
        opened: the cell that is worked out beside, framed in grey.
        of: a label whose probability every cell shows instead of the winner; all cells then have one colour.
        height: in pixels.
    """
    p = single(values).reshape(len(rows), len(columns))
    grid = list(product(range(len(rows)), range(len(columns))))
    cells = [(c, float(r), winners[r][c], float(p[r, c]), notes[r][c]) for r, c in grid]
    low = len(rows) + GAP
    cells += [(0, low + i, winner, value, f"<b>{wrap(name)}</b>") for i, (name, winner, value) in enumerate(bayes)]
    targets = click_targets(len(columns), len(rows), [None] * len(columns))
    targets["customdata"] = [[keys[r][c]] for r, c in grid]
    places = np.concatenate([np.arange(len(rows)), low + np.arange(len(bayes))])
    shapes = [_cell(c, r, winner, value, colours, of) for c, r, winner, value, _ in cells]
    if opened is not None and opened != own:
        shapes.append({**_frame(opened), "line": {"color": BAYES, "width": 2.5}})
    if own is not None:
        shapes.append(_frame(own))
    return figure(
        [_words(cells, gold, of), _hover(cells), targets],
        height,
        hovermode="closest",
        shapes=shapes,
        margin={"l": 8, "r": 8, "t": 40, "b": 6},
        xaxis=_above([column.replace(" ", "<br>") for column in columns]),
        yaxis={
            **FIXED,
            "showgrid": False,
            "range": [float(places[-1]) + 0.5, -0.5],
            "tickvals": places,
            "ticktext": distinct([*rows, *(name for name, _, _ in bayes)], 24),
            "tickfont": {"size": 12},
        },
    )


def _above(names: Sequence[str]) -> dict[str, Any]:
    """Columns, their names on top."""
    places = {"range": [-0.5, len(names) - 0.5], "tickvals": np.arange(len(names)), "ticktext": list(names)}
    return {**FIXED, "showgrid": False, "side": "top", **places, "tickfont": {"size": 12}, "tickangle": 0}


def label_colours(labels: Sequence[str], winners: Sequence[str | None]) -> dict[str, str]:
    """A colour for each of the first seven labels, those that win before the others where there are more."""
    ranked = list(labels)
    if len(ranked) > len(TASK_COLOURS):
        counts = Counter(winner for winner in winners if winner is not None)
        ranked.sort(key=lambda label: -counts[label])
    return {label: TASK_COLOURS[i] if i < len(TASK_COLOURS) else OTHERS for i, label in enumerate(ranked)}


def _cell(
    column: int, row: float, winner: str | None, value: float, colours: Mapping[str, str], of: str | None
) -> dict[str, Any]:
    """A filled cell: the winner's colour, the deeper the more probable."""
    colour = FAINT if winner is None else MODEL if of is not None else colours.get(winner, OTHERS)
    strength = 0.0 if not np.isfinite(value) else 0.08 + 0.62 * value
    return {
        "type": "rect",
        "x0": column - 0.48,
        "x1": column + 0.48,
        "y0": row - 0.46,
        "y1": row + 0.46,
        "line": {"width": 1, "color": FAINT},
        "fillcolor": colour,
        "opacity": 1.0 if winner is None else max(strength, 0.02),
        "layer": "below",
    }


def _frame(cell: tuple[int, int]) -> dict[str, Any]:
    row, column = cell
    return outline(column - 0.48, column + 0.48, row - 0.46, row + 0.46)


def _words(cells: Sequence[tuple[int, float, str | None, float, str]], gold: str | None, of: str | None) -> Trace:
    known = list(dict.fromkeys(winner for _, _, winner, _, _ in cells if winner is not None))
    short = dict(zip(known, distinct(known, 10), strict=True))

    def said(winner: str | None, value: float) -> str:
        if winner is None:
            return "–"
        number = cell(value)
        return number if of is not None else f"{'★ ' if winner == gold else ''}<b>{short[winner]}</b> {number}"

    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "x": single([c for c, *_ in cells]),
        "y": single([r for _, r, *_ in cells]),
        "text": [said(winner, value) for _, _, winner, value, _ in cells],
        "textfont": {"size": 11.5, "color": INK},
    }


def _hover(cells: Sequence[tuple[int, float, str | None, float, str]]) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": single([c for c, *_ in cells]),
        "y": single([r for _, r, *_ in cells]),
        "marker": {"opacity": 0, "size": 22, "symbol": "square", "color": MODEL},
        "text": [note for *_, note in cells],
        "hovertemplate": "%{text}<extra></extra>",
    }


def accuracy_figure(
    names: Sequence[str],
    accuracy: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    notes: Sequence[str],
    keys: Sequence[str],
    bayes: int = 0,
    own: int | None = None,
    chosen: Sequence[str] = (),
    height: int = 470,
) -> go.Figure:
    """A dot a combination with its interval, the highest first; a click carries its key.

    Args:
        names, accuracy, low, high, notes, keys: (C,); the last `bayes` of them are exact Bayes's.
        bayes: how many rows are exact Bayes's, in grey.
        own: place of the study's own, framed.
        chosen: keys of the pair that is compared beside, framed in grey.
        height: in pixels.
    """
    share = np.asarray(accuracy, dtype=float)
    order = np.argsort(-share, kind="stable")
    down, up = np.asarray(low, dtype=float)[order], np.asarray(high, dtype=float)[order]
    rows = len(order)
    hover = [
        f"<b>{wrap(names[i])}</b><br>{share[i]:.3f}, 95 % from {down[r]:.3f} to {up[r]:.3f}<br>{wrap(notes[i])}"
        for r, i in enumerate(order)
    ]
    data = [[keys[i]] for i in order]
    dots: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": single(share[order]),
        "y": np.arange(rows, dtype=np.float32),
        "marker": {"color": [BAYES if i >= len(names) - bayes else MODEL for i in order], "size": 8},
        "error_x": _reach(up - share[order], share[order] - down),
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "customdata": data,
        "text": hover,
        "hovertemplate": "%{text}<extra></extra>",
    }
    framed = {own: MARK} if own is not None else {}
    framed |= {i: BAYES for i, key in enumerate(keys) if key in chosen and i != own}
    floor = min(0.5, float(down.min(initial=0.5))) - 0.02
    return figure(
        [_row_targets(floor, data, hover), dots],
        height,
        hovermode="closest",
        shapes=[
            {**outline(0, 1, r - 0.5, r + 0.5), "xref": "x domain", "line": {"color": framed[i], "width": 2}}
            for r, i in enumerate(order)
            if i in framed
        ],
        margin={"l": 8, "r": 10, "t": 4, "b": 24},
        xaxis={**FIXED, "range": [floor, 1.02], "nticks": 6},
        yaxis=rows_axis(distinct([names[i] for i in order], 40), 12 if rows <= 14 else 10),
    )


def _reach(up: ArrayLike, down: ArrayLike) -> dict[str, Any]:
    """Whiskers of an interval."""
    sides = {"symmetric": False, "array": single(up), "arrayminus": single(down)}
    return {"type": "data", **sides, "thickness": 1.3, "width": 2, "color": BAYES}


def _row_targets(floor: float, data: Sequence[list[str]], hover: Sequence[str]) -> Trace:
    rows = len(data)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.tile(np.linspace(floor, 1, STEPS, dtype=np.float32), rows),
        "y": np.repeat(np.arange(rows, dtype=np.float32), STEPS),
        "customdata": [entry for entry in data for _ in range(STEPS)],
        "text": [text for text in hover for _ in range(STEPS)],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"opacity": 0, "size": 12, "symbol": "square", "color": MODEL},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
    }


def pairs_figure(
    names: Sequence[str],
    groups: Sequence[str],
    values: ArrayLike,
    keys: Sequence[str],
    what: str,
    lowest: float = 0.0,
    own: int | None = None,
    pair: tuple[int, int] | None = None,
    height: int = 470,
) -> go.Figure:
    """A cell for every pair of combinations; a click carries both keys.

    Args:
        names, keys: (C,) in the order of rows and of columns.
        groups: (C,) neighbours of one name, the scorers, are labelled together.
        values: (C, C) symmetric.
        what: name of the value, for the hover text.
        lowest: lower end of the colour scale; the upper is 1.
        own: place of the study's own, whose row is framed.
        pair: (row, column) of the pair looked at.
        height: in pixels.
    """
    cells = single(values)
    size = len(names)
    targets = click_targets(size, size, [None] * size)
    targets["customdata"] = [[keys[r], keys[c]] for r in range(size) for c in range(size)]
    targets["marker"]["size"] = max(5, min(18, (height - 40) // max(size, 1)))
    starts = [i for i in range(size) if i == 0 or groups[i] != groups[i - 1]]
    middles = [(start + end - 1) / 2 for start, end in zip(starts, [*starts[1:], size], strict=True)]
    shapes = [line for start in starts[1:] for line in _rules(start - 0.5, size)]
    if own is not None:
        shapes.append(outline(-0.5, size - 0.5, own - 0.5, own + 0.5))
    if pair is not None:
        shapes.append({**_frame(pair), "line": {"color": BAYES, "width": 2}})
    axis: dict[str, Any] = {**FIXED, "showgrid": False, "tickvals": middles, "ticks": ""}
    traces = [_pair_cells(cells, names, what, lowest), targets]
    if size <= 10:
        traces.append(_numbers(cells))
    return figure(
        traces,
        height,
        shapes=shapes,
        margin={"l": 8, "r": 8, "t": 4, "b": 24},
        xaxis={**axis, "range": [-0.5, size - 0.5], "ticktext": [""] * len(starts), "automargin": False},
        yaxis={
            **axis,
            "range": [size - 0.5, -0.5],
            "ticktext": distinct([groups[start] for start in starts], 24),
            "tickfont": {"size": 12},
        },
    )


def _rules(at: float, size: int) -> list[dict[str, Any]]:
    """Lines between two groups, across and down."""
    line = {"type": "line", "line": {"color": BAYES, "width": 1}, "layer": "above"}
    ends = {"0": -0.5, "1": size - 0.5}
    across = {**line, "y0": at, "y1": at, **{f"x{k}": v for k, v in ends.items()}}
    return [across, {**line, "x0": at, "x1": at, **{f"y{k}": v for k, v in ends.items()}}]


def _pair_cells(cells: NDArray[np.float32], names: Sequence[str], what: str, lowest: float) -> Trace:
    size = len(names)
    return {
        "type": "heatmap",
        "z": cells,
        "text": [
            [f"{wrap(names[r])}<br>{wrap(names[c])}<br>{what} {fixed(cells[r, c])}" for c in range(size)]
            for r in range(size)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": SEQUENTIAL,
        "zmin": lowest,
        "zmax": 1.0,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 8, "len": 0.95, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 10}},
    }


def _numbers(cells: NDArray[np.float32]) -> Trace:
    size = len(cells)
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "x": np.tile(np.arange(size, dtype=np.float32), size),
        "y": np.repeat(np.arange(size, dtype=np.float32), size),
        "text": [cell(v) for v in cells.ravel()],
        "textfont": {"size": 11, "color": INK},
    }
