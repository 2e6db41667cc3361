"""Every head as a row: sorted by what it looks at, by its vote or by a role, and found by its name."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.attention.head_table import head_rows
from core.analysis.attention.many_heads import vote
from core.study.outcome import Outcome
from core.study.study import Head
from pages.ui.attention import roles
from pages.ui.attention.controls import P, attended, choose_head
from pages.ui.components.card import Card, Values, save_csv
from pages.ui.components.text import plain
from pages.ui.jobs import analysis
from pages.ui.jobs.waiting import Waiting
from pages.ui.session import session
from pages.ui.workbench.shown import rows_of

BY, FIND = P + "heads_by", P + "heads_find"
HEIGHT = 320  # pixels of the table, whose rows scroll
HELP = (
    "All heads, a row each. **demonstrations**: the answer position's attention on all of them, **demonstration n** on "
    "the marked one, the last where none is marked. **vote**: Σ a_i [y_i = ŷ] / Σ a_i, the share of a head's largest "
    "weights that falls on demonstrations labelled as the model answers; it says how a head agrees on this query, the "
    "head atlas (Kernel) on many. The others are the roles below. Find: L12H3 one head, L12 a layer's, H3 one of every "
    "layer, IL those that play both roles. Click a row's box to see that head alone, a heading to sort by it."
)


def scores_of(found: Outcome) -> dict[str, np.ndarray[Any, Any]]:
    """(layers, heads) by name: attention and vote at once, roles as soon as they are scored."""
    attention, rows = found.attention, rows_of(found)
    assert attention is not None
    scores: dict[str, np.ndarray[Any, Any]] = {}
    if rows.numbers:
        shown = [name.isdigit() for name in attention.spans]
        pointed = rows.marked if rows.marked is not None else rows.numbers[-1]
        place = attention.spans.index(str(rows.numbers.index(pointed) + 1))
        scores["vote"] = vote(attention.maxima, [y for _, y in rows.texts], found.answer.best)
        scores["demonstrations"] = attention.pooled[:, :, shown].sum(-1)
        scores[f"demonstration {pointed}"] = attention.pooled[:, :, place]
    else:
        scores["query"] = attention.pooled[:, :, attention.spans.index("query")]
    with suppress(Waiting):
        scores |= {role.name.split(" (")[0]: role.scores for role in roles.scored(found)}
    st.session_state[analysis.LOOKED_AT] -= {P + "roles", P + "labels"}
    return scores


def _reads() -> Values:
    found = attended()
    return scores_of(found), roles.letters(found), st.session_state.get(BY), st.session_state.get(FIND)


def _controls(values: Values | None) -> None:
    if values is None:
        return
    scores, letters, *_ = values
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        options = list(scores)
        if st.session_state.get(BY) not in options:
            st.session_state[BY] = options[0]
        st.selectbox("Sorted by", options, width=220, **session.hold(BY, options[0], "index", options))
        st.text_input("Find", placeholder="L12H3, L5, H0, IL", width=220, **session.hold(FIND, "", "value"))
        st.space("stretch")
        save_csv("CSV", P + "heads", partial(_rows, scores, letters), help="The numbers of this view.")


def _rows(scores: dict[str, np.ndarray[Any, Any]], letters: dict[Head, str]) -> list[dict[str, Any]]:
    by = st.session_state.get(BY)
    return head_rows(scores, by if by in scores else next(iter(scores)), st.session_state.get(FIND) or "", letters)


def heads_view(scores: dict[str, np.ndarray[Any, Any]], letters: dict[Head, str], *_: Any) -> None:
    """The table; the box of a row shows that head alone in the views above."""
    rows = _rows(scores, letters)
    if not rows:
        st.caption(f"No head is called “{plain(st.session_state.get(FIND) or '', 40)}” or plays these roles.")
        return
    names = ["head", *scores, "roles"]
    numbers = {name: st.column_config.NumberColumn(format="%.3f") for name in scores}
    key = P + "heads_table"

    def chosen() -> None:
        places = st.session_state[key]["selection"]["rows"]
        if places:
            choose_head([None, rows[places[0]]["number"], rows[places[0]]["layer"]])

    st.dataframe(
        {name: [row[name] for row in rows] for name in names},
        height=HEIGHT,
        row_height=28,
        hide_index=True,
        column_config=numbers,
        key=key,
        on_select=chosen,
        selection_mode="single-row",
        alt=f"{len(rows):,} heads with their scores, the first of them {rows[0]['head']}",
    )


CARD = Card(
    P + "card_heads", "Every head", HELP, _reads, heads_view, controls=_controls, height=HEIGHT, stretched=False
)
