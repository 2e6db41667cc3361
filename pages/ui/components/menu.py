"""A small menu that says what a view shows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.session import session


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
