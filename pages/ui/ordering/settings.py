"""Which orders are tried on which questions: the card on the left of the Ordering page, and the job that tries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.analysis.ordering.table import ALL_UP_TO, OrderTable, fixed, order_table, texts_scored, tokens_read
from core.errors import ICLensError
from core.ordering import orderings
from core.runtime.lru import LRU
from core.runtime.progress import Stop
from core.selection import table_of
from core.study.study import Study
from pages.ui.components import questions
from pages.ui.components.card import Card, Values
from pages.ui.jobs import analysis
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.price import price
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Nothing

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "ordering_"
MOST, SEED, STRATEGIES = P + "most", P + "seed", P + "strategies_asked"
ORDERS = (24, 48, 120, 240, 720)
AT_FIRST = 48
FREE = {True: 60_000, False: 3_000}  # texts scored unasked: on the embedded model, on any other
AUTOMATIC, ALL, ENTROPIES, QUICK, NONE = "automatic", "all", "entropies", "quick", "none"
NAMES = {
    AUTOMATIC: "Automatic",
    ALL: "All",
    ENTROPIES: "Quick ones, entropies",
    QUICK: "Quick ones",
    NONE: "None",
}

HELP = (
    "The demonstrations on screen, in every order, answer the query and each of these questions. "
    "The set stays the same throughout, so that only the order differs."
)
HELP_MOST = (
    f"Up to {ALL_UP_TO} demonstrations, every order is tried. Of more, so many distinct ones are drawn at random, and "
    "the orders that the strategies choose are added; these do not count in means over random orders."
)
HELP_STRATEGIES = (
    "Which strategies are held against the questions. Quick ones look at the texts alone. GlobalE and LocalE "
    "(entropies) have the model answer probe inputs in every order, MDL and best and worst on the pool try orders "
    "anew: with a large model they can take many times as long as the orders themselves. Automatic: all on the "
    "embedded model, quick ones on any other."
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
        strategies: names of the orderings that are asked.
    """

    held: Study
    places: tuple[int, ...]
    labels: tuple[str, ...]
    labels_found: int
    asked: questions.QuestionSettings | None
    most: int
    seed: int
    strategies: tuple[str, ...]

    @property
    def entropies(self) -> bool:
        """Whether the orders answer probes too."""
        return "globale" in self.strategies

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
    left, right, more = st.columns([1, 1, 1.4], gap="small")
    with left:
        if st.session_state.get(MOST) not in ORDERS:
            st.session_state[MOST] = AT_FIRST
        st.selectbox("Orders drawn", ORDERS, key=MOST, disabled=every, help=HELP_MOST, persist_state="session")
    with right:
        st.number_input(
            "Seed",
            0,
            2**31 - 1,
            step=1,
            key=SEED,
            disabled=every,
            help="Draws the orders.",
            persist_state="session",
        )
    with more:
        if st.session_state.get(STRATEGIES) not in NAMES:
            st.session_state[STRATEGIES] = AUTOMATIC
        st.selectbox(
            "Strategies asked",
            list(NAMES),
            format_func=NAMES.__getitem__,
            key=STRATEGIES,
            help=HELP_STRATEGIES,
            persist_state="session",
        )


def _asked_for(known: LanguageModel) -> tuple[str, ...]:
    """Names of the orderings that the card asks."""
    how = st.session_state.get(STRATEGIES, AUTOMATIC)
    if how == AUTOMATIC:
        how = ALL if known.mixture is not None else QUICK
    if how == NONE:
        return ()
    entropies = ("globale", "locale") if how == ENTROPIES else ()
    return tuple(one.name for one in orderings if how == ALL or not one.tries or one.name in entropies)


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
        _asked_for(model()),
    )


def first_table(chosen: OrderingSettings) -> OrderTable:
    """The orders on the query alone, which comes first where a model takes long.

    Raises:
        Waiting: it is being computed.
    """
    known = model()

    def work(study: Study, stop: Stop) -> OrderTable:
        how = {"most": chosen.most, "seed": chosen.seed}
        rows = study.demonstrations
        return order_table(study, known, rows, chosen.labels, strategies=(), entropies=False, stop=stop, **how)

    decides = {"labels": chosen.labels, "drawn": _drawn(chosen)}
    return analysis.value(P + "first", chosen.held, known, decides, work, "orders on the query", reads=ANSWERS)


def _drawn(chosen: OrderingSettings) -> list[int] | None:
    return None if len(chosen.places) <= ALL_UP_TO else [chosen.most, chosen.seed]


def table(chosen: OrderingSettings) -> OrderTable:
    """The table of orders. With a model of its own pace the orders on the query come before it.

    Raises:
        Waiting: it is being computed.
    """
    known, asked = model(), chosen.asked
    ask = _price(chosen, known)
    if known.mixture is None:
        first_table(chosen)

    def work(study: Study, stop: Stop) -> OrderTable:
        return order_table(
            study,
            known,
            study.demonstrations,
            chosen.labels,
            asked.of(study, known) if asked is not None else (),
            most=chosen.most,
            seed=chosen.seed,
            strategies=chosen.strategies,
            entropies=chosen.entropies,
            stop=stop,
        )

    decides = {
        "questions": asked.value if asked is not None else None,
        "labels": chosen.labels,
        "drawn": _drawn(chosen),
        "strategies": chosen.strategies,
    }
    return analysis.value(P + "table", chosen.held, known, decides, work, "orders", reads=ANSWERS, ask=ask)


_tokens: LRU[tuple[str, OrderingSettings], int] = LRU(32)


def _price(chosen: OrderingSettings, known: LanguageModel) -> str:
    """A sentence on what the table costs where that is much, else ""."""
    count = chosen.asked.count if chosen.asked is not None else 0
    texts = _texts(chosen, count, chosen.strategies)
    free = FREE[known.mixture is not None]
    if known.mixture is not None or known.pace is None:
        return price(texts, known, free)
    key = known.fingerprint, chosen
    tokens = _tokens.get(key)
    if tokens is None:
        try:
            some = chosen.asked.of(chosen.held, known) if chosen.asked is not None else ()
        except ICLensError:  # whoever asks for the table is told
            return ""
        how = {"most": chosen.most, "seed": chosen.seed}
        tokens = tokens_read(chosen.held, known, chosen.labels, some, **how)
        tokens = round(tokens * texts / _texts(chosen, count, ()))  # what strategies add is read as often as the rest
        _tokens.put(key, tokens)
    return price(texts, known, free, tokens=tokens)


def _texts(chosen: OrderingSettings, questions_asked: int, strategies: tuple[str, ...]) -> int:
    how = {"strategies": strategies, "entropies": chosen.entropies and bool(strategies)}
    return texts_scored(chosen.held, chosen.labels, chosen.most, questions_asked, **how)


CARD = Card(
    P + "settings", "Orders, and what they are held against", HELP, _card_reads, _draw_card, height=120, stretched=False
)
