"""Every head of a model of many: a map of all, a search, and the rows of those that lead."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.attention import many_heads
from core.analysis.kernel.head_grid import HeadGrid
from core.figures.attention.heads import atlas_figure, height_for
from core.study.outcome import Answer, Kernel
from core.study.study import Head
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.session import session
from pages.ui.workbench.shown import ShownRows

P = "kernel_heads_"
SCORE, FIND = P + "score", P + "find"
MANY = 60  # rows of a table that can still be read; more heads are a map
ROWS = 16  # heads that lead, or are found, as rows below the map
LEAST = 260  # pixels of the map
SCORES = ("vote", "overlap", "weight")
HELP_SCORE = (
    "What a cell of the map is, and by what heads lead. **Vote**: ŷ(y) of the model's answer y. **Overlap**: 1 − TV, "
    "how much of ŷ and of the model's distribution is the same. **Weight**: K/ΣK of the marked demonstration, the last "
    "where none is marked. A head that weighs nothing has no number."
)
HELP_FIND = "L12H3 or 12.3 is one head, L12 a layer's heads, H3 one of every layer; several with commas between them."


def map_view(grid: HeadGrid, answer: Answer, rows: ShownRows) -> list[Kernel]:
    """A map of all heads with its controls; returns the kernels whose weights are to be drawn below it."""
    layers, heads = grid.shape
    pointed = rows.marked if rows.marked is not None else rows.numbers[-1]
    names = {
        "vote": f"vote for “{answer.best}”",
        "overlap": "overlap with the model's distribution",
        "weight": f"weight on demonstration {pointed}",
    }
    left, right = st.columns([1, 1], gap="small", vertical_alignment="bottom")
    with left:
        score = st.selectbox(
            "Heads by",
            SCORES,
            format_func=names.get,
            help=HELP_SCORE,
            **session.hold(SCORE, SCORES[0], "index", SCORES),
        )
    with right:
        text = st.text_input(
            "Find heads", placeholder="L12H3, L5, H0", help=HELP_FIND, **session.hold(FIND, "", "value")
        )
    scores = {
        "vote": lambda: grid.votes(answer),
        "overlap": lambda: grid.overlaps(answer),
        "weight": lambda: grid.weights(rows.numbers.index(pointed)),
    }[score or SCORES[0]]()
    found = many_heads.found(text or "", layers, heads)
    what = names[score or SCORES[0]]
    _draw_map(scores, what, found)
    return [*grid.others, *_below(grid, scores, what, found, (text or "").strip())]


def _draw_map(scores: NDArray[np.float64], what: str, found: tuple[Head, ...]) -> None:
    layers, _ = scores.shape
    figure = atlas_figure(scores, what, found, height=height_for(layers, LEAST))
    (best,) = many_heads.leading(scores, 1) or (None,)
    alt = f"{what} of every head" + (f"; most in layer {best[0]} head {best[1]}" if best else "")
    chart(figure, P + "map", alt, on_click=_open)


def _open(data: list[Any]) -> None:
    """A click on a head (customdata: nothing, head, layer) finds it; a second click shows those that lead again."""
    name = many_heads.named((int(data[2]), int(data[1])))
    st.session_state[FIND] = "" if st.session_state.get(FIND) == name else name


def _below(grid: HeadGrid, scores: NDArray[np.float64], what: str, found: tuple[Head, ...], text: str) -> list[Kernel]:
    """The heads found, or those that lead, by falling score, and a sentence on how they came to be shown."""
    shown = np.where(_mask(found, scores.shape), scores, np.nan) if found else scores
    first = many_heads.leading(shown, ROWS)
    count = len(found) or scores.size
    if text and not found:
        st.caption(f"No head is called “{plain(text, 40)}”; those that lead are shown.")
    silent = int(np.isnan(shown[_mask(found, scores.shape)]).sum()) if found else int(np.isnan(scores).sum())
    st.caption(
        f"Below: {len(first)} of {count:,} heads, by {plain(what, 60)}"
        + (f"; {silent:,} have no number" if silent else "")
        + ". Click a head of the map for its row. Some of many heads agree by chance on one query: the head atlas asks "
        "many."
    )
    return [grid.kernels[head] for head in first]


def _mask(found: tuple[Head, ...], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(layers, heads) which heads were found."""
    mask = np.zeros(shape, dtype=bool)
    for head in found:
        mask[head] = True
    return mask
