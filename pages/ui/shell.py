"""The frame around every page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).resolve().parents[1]
ICON = PAGES / "ui" / "icon.svg"
FRAMED = "shell_framed"


def all_pages() -> list[st.Page]:
    """Every page, in menu order. Built anew at each call: a page object belongs to one session's run."""
    return [
        st.Page(
            PAGES / "playground.py",
            title="Playground",
            icon=":material/science:",
            url_path="start",
            default=True,
            help="Edit demonstrations and see which task the model infers, and from which of them.",
        ),
        st.Page(
            PAGES / "posterior.py",
            title="Posterior",
            icon=":material/stacked_bar_chart:",
            url_path="posterior",
            help="Which task the demonstrations speak for: exact Bayes, the model's own answers, and your hypotheses.",
        ),
        st.Page(
            PAGES / "kernel.py",
            title="Kernel",
            icon=":material/grid_on:",
            url_path="kernel",
            help="The answer as a weighted vote of the demonstrations: attention heads, layers, encoders, exact Bayes.",
        ),
        st.Page(
            PAGES / "attention.py",
            title="Attention",
            icon=":material/hub:",
            url_path="attention",
            help="Which part of the prompt attends to which, head by head and token by token, and what heads do.",
        ),
        st.Page(
            PAGES / "influence.py",
            title="Influence",
            icon=":material/balance:",
            url_path="influence",
            help="What happens to the answer when a demonstration goes, changes its label or moves.",
        ),
        st.Page(
            PAGES / "selection.py",
            title="Selection",
            icon=":material/travel_explore:",
            url_path="selection",
            help="The pool as a map, which demonstrations each selection chooses, why, and where each choice leads.",
        ),
        st.Page(
            PAGES / "ordering.py",
            title="Ordering",
            icon=":material/swap_vert:",
            url_path="ordering",
            help="What the same demonstrations do in every order, and what each position does.",
        ),
        st.Page(
            PAGES / "scoring.py",
            title="Scoring",
            icon=":material/scoreboard:",
            url_path="scoring",
            help="Every scorer and calibration side by side, down to the tokens, and as labels get out of balance.",
        ),
        st.Page(
            PAGES / "format.py",
            title="Format",
            icon=":material/edit_note:",
            url_path="format",
            help="How a prompt is written: templates, words for labels, shots and instructions, and what they change.",
        ),
        st.Page(
            PAGES / "reasoning.py",
            title="Reasoning",
            icon=":material/footprint:",
            url_path="reasoning",
            help="What the model writes before it answers: steps, follow-up questions, sub-questions, open answers.",
        ),
        st.Page(
            PAGES / "compare.py",
            title="Compare",
            icon=":material/compare_arrows:",
            url_path="compare",
            help="Two studies side by side: what differs, and what that changes.",
        ),
        st.Page(
            PAGES / "model_card.py",
            title="Model card",
            icon=":material/id_card:",
            url_path="model_card",
            help="The embedded model: what it was trained on, how close to exact Bayes it is, and where it is not.",
        ),
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
