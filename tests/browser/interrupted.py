"""Two pages, each of which begins anew in the middle of its first run, as a page does whose job has just been done."""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.ui.components.card import Card
from pages.ui.frame import page, shell


def draw(title: str) -> None:
    def begin_anew() -> None:
        if not st.session_state.get(f"begun_{title}"):
            st.session_state[f"begun_{title}"] = True
            st.rerun()

    page.show(title, (Card(f"begin_{title}", "", "", lambda: (), begin_anew),))


def first() -> None:
    draw("First")


def second() -> None:
    draw("Second")


shell.configure()
shell.mark_framed()
st.navigation([st.Page(first, title="First", default=True), st.Page(second, title="Second")], position="top").run()
