"""Why: the score that one selection gave every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis.selection.comparison import Choice
from core.analysis.selection.records import choice_records
from core.figures.selection.comparison import score_figure
from core.selection import selections
from core.study.cleaning import usable
from pages.ui.components import menu
from pages.ui.components.card import Card, Values, save_csv
from pages.ui.components.charts import chart
from pages.ui.components.text import plain
from pages.ui.selection.comparison import RowsChosen, choices_of, cost_of, made, without_query
from pages.ui.selection.settings import LOOK, OWN, P, SelectionSettings, settings

HEIGHT = 384
SHOWN = 16
EVERY = P + "every"
HELP = (
    "The score that a selection gave each row of the pool, best first; filled are those it chose. A selection that "
    "takes rows one after another, or a set at once, need not choose the best scores of all. Rows without a score were "
    "no candidates: the query itself, rows held out to measure on, or rows not looked at closely."
)


def looked_at(settings: SelectionSettings, choices: Sequence[Choice]) -> Choice | None:
    """The choice that the map rings and the scores explain: the one picked in the menu, else the study's own."""
    by_name = {choice.name: choice for choice in choices}
    picked = st.session_state.get(LOOK, OWN)
    return by_name.get(picked or settings.study.selection) or by_name.get(settings.study.selection)


def _reads() -> Values:
    chosen = settings()
    choices = made(choices_of(chosen))
    look = looked_at(chosen, choices)
    what = None if look is None else RowsChosen.of(look)
    said = () if look is None else (cost_of(look), *look.chosen.notes)
    return without_query(chosen), tuple(choice.name for choice in choices), what, said


def _draw(settings: SelectionSettings, _: tuple[str, ...], what: RowsChosen | None, said: tuple[str, ...]) -> None:
    """What the score means, and the rows by score."""
    look = None if what is None else what.choice
    if look is None:
        title_ = selections.find(settings.study.selection).title
        st.caption(f"“{title_}” has not chosen yet: compute it below, or look at another selection.")
        return
    entry = selections.find(look.name)
    st.caption(f"{entry.title}: {entry.help}.")
    if look.scores is None or not np.isfinite(look.scores).any():
        few = len([row for row in settings.study.pool if usable(row)]) <= settings.study.k
        st.caption(entry.unranked or ("All rows are shown, so nothing was ranked." if few else "No row has a score."))
        _footer(settings, look, *said)
        return
    st.caption(f"Score: {plain(entry.scores, 400)}.")
    order = np.argsort(-np.nan_to_num(look.scores, nan=-np.inf), kind="stable")
    ranked = [int(i) for i in order if np.isfinite(look.scores[i])]
    taken = set(look.places)
    best = ranked[:SHOWN]
    missed = [i for i in ranked[SHOWN:] if i in taken][: SHOWN // 2]
    rows = [*best[: SHOWN - len(missed)], *missed] if missed else best
    pool = settings.study.pool
    figure = score_figure(
        [i + 1 for i in rows],
        [pool[i].input for i in rows],
        [pool[i].label for i in rows],
        look.scores[rows],
        [i in taken for i in rows],
        settings.marked,
        height=max(120, min(HEIGHT, 40 + 22 * len(rows))),
    )
    top = ranked[0] + 1
    chart(figure, P + "scores", f"Scores by {entry.title}; row {top} has the highest", on_click=settings.clicked)
    left = len(ranked) - len(rows)
    more = f"{left:,} more rows have a score. " if left > 0 else ""
    none = len(pool) - len(ranked)
    if more or none:
        st.caption(f"{more}{f'{none:,} rows have none.' if none else ''}")
    _footer(settings, look, *said)


def _menu(settings: SelectionSettings, known: tuple[str, ...], *_: object) -> None:
    own = selections.find(settings.study.selection).title
    names = {OWN: f"the study's: {own}"} | {name: selections.find(name).title for name in known}
    st.session_state[LOOK] = menu.held(list(names), LOOK)
    st.selectbox(
        "Look at",
        list(names),
        format_func=lambda name: names.get(name, str(name)),
        key=LOOK,
        help="Whose choice the map rings, and whose scores are shown here.",
        label_visibility="collapsed",
        persist_state="session",
    )


def _footer(settings: SelectionSettings, look: Choice, cost: str, *notes: str) -> None:
    """Its notes, what it cost, and its scores as a file."""
    for note in notes:
        st.caption(plain(note, 400))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(cost, width="stretch")
        save_csv("Scores CSV", P + "scores", lambda: choice_records(settings.study, [look]))


CARD = Card(P + "card_why", "Why", HELP, _reads, _draw, beside=_menu, height=HEIGHT + 70)
