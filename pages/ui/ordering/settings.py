"""Which orders are tried on which questions: the card on the left of the Ordering page, and the job that tries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.analysis.ordering.table import ALL_UP_TO, OrderTable, fixed, order_table, texts_scored
from core.runtime.progress import Stop
from core.selection import table_of
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components import questions
from pages.ui.jobs import analysis

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "ordering_"
MOST, SEED = P + "most", P + "seed"
ORDERS = (24, 48, 120, 240, 720)
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
class Settings:
    """What the card says.

    Attributes:
        held: the study with the demonstrations shown as its hand-picked set, as they stand in their table.
        places: (k,) of these in their table.
        labels: candidates for the query.
        asked: the questions, None where there are none.
        most, seed: orders drawn.
    """

    held: Study
    places: tuple[int, ...]
    labels: tuple[str, ...]
    asked: questions.Asked | None
    most: int
    seed: int

    @property
    def numbers(self) -> list[int]:
        """(k,) of the demonstrations, the same in every view."""
        return [place + 1 for place in self.places]


def why_not(outcome: Outcome) -> str:
    """One sentence where there is nothing to compare, else ""."""
    if len(outcome.demonstrations) < 2:
        return "Orders need at least two demonstrations: add some, or raise k."
    if len(outcome.answer.labels) < 2:
        return "There is one candidate label, so every order answers the same: name at least two."
    return ""


def settings_card(outcome: Outcome, model: LanguageModel) -> Settings:
    """The controls, and what they say."""
    places = tuple(sorted(outcome.chosen.indices))
    rows = table_of(outcome.study, outcome.chosen)
    held = fixed(outcome.study, [rows[i] for i in places])
    st.markdown("**Orders, and what they are held against**", help=HELP, width="content")
    asked = questions.question_controls(P, held, model)
    every = len(places) <= ALL_UP_TO
    left, right = st.columns(2, gap="small")
    with left:
        if st.session_state.get(MOST) not in ORDERS:
            st.session_state[MOST] = 48
        most = st.selectbox(
            "Orders drawn",
            ORDERS,
            key=MOST,
            disabled=every,
            help=HELP_MOST,
            persist_state="session",
        )
    with right:
        seed = st.number_input(
            "Seed of the orders",
            0,
            2**31 - 1,
            step=1,
            key=SEED,
            disabled=every,
            help="Draws them.",
            persist_state="session",
        )
    return Settings(held, places, outcome.answer.labels, asked, int(most), int(seed))


def computed(settings: Settings, model: LanguageModel) -> OrderTable | None:
    """The table of orders, or None with progress, an error or a button drawn here."""
    held, asked = settings.held, settings.asked
    k = len(settings.places)

    def work(stop: Stop) -> OrderTable:
        found = asked.of(held, model) if asked is not None else ()
        return order_table(
            held,
            model,
            held.demonstrations,
            settings.labels,
            found,
            most=settings.most,
            seed=settings.seed,
            stop=stop,
        )

    count = asked.count if asked is not None else 0
    texts = texts_scored(held, settings.labels, settings.most, count)
    decides = {
        "questions": asked.value if asked is not None else None,
        "labels": settings.labels,
        "drawn": None if k <= ALL_UP_TO else [settings.most, settings.seed],
    }
    ask = f"About {texts:,} texts are to be scored." if texts > FREE[model.mixture is not None] else ""
    return analysis.result(P + "table", held, model, decides, work, "orders", ask=ask)
