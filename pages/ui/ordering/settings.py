"""Which orders are tried on which questions: the card on the left of the Ordering page, and the job that tries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.analysis.ordering.table import ALL_UP_TO, OrderTable, fixed, order_table, texts_scored
from core.runtime.progress import Stop
from core.selection import table_of
from core.study.study import Study
from pages.ui.components import questions
from pages.ui.components.card import Card, Values
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing

if TYPE_CHECKING:
    pass

P = "ordering_"
MOST, SEED = P + "most", P + "seed"
ORDERS = (24, 48, 120, 240, 720)
AT_FIRST = 48
FREE = {True: 60_000, False: 3_000}  # texts scored unasked: on the embedded model, on any other

HELP = (
    "The demonstrations on screen, in every order, answer the query and each of these questions. "
    "The set stays the same throughout, so that only the order differs."
)
HELP_MOST = (
    f"Up to {ALL_UP_TO} demonstrations, every order is tried. Of more, so many distinct ones are drawn at random, and "
    "the orders that the strategies choose are added; these do not count in means over random orders."
)


@dataclass(frozen=True)
class OrderingSettings:
    """What the card says.

    Attributes:
        held: the study with the demonstrations shown as its hand-picked set, as they stand in their table.
        places: (k,) of these in their table.
        labels: candidates for the query; labels_found: how many there were to choose these from.
        asked: the questions, None where there are none.
        most, seed: orders drawn.
    """

    held: Study
    places: tuple[int, ...]
    labels: tuple[str, ...]
    labels_found: int
    asked: questions.QuestionSettings | None
    most: int
    seed: int

    @property
    def numbers(self) -> list[int]:
        """(k,) of the demonstrations, the same in every view."""
        return [place + 1 for place in self.places]


def held() -> tuple[Study, tuple[int, ...], tuple[str, ...]]:
    """The study with the demonstrations shown as its hand-picked set, their places, and the candidates.

    Raises:
        Waiting: there is no outcome, or nothing to compare.
    """
    found = outcome()
    if len(found.demonstrations) < 2:
        raise Nothing("Orders need at least two demonstrations: add some, or raise k.")
    if len(found.answer.labels) < 2:
        raise Nothing("There is one candidate label, so every order answers the same: name at least two.")
    places = tuple(sorted(found.chosen.indices))
    rows = table_of(found.study, found.chosen)
    return fixed(cut(found.study, ANSWERS), [rows[i] for i in places]), places, found.answer.labels


def _card_reads() -> Values:
    study, places, _ = held()
    return questions.sources(P, study, model()), len(places) <= ALL_UP_TO


def _draw_card(_: tuple[str, ...], every: bool) -> None:
    """The controls, of which those of the questions go by where these can come from."""
    questions.question_controls(P, held()[0], model())
    left, right = st.columns(2, gap="small")
    with left:
        if st.session_state.get(MOST) not in ORDERS:
            st.session_state[MOST] = AT_FIRST
        st.selectbox("Orders drawn", ORDERS, key=MOST, disabled=every, help=HELP_MOST, persist_state="session")
    with right:
        st.number_input(
            "Seed of the orders",
            0,
            2**31 - 1,
            step=1,
            key=SEED,
            disabled=every,
            help="Draws them.",
            persist_state="session",
        )


def settings() -> OrderingSettings:
    """What the card says.

    Raises:
        Waiting: there is nothing to compare.
    """
    study, places, labels = held()
    most = st.session_state.get(MOST)
    return OrderingSettings(
        study,
        places,
        labels,
        outcome().labels_found,
        questions.asked(P, study, model()),
        most if most in ORDERS else AT_FIRST,
        int(st.session_state.get(SEED) or 0),
    )


def table(chosen: OrderingSettings) -> OrderTable:
    """The table of orders.

    Raises:
        Waiting: it is being computed.
    """
    known, asked = model(), chosen.asked

    def work(study: Study, stop: Stop) -> OrderTable:
        return order_table(
            study,
            known,
            study.demonstrations,
            chosen.labels,
            asked.of(study, known) if asked is not None else (),
            most=chosen.most,
            seed=chosen.seed,
            stop=stop,
        )

    count = asked.count if asked is not None else 0
    texts = texts_scored(chosen.held, chosen.labels, chosen.most, count)
    decides = {
        "questions": asked.value if asked is not None else None,
        "labels": chosen.labels,
        "drawn": None if len(chosen.places) <= ALL_UP_TO else [chosen.most, chosen.seed],
    }
    ask = f"About {texts:,} texts are to be scored." if texts > FREE[known.mixture is not None] else ""
    return analysis.value(P + "table", chosen.held, known, decides, work, "orders", reads=ANSWERS, ask=ask)


CARD = Card(
    P + "settings", "Orders, and what they are held against", HELP, _card_reads, _draw_card, height=120, stretched=False
)
