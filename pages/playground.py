"""Playground: demonstrations in, what the model infers from them out."""

from __future__ import annotations

import streamlit as st

from core.study.outcome import Outcome
from pages.ui.frame import frame
from pages.ui.playground import views


def draw(page: frame.Page) -> Outcome | None:
    """Four views and the prompt."""
    prompt_slot = page.below.container(border=True)
    with page.views:
        top, bottom = st.columns([0.34, 0.66], gap="small"), st.columns(2, gap="small")
        slots = [column.container(border=True, height="stretch") for column in (*top, *bottom)]

    def show_nothing(why: str) -> None:
        """Every view as a placeholder: no chart of an older study stays on screen."""
        for slot, (name, help) in zip(slots, views.TITLES.items(), strict=True):
            with slot:
                views.placeholder(name, help, why)
        with prompt_slot:
            st.caption(why)

    outcome = frame.outcome(page, show_nothing)
    if outcome is None:
        return None
    for slot, view in zip(slots, views.VIEWS, strict=True):
        with slot:
            view(outcome)
    with prompt_slot:
        views.prompt_view(outcome, "playground_prompt", 218, grows=True)
    return outcome


frame.live("Playground", draw)
