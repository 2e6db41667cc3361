"""Which of its views the Kernel page shows."""

from __future__ import annotations

import streamlit as st

VIEW = "kernel_view"
VIEWS = WEIGHTS, QUERIES, ATLAS, CONVERGENCE = ("Weights", "Queries", "Head atlas", "Convergence")


def view() -> str:
    """The view chosen."""
    chosen: str = st.session_state.setdefault(VIEW, WEIGHTS)
    return chosen


def switch() -> None:
    """The menu of views."""
    view()
    st.segmented_control("View", VIEWS, key=VIEW, required=True, label_visibility="collapsed", persist_state="session")
