"""Layers × heads: a number for every head, which heads are chosen, and what role each plays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.attention.maps import axis, heat
from core.figures.base import LETTERS, WIDE, Trace, cell_text, click_targets, figure, single, sparse, wrap
from core.figures.colours import DIVERGING, FAINT, INK

Head = tuple[int, int]
GAP = 0.035  # of the width, between two panels
SPELLED = 64  # heads whose numbers are written into their cells
AROUND = 52  # pixels above and below the cells: margins, numbers and the word "head"
ROW, MOST = 13, 640  # pixels of a layer that has room for letters, and of a map at most
PANEL, WHOLE = 110, 190  # pixels that a panel of roles and a map alone are wide at least, on a narrow screen


@dataclass(frozen=True)
class Role:
    """One score of every head.

    Attributes:
        name: above its panel.
        letter: marks a head in other maps.
        scores: (layers, heads).
        low: the lowest score there can be, 0 or −1; the highest is 1.
    """

    name: str
    letter: str
    scores: NDArray[np.float64]
    low: float = 0.0


def atlas_figure(
    weights: ArrayLike,
    what: str,
    chosen: Collection[Head] = (),
    letters: Mapping[Head, str] | None = None,
    planted: Mapping[Head, str] | None = None,
    height: int = 300,
) -> go.Figure:
    """A number for every head; clicks give [None, head, layer].

    Args:
        weights: (layers, heads).
        what: what the number is, for the hover text.
        chosen: heads to frame.
        letters: letters of the roles that a head plays.
        planted: heads that were given their role before training, and what they do.
        height: in pixels.
    """
    cells = single(weights)
    layers, heads = cells.shape
    letters, planted = letters or {}, planted or {}
    room = _room(layers, heads, height, WHOLE)
    trace = heat(cells, "layer %{y}, head %{x}<br><b>%{z:.4f}</b> " + wrap(what) + "%{text}<extra></extra>")
    trace["text"] = [[_said((y, x), letters, planted) for x in range(heads)] for y in range(layers)]
    traces = [trace]
    if cells.size <= SPELLED:
        traces.append(cell_text(cells))
    traces += _marks(letters, room, below=cells.size <= SPELLED)
    traces.append(click_targets(heads, layers, [None] * heads))
    frames = [_frame(head, INK, "solid") for head in chosen] if len(chosen) < cells.size else []
    return figure(
        traces,
        height,
        shapes=[*(_frame(head, INK, "dot") for head in planted), *frames],
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=numbers_axis(heads, "head", WHOLE),
        yaxis=numbers_axis(layers, "layer", height - AROUND, reverse=True),
    )


def height_for(layers: int, least: int) -> int:
    """Pixels of a map of so many layers whose rows have room for letters, as far as a screen has it."""
    return max(least, min(MOST, AROUND + ROW * layers))


def _room(layers: int, heads: int, height: int, width: int) -> int:
    """How many letters stand in a cell without running into the next one, 0 where not even one does."""
    if (height - AROUND) / layers < LETTERS:
        return 0
    return int(width / heads / (WIDE + 1))


def _said(head: Head, letters: Mapping[Head, str], planted: Mapping[Head, str]) -> str:
    roles = f"<br>roles {letters[head]}" if letters.get(head) else ""
    return roles + (f"<br>planted before training: {planted[head]}" if head in planted else "")


def _marks(letters: Mapping[Head, str], room: int, below: bool) -> list[Trace]:
    """Letters where they fit into a head's cell, else a dot: what it stands for is said in the hover box."""
    shown = [(head, letter) for head, letter in letters.items() if letter]
    written, dotted = ([one for one in shown if (len(one[1]) <= room) is fits] for fits in (True, False))
    down = 0.3 if below else 0.0
    letter: Trace = {
        "mode": "text",
        "text": [f"<b>{letter}</b>" for _, letter in written],
        "textfont": {"size": LETTERS, "color": INK},
    }
    dot: Trace = {"mode": "markers", "marker": {"size": 4, "color": INK}}
    return [
        {
            "type": "scatter",
            "hoverinfo": "skip",
            "x": [head[1] for head, _ in marked],
            "y": [head[0] + down for head, _ in marked],
            **look,
        }
        for marked, look in ((written, letter), (dotted, dot))
        if marked or look is letter
    ]


