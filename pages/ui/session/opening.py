"""From a view to the Playground, with another study: the same button on every page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.study.study import Study
from pages.ui.session import session, state

PLAYGROUND = "pages/playground.py"
WANTED = "opening_wanted"


def open_button(
    label: str, key: str, make: Callable[[], Study], help: str, *, said: str = "", disabled: bool = False
) -> None:
    """A button that makes another study the session's, one step of undo, and goes to the Playground.

    Args:
        label: of the button.
        key: of the button, prefixed by the page.
        make: the study, made when the button is pressed.
        help: when the mouse is over it.
        said: a sentence to show there.
        disabled: whether it cannot be pressed.
    """
    st.button(
        label, icon=":material/science:", key=key, help=help, disabled=disabled, on_click=_open, args=(make, said)
    )


def _open(make: Callable[[], Study], said: str) -> None:
    state.replace(make())
    session.mark(None)
    if said:
        state.say(said)
    st.session_state[WANTED] = True


def go() -> None:
    """Called before a page or a part of it is drawn: go to the Playground where a button asked for it."""
    if st.session_state.pop(WANTED, False):
        st.switch_page(PLAYGROUND)
