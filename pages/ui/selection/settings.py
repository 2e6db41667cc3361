"""What the Selection page draws, and what a click on it does: the card on the left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from core.analysis.selection.comparison import with_pool
from core.analysis.selection.pool_map import PROJECTIONS, Projection
from core.embeddings.encoders import NEAREST
from core.selection import selections, source_of
from core.study.cleaning import tidied, usable
from core.study.study import Study
from pages.ui.components import menu
from pages.ui.components.card import Card, Values
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.run import outcome
from pages.ui.jobs.waiting import Nothing
from pages.ui.selection.learned import learned_popover
from pages.ui.session import session, state
from pages.ui.workbench.encoder_menu import encoder_title, offered

P = "selection_"
ENCODER, PROJECTION, CLICK, LOOK = P + "encoder", P + "projection", P + "click", P + "look"
OWN = ""  # the study's own encoder or selection, whichever it is
MARK, PICK = CLICKS = "Mark it", "Hand-pick it"
NAMES: dict[Projection, str] = {"pca": "PCA", "t-sne": "t-SNE"}
HELP_PROJECTION = (
    "**PCA**: the two directions in which the inputs' vectors vary most. The same map every time, and the query is put "
    "on it without moving it; how much of the variance it shows is said below. **t-SNE**: keeps near rows together, "
    "while distances between groups mean nothing, and a new query can move everything."
)
HELP_CLICK = (
    "**Mark it**: frames the row in every view. **Hand-pick it**: adds the row to the demonstrations table, or takes "
    "it out again; they are what the selection “Hand-picked” shows."
)


@dataclass(frozen=True)
class SelectionSettings:
    """What the page is about.

    Attributes:
        study: what decides a choice, tidied, with a pool.
        stands_in: whether the demonstrations stand in for an empty pool.
        source: the table that the pool's numbers belong to.
        encoder: of the map.
        projection: of the map.
        picks: whether a click picks instead of marking.
        marked: number of the marked row, where the table in front is the one drawn.
    """

    study: Study
    stands_in: bool
    source: Literal["demonstrations", "pool"]
    encoder: str
    projection: Projection
    picks: bool
    marked: int | None

    def clicked(self, data: list[Any]) -> None:
        """What a click on the row with this number does."""
        number = int(data[0])
        if not self.picks:
            session.mark(number, self.source)
            return
        pick(self.study, number)


def pick(study: Study, number: int) -> None:
    """Add the pool's row of this number to the demonstrations, or take it out where it is one."""
    row = study.pool[number - 1].model_copy(update={"excluded": False})
    table = state.study().demonstrations
    same = [i for i, one in enumerate(table) if (one.input.strip(), one.label.strip()) == (row.input, row.label)]
    if same:
        state.edit(demonstrations=tuple(one for i, one in enumerate(table) if i != same[0]))
        st.toast(f"Row {number} is no longer hand-picked.", icon=":material/remove_circle:")
        return
    state.edit(demonstrations=(*table, row))
    then = "" if source_of(study) == "demonstrations" else " The selection “Hand-picked” shows them."
    st.toast(f"Row {number} is hand-picked now.{then}", icon=":material/add_circle:")


def settings() -> SelectionSettings:
    """What the controls say, drawn or not yet.

    Raises:
        Waiting: there is no row to choose from, or no outcome.
    """
    found = outcome().study
    study = with_pool(tidied(cut(found, ANSWERS)))
    if not any(usable(row) for row in study.pool):
        raise Nothing("There are no rows to choose from: add examples to the pool, or draw a task in the bar above.")
    source: Literal["demonstrations", "pool"] = "pool" if found.pool else "demonstrations"
    in_front = st.session_state.get(session.TABLE) == source.capitalize()
    return SelectionSettings(
        study,
        not any(usable(row) for row in found.pool),
        source,
        menu.held([OWN, *offered()], ENCODER) or study.encoder,
        menu.held(PROJECTIONS, PROJECTION),
        menu.held(CLICKS, CLICK) == PICK,
        session.marked() if in_front else None,
    )


def _card_reads() -> Values:
    chosen = settings()
    return chosen.study.encoder, chosen.stands_in


def _draw_card(own: str, stands_in: bool) -> None:
    """The controls."""
    left, right = st.columns([1.3, 1], gap="small")
    names = {OWN: f"the study's: {encoder_title(own)}"} | offered()
    st.session_state[ENCODER] = menu.held(list(names), ENCODER)
    with left:
        st.selectbox(
            "Encoder of the map",
            list(names),
            format_func=lambda name: names.get(name, str(name)),
            key=ENCODER,
            help="Whose vectors the map projects. Selections use the study's, whatever the map shows. " + NEAREST,
            persist_state="session",
        )
    with right:
        menu.switch("Projection", PROJECTIONS, PROJECTION, dict(NAMES), help=HELP_PROJECTION)
    menu.switch("A click on a row", CLICKS, CLICK, help=HELP_CLICK)
    if stands_in:
        st.info("The pool is empty, so the demonstrations stand in for it: each selection chooses among them.")
    learned_popover()


def taken(study: Study, name: str) -> dict[str, Any]:
    """What makes a selection the study's own; where the demonstrations stood in for a pool, they become it."""
    changes: dict[str, Any] = {"selection": name}
    if selections.find(name).source == "pool" and not state.study().pool:
        changes["pool"] = study.pool
    return changes


def take(study: Study, name: str) -> None:
    """Make a selection the study's own."""
    state.edit(**taken(study, name))
    st.toast(taken_said(name), icon=":material/check:")


def taken_said(name: str) -> str:
    return f"The study now selects by “{selections.find(name).title}”. Undo brings the other back."


CARD = Card(P + "card_settings", "Map", HELP_PROJECTION, _card_reads, _draw_card, height=150, stretched=False)
