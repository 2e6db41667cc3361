"""Signing in and out, where whoever serves the dashboard has configured it: `[auth]` in Streamlit's secrets."""

from __future__ import annotations

import streamlit as st

from pages.ui.components.text import plain
from pages.ui.session import store
from pages.ui.session.history import NOWHERE, history

BOX = "frame_user_box"


def configured() -> bool:
    """Whether Streamlit's secrets have an `[auth]` section."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def name() -> str:
    """What the one who is signed in is called, "" where nobody is."""
    found = st.user.to_dict() if store.user() else {}
    return str(next((found[claim] for claim in ("name", "email", "sub") if found.get(claim)), ""))


def draw() -> None:
    """A button to sign in, or whoever is signed in and a button to sign out; nothing where none is configured."""
    if not configured():
        return
    if not store.user():
        st.button(
            "Sign in",
            icon=":material/login:",
            key="frame_sign_in",
            on_click=_sign_in,
            help="Named studies, links and undo are then yours in any browser.",
        )
        return
    with st.popover(plain(name(), 18), icon=":material/person:", key=BOX, help="Who is signed in"):
        st.caption(f"Signed in as {plain(name(), 200)}.")
        st.button("Sign out", icon=":material/logout:", key="frame_sign_out", on_click=st.logout)


def _sign_in() -> None:
    """Off to the provider; the study on screen is found again on the way back."""
    now = history()
    behind, ahead = ([step.address for step in steps if step.address != NOWHERE] for steps in (now.undo, now.redo))
    if now.address != NOWHERE:  # else nothing was done here
        store.set_off(now.study, now.a, behind, ahead)
    st.login()
