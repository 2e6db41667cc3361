"""Scoring: every scorer and calibration on the query, on many questions, and as labels get out of balance."""

from __future__ import annotations

import streamlit as st

from core.errors import StudyError
from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.scoring import items as scoring_items
from pages.ui.scoring import label_imbalance as scoring_imbalance
from pages.ui.scoring import query as scoring_query

VIEW = "scoring_view"
QUERY, ITEMS, IMBALANCE = "This query", "Items", "Imbalance"
VIEWS = {
    QUERY: scoring_query.query_view,
    ITEMS: scoring_items.items_view,
    IMBALANCE: scoring_imbalance.imbalance_view,
}

page = frame.begin("Scoring")
with page.views:
    st.session_state.setdefault(VIEW, QUERY)
    view = st.segmented_control(
        "View", list(VIEWS), key=VIEW, required=True, label_visibility="collapsed", persist_state="session"
    )
    body = st.container()


def show_nothing(why: str) -> None:
    """No chart of an older study stays on screen."""
    with body.container(border=True):
        st.container(height=300, border=False).caption(why)


outcome = frame.outcome(page, show_nothing)
model = engine.loaded(page.study.model)
if outcome is not None and model is not None:
    with body:
        try:
            VIEWS[view](outcome, model, page.below)
        except StudyError as error:
            show_nothing(str(error))
frame.end(page, outcome)
