"""The frame around every page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).resolve().parents[2]
ICON = PAGES / "ui" / "frame" / "icon.svg"
FRAMED = "shell_framed"
MENU = (
    (
        "playground",
        "Playground",
        "science",
        "Edit demonstrations and see which task the model infers, and from which of them.",
    ),
    (
        "posterior",
        "Posterior",
        "stacked_bar_chart",
        "Which task the demonstrations speak for: exact Bayes, the model's own answers, and your hypotheses.",
    ),
    (
        "kernel",
        "Kernel",
        "grid_on",
        "The answer as a weighted vote of the demonstrations: attention heads, layers, encoders, exact Bayes.",
    ),
    (
        "attention",
        "Attention",
        "hub",
        "Which part of the prompt attends to which, head by head and token by token, and what heads do.",
    ),
    (
        "influence",
        "Influence",
        "balance",
        "What happens to the answer when a demonstration goes, changes its label or moves.",
    ),
    (
        "selection",
        "Selection",
        "travel_explore",
        "The pool as a map, which demonstrations each selection chooses, why, and where each choice leads.",
    ),
    (
        "ordering",
        "Ordering",
        "swap_vert",
        "What the same demonstrations do in every order, and what each position does.",
    ),
    (
        "scoring",
        "Scoring",
        "scoreboard",
        "Every scorer and calibration side by side, down to the tokens, and as labels get out of balance.",
    ),
    (
        "format",
        "Format",
        "edit_note",
        "How a prompt is written: templates, words for labels, shots and instructions, and what they change.",
    ),
    (
        "reasoning",
        "Reasoning",
        "footprint",
        "What the model writes before it answers: steps, follow-up questions, sub-questions, open answers.",
    ),
    (
        "lab",
        "Lab",
        "experiment",
        "Does it help, on your rows and your model? Experiments over many questions and sets, with intervals.",
    ),
    ("compare", "Compare", "compare_arrows", "Two studies side by side: what differs, and what that changes."),
    (
        "model_card",
        "Model card",
        "id_card",
        "The embedded model: what it was trained on, how close to exact Bayes it is, and where it is not.",
    ),
)
"""Script, title, icon and what a page is for, in menu order; the first stands at the bare address."""


def all_pages() -> list[st.Page]:
    """Every page, in menu order. Built anew at each call: a page object belongs to one session's run."""
    return [
        st.Page(
            PAGES / f"{name}.py",
            title=title,
            icon=f":material/{icon}:",
            url_path="start" if place == 0 else name,
            default=place == 0,
            help=about,
        )
        for place, (name, title, icon, about) in enumerate(MENU)
    ]


def navigation() -> st.Page:
    """The menu, and the page that the address names."""
    # The first page stands at the bare address and nowhere else; who types its name is brought there.
    named = st.Page(_to_playground, url_path="playground", title="Playground", visibility="hidden")
    return st.navigation([*all_pages(), named], position="top")


def _to_playground() -> None:
    st.switch_page(PAGES / "playground.py", query_params=st.query_params.to_dict())


def configure() -> None:
    """Title, icon and width of every page. The icon is a file: a symbol would be fetched from afar."""
    st.set_page_config(page_title="ICLens", page_icon=ICON, layout="wide")


def mark_framed() -> None:
    """Called by dashboard.py before its navigation: this session has a frame."""
    st.session_state[FRAMED] = True


def guard() -> None:
    """First call of every page: a deep link to a page on a server just started runs the page without its frame."""
    if not st.session_state.get(FRAMED):
        configure()
        navigation()
        st.rerun()
