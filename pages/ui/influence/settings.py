"""What influence is measured on, and how: the card on the left of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.analysis.influence import EXACT_LIMIT, InfluenceQuestion, Quantity, question_of
from core.study.outcome import Outcome
from pages.ui.components.text import plain

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


@dataclass(frozen=True)
class Settings:
    """What the card says.

    Attributes:
        question: v.
        permutations: 0 for exact Shapley values.
        seed: of the permutations.
    """

    question: InfluenceQuestion
    permutations: int
    seed: int

    @property
    def unit(self) -> str:
        return UNITS[self.question.quantity]

    @property
    def value(self) -> dict[str, Any]:
        """What decides v, for a cache."""
        return {"quantity": self.question.quantity, "label": self.question.label}

    @property
    def sampling(self) -> dict[str, Any]:
        return {"permutations": self.permutations, "seed": self.seed if self.permutations else 0}


def settings_card(outcome: Outcome) -> Settings:
    """The controls, and what they say.

    Raises:
        StudyError: there is nothing to ask; one sentence.
    """
    st.markdown("**What influence is measured on**", help=HELP_VALUE, width="content")
    left, right = st.columns(2, gap="small")
    with left:
        quantity: Quantity = st.selectbox(
            "Value v",
            list(QUANTITIES),
            format_func=QUANTITIES.__getitem__,
            key=QUANTITY,
            help=HELP_VALUE,
            persist_state="session",
        )
    with right:
        target = _target(outcome)
    n = len(outcome.demonstrations)
    with left:
        permutations = _shapley(n)
    with right:
        seed = st.number_input(
            "Seed of the orders",
            0,
            2**31 - 1,
            step=1,
            key=SEED,
            disabled=not permutations,
            help="Of the sampled orders of arrival, and of the queries drawn below.",
            persist_state="session",
        )
    return Settings(question_of(outcome, target, quantity), permutations, int(seed))


def seed() -> int:
    """The seed on screen."""
    return int(st.session_state.get(SEED, 0))


def _target(outcome: Outcome) -> str | None:
    """The label that v is about, None for the model's answer."""
    gold = (outcome.study.gold or "").strip()
    # Names that stay the same from study to study: a browser goes on showing the name under which it chose.
    names = {ANSWER: "the model's answer"}
    if gold in outcome.answer.labels:
        names[GOLD] = "the right answer"
    names |= {LABEL + label: label for label in outcome.answer.labels}
    if st.session_state.get(TARGET) not in names:  # another query has other candidates
        st.session_state[TARGET] = ANSWER
    chosen = st.selectbox(
        "of the label",
        list(names),
        format_func=lambda key: plain(names.get(key, ""), 40).replace("\\", ""),
        key=TARGET,
        help=HELP_TARGET,
        persist_state="session",
    )
    if chosen == ANSWER:
        return None
    return gold if chosen == GOLD else str(chosen).removeprefix(LABEL)


def _shapley(n: int) -> int:
    """How many permutations, 0 for exact."""
    options = [*([EXACT] if n <= EXACT_LIMIT else []), *map(str, PERMUTATIONS)]
    if st.session_state.get(SHAPLEY) not in options:
        st.session_state[SHAPLEY] = EXACT if EXACT in options else "64"
    chosen = st.selectbox(
        "Shapley values",
        options,
        format_func=lambda key: f"exact, {1 << n:,} prompts" if key == EXACT else f"{key} orders",
        key=SHAPLEY,
        help=HELP_SHAPLEY,
        persist_state="session",
    )
    return 0 if chosen == EXACT else int(str(chosen))
