"""Layers × heads: a number for every head, which heads are chosen, and what role each plays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from core.figures.attention.maps import axis, heat
from core.figures.base import Trace, cell_text, click_targets, figure, single, wrap
from core.figures.colours import DIVERGING, FAINT, INK

Head = tuple[int, int]
GAP = 0.035  # of the width, between two panels
SPELLED = 64  # heads whose numbers are written into their cells


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
    trace = heat(cells, "layer %{y}, head %{x}<br><b>%{z:.4f}</b> " + wrap(what) + "%{text}<extra></extra>")
    trace["text"] = [[_said((y, x), letters, planted) for x in range(heads)] for y in range(layers)]
    traces = [trace]
    if cells.size <= SPELLED:
        traces.append(cell_text(cells))
    traces.append(_marks(letters, below=cells.size <= SPELLED))
    traces.append(click_targets(heads, layers, [None] * heads))
    frames = [_frame(head, INK, "solid") for head in chosen] if len(chosen) < cells.size else []
    return figure(
        traces,
        height,
        shapes=[*(_frame(head, INK, "dot") for head in planted), *frames],
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis=_numbers(heads, "head"),
        yaxis=_numbers(layers, "layer", reverse=True),
    )


def _said(head: Head, letters: Mapping[Head, str], planted: Mapping[Head, str]) -> str:
    roles = f"<br>roles {letters[head]}" if letters.get(head) else ""
    return roles + (f"<br>planted before training: {planted[head]}" if head in planted else "")


def _marks(letters: Mapping[Head, str], below: bool) -> Trace:
    shown = [(head, letter) for head, letter in letters.items() if letter]
    return {
        "type": "scatter",
        "mode": "text",
        "hoverinfo": "skip",
        "x": [head[1] for head, _ in shown],
        "y": [head[0] + (0.3 if below else 0.0) for head, _ in shown],
        "text": [f"<b>{letter}</b>" for _, letter in shown],
        "textfont": {"size": 11, "color": INK},
    }


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
    """One panel a role, layers × heads; a head whose score reaches `threshold` carries the role's letter.

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
        traces += [trace | names for trace in _panel(role, threshold, planted)]
        layers, heads = role.scores.shape
        layout[f"xaxis{number}"] = _numbers(heads, "") | {"domain": [left, left + width], "anchor": f"y{number}"}
        layout[f"yaxis{number}"] = _numbers(layers, "", reverse=True) | {"anchor": f"x{number}"}
        titles.append(_title(role, left))
        where = {"xref": f"x{number}", "yref": f"y{number}"}
        shapes += [_frame(head, INK, "dot", **where) for head in planted]
    return figure(traces, height, shapes=shapes, annotations=titles, margin={"l": 8, "r": 8, "t": 28, "b": 8}, **layout)


def _panel(role: Role, threshold: float, planted: Mapping[Head, str]) -> list[Trace]:
    cells = single(role.scores)
    layers, heads = cells.shape
    hover = f"layer %{{y}}, head %{{x}}<br>{wrap(role.name)} <b>%{{z:.3f}}</b>%{{text}}<extra></extra>"
    trace = heat(cells, hover, scale=False) | {"zmin": role.low, "zmax": 1.0}
    if role.low < 0:
        trace["colorscale"] = DIVERGING
    trace["text"] = [[_said((y, x), {}, planted) for x in range(heads)] for y in range(layers)]
    reached = {(int(y), int(x)): role.letter for y, x in zip(*np.nonzero(cells >= threshold), strict=True)}
    spelled = cells.size <= SPELLED
    texts = [cell_text(cells)] if spelled else []
    return [trace, *texts, _marks(reached, below=spelled), click_targets(heads, layers, [None] * heads)]


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


def _numbers(size: int, title: str, reverse: bool = False) -> dict[str, Any]:
    """An axis of layers or heads, with at most about a dozen of their numbers."""
    step = max(1, -(-size // 12))
    names = [str(i) for i in range(size)]
    found = axis(size, names, shown=True, title=title, reverse=reverse)
    if step > 1:
        found |= {"tickvals": np.arange(0, size, step), "ticktext": names[::step]}
    return found | {"linecolor": FAINT}
