"""What the model writes before it answers, and whether it answers in its own words: controls that pages share."""

from __future__ import annotations

import streamlit as st

from core.reasoning import reasonings, writes
from core.reasoning.matching import MATCHINGS
from core.study.study import Study
from pages.ui.session import state

HELP_MATCHING = (
    "When an answer in the model's own words counts as right. Exact: the same text but for white space. As in SQuAD: "
    "lower case, without punctuation and the articles a, an, the."
)
HELP_OPEN = (
    "The model also writes an answer of its own, the likeliest token at each step up to the template's end, whatever "
    "the candidates are. It is held against the right answer by exact match."
)
HELP_LONGEST = "Tokens that the model may write at each stage; what is cut off is said."


def method_menu(study: Study, key: str) -> None:
    """Which method of reasoning."""
    entries = {entry.name: entry for entry in reasonings}
    known = study.reasoning in entries  # a link may name what this version lacks
    lines = "\n\n".join(f"**{entry.title}**: {entry.help}." for entry in entries.values())
    names = list(entries) if known else [*entries, study.reasoning]
    st.selectbox(
        "Reasoning",
        names,
        format_func=lambda name: entries[name].title if name in entries else f"{name}?",
        help=f"What the model writes before it answers.\n\n{lines}",
        **state.bind(key, study.reasoning, "reasoning", "index", names),
    )


def open_toggle(study: Study, key: str) -> None:
    """Whether the model answers in its own words too."""
    st.toggle("Own words", help=HELP_OPEN, **state.bind(key, study.open_ended, "open_ended", "value"))


def matching_menu(study: Study, key: str) -> None:
    """When what was written counts as right."""
    st.selectbox(
        "Match",
        list(MATCHINGS),
        format_func=MATCHINGS.__getitem__,
        disabled=not writes(study),
        help=HELP_MATCHING,
        **state.bind(key, study.matching, "matching", "index", list(MATCHINGS)),
    )


def longest_field(study: Study, key: str) -> None:
    """How much may be written."""
    st.number_input(
        "Tokens at most",
        1,
        2_000,
        step=16,
        disabled=not writes(study),
        help=HELP_LONGEST,
        **state.bind(key, study.longest, "longest", "value"),
    )


def more(study: Study, prefix: str) -> None:
    """All of them in a row, for the Playground's further settings."""
    columns = st.columns([1.5, 0.9, 1, 1], vertical_alignment="bottom")
    with columns[0]:
        method_menu(study, prefix + "reasoning")
    with columns[1]:
        open_toggle(study, prefix + "open_ended")
    with columns[2]:
        matching_menu(study, prefix + "matching")
    with columns[3]:
        longest_field(study, prefix + "longest")
