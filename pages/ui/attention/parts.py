"""Which part of the prompt attends to which, for the chosen heads and head by head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.attention import ANSWER, Between, Tokens, between, fits, group
from core.attention.rollout import rollout_between
from core.figures.attention.heads import atlas_figure
from core.figures.attention.maps import between_figure
from core.runtime.progress import Stop
from core.study.outcome import Outcome
from core.study.study import Head
from pages.ui.attention.controls import (
    FROM_KINDS,
    GROUPING,
    TO_KINDS,
    TOP,
    P,
    choose_head,
    chosen_heads,
    download,
    keep_choice,
    over,
    rolling,
)
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis
from pages.ui.session import session

if TYPE_CHECKING:
    from core.models import LanguageModel

FROM_PART, TO_PART, FOLLOWED = P + "from_part", P + "to_part", P + "followed"
HEIGHT = 300  # pixels

HELP_BETWEEN = (
    "A cell is the share of a row's attention that falls on a column: 1/|g| Σ_{i in g} Σ_{j in c} A[i,j], the "
    "mean over the tokens of the row's part and over the heads chosen above. The last row is the prompt's last "
    "token alone, where the answer is formed. A row sums to 1 while every kind of token is among the columns. "
    "Times the number of heads it is the sum over them. Click a cell to mark its column's demonstration."
)
HELP_ATLAS = (
    "The same share for every head: how much of its attention goes from one part to another. Click a head to see "
    "it alone, below and beside. Letters are the roles it plays (see Head roles); a dotted frame is a head that "
    "was planted before training, a solid one a head that is chosen."
)


def parts(outcome: Outcome, model: LanguageModel, tokens: Tokens) -> Between | None:
    """Attention or rollout between the parts chosen; None while it is computed, or where there is nothing to show."""
    grouping = st.session_state[GROUPING]
    kinds = (tuple(st.session_state[FROM_KINDS]), tuple(st.session_state[TO_KINDS]))
    rows, columns = (group(tokens, grouping, chosen) for chosen in kinds)
    text, top, heads = outcome.prompt.text, st.session_state[TOP], chosen_heads(model)
    rolls = rolling()
    settings: dict[str, Any] = {"grouping": grouping, "kinds": kinds, "top": top if rolls else None}
    if not rolls and not fits(model, rows, columns):  # no head is kept by itself then
        settings["heads"] = heads

    def work(stop: Stop) -> Between:
        if rolls:
            return rollout_between(model, text, rows, columns, top=top, stop=stop)
        return between(model, text, rows, columns, heads=heads, stop=stop)

    return analysis.result(P + "parts", outcome.study, model, settings, work, "Attention between parts")


def between_view(outcome: Outcome, model: LanguageModel, found: Between | None) -> None:
    """Which part attends to which, in the mean over the chosen heads."""
    if found is None:
        return
    numbers, source = session.numbers(outcome), outcome.chosen.source
    mean = found.mean(() if rolling() else chosen_heads(model))
    rows = _names(found.rows, found.row_demonstrations, numbers)
    columns = _names(found.columns, found.column_demonstrations, numbers)
    figure = between_figure(
        mean,
        rows,
        columns,
        _owners(found.row_demonstrations, numbers),
        _owners(found.column_demonstrations, numbers),
        found.row_sizes.tolist(),
        found.column_sizes.tolist(),
        session.marked_in(outcome),
        height=max(HEIGHT, min(2 * HEIGHT, 70 + 13 * len(rows))),  # room for the names of many parts
    )

    def clicked(data: list[Any]) -> None:
        if data[0] is not None:
            session.mark(data[0], source)

    last = int(mean[-1].argmax())
    alt = f"Attention between parts of the prompt; the answer position looks most at {columns[last]}"
    chart(figure, P + "between", alt, on_click=clicked)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Rows attend to columns; {over(model)}.")
        download(
            "parts",
            ["from", *columns],
            lambda: ([name, *row] for name, row in zip(rows, mean.tolist(), strict=True)),
        )


def _names(names: Sequence[str], demonstrations: Sequence[int | None], numbers: Sequence[int]) -> list[str]:
    """Names of parts with the numbers that demonstrations have in every view."""
    return [
        name if d is None else name.replace(str(d + 1), str(numbers[d]), 1)
        for name, d in zip(names, demonstrations, strict=True)
    ]


def _owners(demonstrations: Sequence[int | None], numbers: Sequence[int]) -> list[int | None]:
    return [None if d is None else numbers[d] for d in demonstrations]


def atlas_view(
    outcome: Outcome, model: LanguageModel, found: Between | None, letters: dict[Head, str], planted: dict[Head, str]
) -> None:
    """From one part to another, a cell a head; a click shows that head alone."""
    attention = outcome.attention
    assert attention is not None
    numbers = session.numbers(outcome)
    every = found is not None and found.heads is None
    if found is not None and every:
        rows = _names(found.rows, found.row_demonstrations, numbers)
        columns = _names(found.columns, found.column_demonstrations, numbers)
        owners, weights = _owners(found.column_demonstrations, numbers), found.weights
        keep_choice(FROM_PART, rows, rows[-1])
    else:  # rollout knows no heads, and of very many parts no head is kept: what run() gives is at hand
        rows = [ANSWER]
        places = [int(name) - 1 if name.isdigit() else None for name in attention.spans]
        columns, owners = _names(attention.spans, places, numbers), _owners(places, numbers)
        weights = attention.pooled[:, :, None]
    _follow_mark(outcome, columns, owners)
    left, right = st.columns(2, gap="small")
    with left:
        if every:
            source = st.selectbox("From part", rows, key=FROM_PART, persist_state="session")
        else:
            source = st.selectbox("From part", rows, key=f"{FROM_PART}_only", disabled=True)
    with right:
        target = st.selectbox("To part", columns, key=TO_PART, persist_state="session")
    cells = weights[:, :, rows.index(source), columns.index(target)]
    what = f"of the attention of {_said(source)} on {_said(target)}"
    chosen = () if rolling() else chosen_heads(model)
    figure = atlas_figure(cells, what, chosen, letters, planted, height=HEIGHT - 32)
    best = np.unravel_index(int(cells.argmax()), cells.shape)
    chart(figure, P + "atlas", f"Share {what}, by head; most in layer {best[0]} head {best[1]}", on_click=choose_head)


def _said(part: str) -> str:
    return f"demonstration {part}" if part[:1].isdigit() else f"the {part}"


def _follow_mark(outcome: Outcome, columns: Sequence[str], owners: Sequence[int | None]) -> None:
    """The demonstration that was marked last, in whatever view, is what heads are shown to attend to."""
    marked = session.marked_in(outcome)
    if marked != st.session_state.get(FOLLOWED) and marked in owners:
        st.session_state[TO_PART] = columns[owners.index(marked)]
    st.session_state[FOLLOWED] = marked
    shown = [name for name, owner in zip(columns, owners, strict=True) if owner is not None]
    keep_choice(TO_PART, columns, shown[-1] if shown else columns[-1])
