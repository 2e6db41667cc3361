"""What influence is measured on, and how: the card on the left of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.analysis.influence import EXACT_LIMIT, InfluenceQuestion, Quantity, question_of
from core.errors import StudyError
from core.study.cleaning import tidied
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.components.card import Card, Values
from pages.ui.components.text import plain
from pages.ui.jobs.analysis import ANSWERS, cut
from pages.ui.jobs.run import outcome
from pages.ui.jobs.waiting import Nothing

P = "influence_"
QUANTITY, TARGET, SHAPLEY, SEED = P + "quantity", P + "target", P + "shapley", P + "seed"
QUANTITIES: dict[Quantity, str] = {
    "log-odds": "Log-odds",
    "probability": "Probability",
    "log-probability": "Log-probability",
    "score": "The scorer's own score",
}
UNITS: dict[Quantity, str] = {"log-odds": "nats", "probability": "", "log-probability": "nats", "score": ""}
ANSWER, GOLD, LABEL = "answer", "gold", "label:"
EXACT = "exact"
PERMUTATIONS = (16, 32, 64, 128, 256, 512)

HELP_VALUE = (
    "v(S): what the model holds of one label when it is shown just the demonstrations in S, by the scorer above. "
    "Log-odds, ln p − ln (1 − p) over the candidates, add up where evidence does and do not saturate. "
    "The candidates stay those of the whole prompt, and the demonstrations of S stand in the order shown."
)
HELP_TARGET = "The label that v is about; the model's answer is the one it gives with all demonstrations."
HELP_SHAPLEY = (
    "φᵢ: what demonstration i adds to v, averaged over every order in which demonstrations could arrive. Exact: from "
    f"all 2ⁿ subsets, up to n = {EXACT_LIMIT}. Sampled: from random orders, each followed by its reverse, with a "
    "standard error. Orders of arrival decide who is there; in the prompt, those who are there stand as shown."
)


READS = ANSWERS  # fields of a study that decide v
FIRST_PERMUTATIONS = "64"


@dataclass(frozen=True)
class InfluenceSettings:
    """What the card says.

    Attributes:
        question: v.
        permutations: 0 for exact Shapley values.
        seed: of the permutations.
        gold: whether v is about the right answer.
    """

    question: InfluenceQuestion
    permutations: int
    seed: int
    gold: bool

    @property
    def unit(self) -> str:
        return UNITS[self.question.quantity]

    @property
    def value(self) -> dict[str, Any]:
        """What decides v, for a cache."""
        return {"quantity": self.question.quantity, "label": self.question.label, "labels": self.question.labels}

    @property
    def sampling(self) -> dict[str, Any]:
        return {"permutations": self.permutations, "seed": self.seed if self.permutations else 0}

    def about(self, study: Study) -> InfluenceQuestion:
        """The question, of a study cut to the fields that an analysis reads."""
        return replace(self.question, study=tidied(study))


def settings(found: Outcome) -> InfluenceSettings:
    """What the card says of an outcome.

    Raises:
        Waiting: there is nothing to ask.
    """
    target, n = _target(found), len(found.demonstrations)
    gold = (found.study.gold or "").strip()
    label = {ANSWER: None, GOLD: gold}.get(target, target.removeprefix(LABEL))
    bare = replace(found, study=cut(found.study, READS))
    try:
        question = question_of(bare, label, st.session_state.get(QUANTITY, "log-odds"))
    except StudyError as error:
        raise Nothing(str(error)) from None
    shapley = _shapley(n)
    return InfluenceSettings(question, 0 if shapley == EXACT else int(shapley), seed(), target == GOLD)


def seed() -> int:
    """The seed on screen."""
    return int(st.session_state.get(SEED, 0))


def _card_reads() -> Values:
    found = outcome()
    return _targets(found), len(found.demonstrations)


def _draw_card(targets: dict[str, str], n: int) -> None:
    """The controls."""
    left, right = st.columns(2, gap="small")
    with left:
        st.selectbox(
            "Value v",
            list(QUANTITIES),
            format_func=QUANTITIES.__getitem__,
            key=QUANTITY,
            help=HELP_VALUE,
            persist_state="session",
        )
    with right:
        if st.session_state.get(TARGET) not in targets:  # another query has other candidates
            st.session_state[TARGET] = ANSWER
        st.selectbox(
            "of the label",
            list(targets),
            format_func=lambda key: plain(targets.get(key, ""), 40).replace("\\", ""),
            key=TARGET,
            help=HELP_TARGET,
            persist_state="session",
        )
    with left:
        st.session_state[SHAPLEY] = _shapley(n)
        st.selectbox(
            "Shapley values",
            _shapley_options(n),
            format_func=lambda key: f"exact, {1 << n:,} prompts" if key == EXACT else f"{key} orders",
            key=SHAPLEY,
            help=HELP_SHAPLEY,
            persist_state="session",
        )
    with right:
        st.number_input(
            "Seed of the orders",
            0,
            2**31 - 1,
            step=1,
            key=SEED,
            disabled=st.session_state[SHAPLEY] == EXACT,
            help="Of the sampled orders of arrival, and of the queries drawn below.",
            persist_state="session",
        )


def _targets(found: Outcome) -> dict[str, str]:
    """What v may be about, by names that stay the same from study to study: a browser goes on showing the name under
    which it chose."""
    names = {ANSWER: "the model's answer"}
    if (found.study.gold or "").strip() in found.answer.labels:
        names[GOLD] = "the right answer"
    return names | {LABEL + label: label for label in found.answer.labels}


def _target(found: Outcome) -> str:
    """What v is about."""
    chosen = st.session_state.get(TARGET)
    return chosen if chosen in _targets(found) else ANSWER


def _shapley_options(n: int) -> list[str]:
    return [*([EXACT] if n <= EXACT_LIMIT else []), *map(str, PERMUTATIONS)]


def _shapley(n: int) -> str:
    """How Shapley values are had: exactly, or from so many orders."""
    options, chosen = _shapley_options(n), st.session_state.get(SHAPLEY)
    if chosen in options:
        return str(chosen)
    return EXACT if EXACT in options else FIRST_PERMUTATIONS


CARD = Card(
    P + "card_settings",
    "What influence is measured on",
    HELP_VALUE,
    _card_reads,
    _draw_card,
    height=150,
    stretched=False,
)