def _frame(head: Head, colour: str, dash: str, **axes: str) -> dict[str, Any]:
    layer, number = head
    return {
        "type": "rect",
        "x0": number - 0.46,
        "x1": number + 0.46,
        "y0": layer - 0.46,
        "y1": layer + 0.46,
        "line": {"color": colour, "width": 1.5, "dash": dash},
        **axes,
    }


def roles_figure(
    roles: Sequence[Role],
    threshold: float,
    planted: Mapping[Head, str] | None = None,
    height: int = 240,
) -> go.Figure:
    """One panel a role, layers × heads; a head whose score reaches `threshold` carries the role's letter, or a dot.

    Args:
        roles: scores.
        threshold: from which score on a head is marked.
        planted: heads that were given their role before training, and what they do.
        height: in pixels.
    """
    planted = planted or {}
    width = (1 + GAP) / max(len(roles), 1) - GAP
    traces: list[Trace] = []
    layout: dict[str, Any] = {}
    shapes: list[dict[str, Any]] = []
    titles: list[dict[str, Any]] = []
    for place, role in enumerate(roles):
        number = "" if place == 0 else str(place + 1)
        names = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        left = place * (width + GAP)
        traces += [trace | names for trace in _panel(role, threshold, planted, height)]
        layers, heads = role.scores.shape
        layout[f"xaxis{number}"] = numbers_axis(heads, "", PANEL) | {
            "domain": [left, left + width],
            "anchor": f"y{number}",
        }
        rows = numbers_axis(layers, "", height - AROUND, reverse=True)
        layout[f"yaxis{number}"] = rows | {"anchor": f"x{number}"}
        titles.append(_title(role, left))
        where = {"xref": f"x{number}", "yref": f"y{number}"}
        shapes += [_frame(head, INK, "dot", **where) for head in planted]
    return figure(traces, height, shapes=shapes, annotations=titles, margin={"l": 8, "r": 8, "t": 28, "b": 8}, **layout)


def _panel(role: Role, threshold: float, planted: Mapping[Head, str], height: int) -> list[Trace]:
    cells = single(role.scores)
    layers, heads = cells.shape
    room = _room(layers, heads, height, PANEL)
    hover = f"layer %{{y}}, head %{{x}}<br>{wrap(role.name)} <b>%{{z:.3f}}</b>%{{text}}<extra></extra>"
    trace = heat(cells, hover, scale=False) | {"zmin": role.low, "zmax": 1.0}
    if role.low < 0:
        trace["colorscale"] = DIVERGING
    trace["text"] = [[_said((y, x), {}, planted) for x in range(heads)] for y in range(layers)]
    reached = {(int(y), int(x)): role.letter for y, x in zip(*np.nonzero(cells >= threshold), strict=True)}
    spelled = cells.size <= SPELLED
    texts = [cell_text(cells)] if spelled else []
    return [trace, *texts, *_marks(reached, room, below=spelled), click_targets(heads, layers, [None] * heads)]


def _title(role: Role, left: float) -> dict[str, Any]:
    return {
        "text": f"<b>{role.letter}</b> {role.name}",
        "x": left,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "font": {"size": 12},
    }


def numbers_axis(size: int, title: str, pixels: float, reverse: bool = False) -> dict[str, Any]:
    """An axis of layers (downwards, `reverse`) or heads, with as many of their numbers as `pixels` have room for."""
    step = sparse(size, pixels) if reverse else sparse(size, pixels, 5 + WIDE * len(str(size - 1)))
    names = [str(i) for i in range(size)]
    found = axis(size, names, shown=True, title=title, reverse=reverse)
    if step > 1:
        found |= {"tickvals": np.arange(0, size, step), "ticktext": names[::step]}
    return found | {"linecolor": FAINT}
