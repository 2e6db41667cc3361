"""Which part of the prompt attends to which, for the chosen heads and head by head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.attention import ANSWER, Between, between, fits, group
from core.attention.records import table_records
from core.attention.rollout import rollout_between
from core.figures.attention.heads import atlas_figure, height_for
from core.figures.attention.maps import between_figure
from core.runtime.progress import Stop
from core.study.outcome import Attention, Outcome
from core.study.study import Head, Study
from pages.ui.attention import roles
from pages.ui.attention.controls import (
    FROM_KINDS,
    TO_KINDS,
    P,
    attended,
    choose_head,
    chosen_heads,
    grouping,
    keep_choice,
    kinds_of,
    over,
    rolling,
    tokens_shown,
    top_layer,
)
from pages.ui.components.card import Card, Values, save_csv
from pages.ui.components.charts import chart
from pages.ui.jobs import analysis
from pages.ui.jobs.run import model
from pages.ui.session import session
from pages.ui.workbench.shown import ShownRows, rows_of

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
    "it alone, below and beside. Letters are the roles it plays (see Head roles), or a dot where they do not fit; a "
    "dotted frame is a head that was planted before training, a solid one a head that is chosen."
)


def parts(found: Outcome) -> Between:
    """Attention or rollout between the parts chosen.

    Raises:
        Waiting: it is computed, or there is nothing to show.
    """
    known, tokens, grouped = model(), tokens_shown(), grouping()
    kinds = (kinds_of(FROM_KINDS), kinds_of(TO_KINDS))
    rows, columns = (group(tokens, grouped, chosen) for chosen in kinds)
    text, top, heads = found.prompt.text, top_layer(known.layers), chosen_heads(known)
    rolls = rolling()
    settings: dict[str, Any] = {"grouping": grouped, "kinds": kinds, "top": top if rolls else None}
    if not rolls and not fits(known, rows, columns):  # no head is kept by itself then
        settings["heads"] = heads

    def work(_: Study, stop: Stop) -> Between:
        if rolls:
            return rollout_between(known, text, rows, columns, top=top, stop=stop)
        return between(known, text, rows, columns, heads=heads, stop=stop)

    what = "Attention between parts"
    return analysis.value(P + "parts", found.study, known, settings, work, what, reads=analysis.ANSWERS)


def _between_reads() -> Values:
    found, known = attended(), model()
    heads = () if rolling() else chosen_heads(known)
    return parts(found), heads, over(known), rows_of(found)


def between_view(found: Between, heads: tuple[Head, ...], over_words: str, shown: ShownRows) -> None:
    """Which part attends to which, in the mean over the chosen heads."""
    numbers = shown.numbers
    mean = found.mean(heads)
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
        shown.marked,
        height=max(HEIGHT, min(2 * HEIGHT, 70 + 13 * len(rows))),  # room for the names of many parts
    )

    def clicked(data: list[Any]) -> None:
        if data[0] is not None:
            session.mark(data[0], shown.source)

    last = int(mean[-1].argmax())
    alt = f"Attention between parts of the prompt; the answer position looks most at {columns[last]}"
    chart(figure, P + "between", alt, on_click=clicked)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Rows attend to columns; {over_words}.")
        save_csv("CSV", P + "parts", lambda: table_records(rows, columns, mean), help="The numbers of this view.")


def _names(names: Sequence[str], demonstrations: Sequence[int | None], numbers: Sequence[int]) -> list[str]:
    """Names of parts with the numbers that demonstrations have in every view."""
    return [
        name if d is None else name.replace(str(d + 1), str(numbers[d]), 1)
        for name, d in zip(names, demonstrations, strict=True)
    ]


def _owners(demonstrations: Sequence[int | None], numbers: Sequence[int]) -> list[int | None]:
    return [None if d is None else numbers[d] for d in demonstrations]


def _atlas_reads() -> Values:
    found, known = attended(), model()
    heads = () if rolling() else chosen_heads(known)
    return parts(found), found.attention, rows_of(found), heads, roles.letters(found), roles.planted_in_words(known)


def atlas_view(
    found: Between,
    attention: Attention,
    shown: ShownRows,
    chosen: tuple[Head, ...],
    letters: dict[Head, str],
    planted: dict[Head, str],
) -> None:
    """From one part to another, a cell a head; a click shows that head alone."""
    numbers = shown.numbers
    every = found.heads is None
    if every:
        rows = _names(found.rows, found.row_demonstrations, numbers)
        columns = _names(found.columns, found.column_demonstrations, numbers)
        owners, weights = _owners(found.column_demonstrations, numbers), found.weights
        keep_choice(FROM_PART, rows, rows[-1])
    else:  # rollout knows no heads, and of very many parts no head is kept: what run() gives is at hand
        rows = [ANSWER]
        places = [int(name) - 1 if name.isdigit() else None for name in attention.spans]
        columns, owners = _names(attention.spans, places, numbers), _owners(places, numbers)
        weights = attention.pooled[:, :, None]
    _follow_mark(shown.marked, columns, owners)
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
    figure = atlas_figure(cells, what, chosen, letters, planted, height=height_for(len(cells), HEIGHT - 32))
    best = np.unravel_index(int(cells.argmax()), cells.shape)
    chart(figure, P + "atlas", f"Share {what}, by head; most in layer {best[0]} head {best[1]}", on_click=choose_head)


def _said(part: str) -> str:
    return f"demonstration {part}" if part[:1].isdigit() else f"the {part}"


def _follow_mark(marked: int | None, columns: Sequence[str], owners: Sequence[int | None]) -> None:
    """The demonstration that was marked last, in whatever view, is what heads are shown to attend to."""
    if marked != st.session_state.get(FOLLOWED) and marked in owners:
        st.session_state[TO_PART] = columns[owners.index(marked)]
    st.session_state[FOLLOWED] = marked
    shown = [name for name, owner in zip(columns, owners, strict=True) if owner is not None]
    keep_choice(TO_PART, columns, shown[-1] if shown else columns[-1])


ATLAS = Card(P + "card_atlas", "Layers × heads", HELP_ATLAS, _atlas_reads, atlas_view, height=HEIGHT + 40)
BETWEEN = Card(
    P + "card_between", "Between parts of the prompt", HELP_BETWEEN, _between_reads, between_view, height=HEIGHT + 40
)
