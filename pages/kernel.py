"""Kernel: the answer as a weighted vote of the demonstrations, by attention, hidden states, encoders, exact Bayes."""

from __future__ import annotations

from importlib.util import find_spec

import streamlit as st

from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.kernel import head_atlas as atlas
from pages.ui.kernel import settings as kernel_settings
from pages.ui.kernel import views as kernel_views

VIEW = "kernel_view"
WEIGHTS, QUERIES, ATLAS, CONVERGENCE = "Weights", "Queries", "Head atlas", "Convergence"
VIEWS = (WEIGHTS, QUERIES, ATLAS, *([CONVERGENCE] if find_spec("pages.ui.kernel.convergence") else []))

page = frame.begin("Kernel")
settings_slot = page.below.container(border=True)
with page.views:
    st.session_state.setdefault(VIEW, WEIGHTS)
    view = st.segmented_control(
        "View", VIEWS, key=VIEW, required=True, label_visibility="collapsed", persist_state="session"
    )
    body = st.container(border=True)


def show_nothing(why: str) -> None:
    """No chart of an older study stays on screen."""
    if view == CONVERGENCE:  # it is about worlds of its own
        return
    with body:
        st.container(height=300, border=False).caption(why)


outcome = frame.outcome(page, show_nothing)
model = engine.loaded(page.study.model)
with settings_slot:
    kernel_settings.settings_card(page.study, model)
if view == CONVERGENCE:
    from pages.ui.kernel.convergence import convergence_view

    with body:
        convergence_view()
elif outcome is not None and model is not None:
    with body:
        if view == WEIGHTS:
            kernel_views.weights_view(page.study, model, outcome)
        elif view == QUERIES:
            kernel_views.queries_view(page.study, model, outcome)
        else:
            atlas.atlas_view(page.study, model)
    if view in (WEIGHTS, QUERIES):
        page.views.caption(kernel_views.ORDER)
frame.end(page, outcome)
