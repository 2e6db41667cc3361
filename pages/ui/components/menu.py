"""Small menus and switches that say what a view shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui.session import session


def held(options: Sequence[Any], key: str) -> Any:
    """What a menu or a switch says, drawn or not yet: its first option where it holds none of them."""
    value = st.session_state.get(key)
    return value if value in options else options[0]


def switch(label: str, options: Sequence[Any], key: str, names: dict[Any, str] | None = None, *, help: str = "") -> Any:
    """A segmented control that always holds one of its options; its label is on screen where there is a help."""
    st.session_state[key] = held(options, key)
    return st.segmented_control(
        label,
        options,
        key=key,
        format_func=lambda option: names[option] if names else str(option),
        required=True,
        help=help or None,
        label_visibility="visible" if help else "collapsed",
        persist_state="session",
    )


def choice(label: str, options: list[Any], key: str, names: dict[Any, str], width: int = 168) -> Any:
    """A small menu whose choice stays while it can."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    return st.selectbox(
        label,
        options,
        format_func=lambda option: names.get(option, str(option)),
        label_visibility="collapsed",
        width=width,
        help=label,
        **session.hold(key, options[0], "index", options),
    )
