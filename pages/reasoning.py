"""Reasoning: what the model writes before it answers, stage by stage, and what that is worth over many questions."""

from __future__ import annotations

import streamlit as st

from core.errors import StudyError
from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.reasoning import compare as reasoning_compare
from pages.ui.reasoning import settings as reasoning_settings
from pages.ui.reasoning import views as reasoning_views

VIEW = "reasoning_view"
QUESTION, MANY = "This question", "Many questions"

page = frame.begin("Reasoning")
with page.below.container(border=True):
    reasoning_settings.settings_card(page.study)
with page.views:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.session_state.setdefault(VIEW, QUESTION)
        view = st.segmented_control(
            "View", [QUESTION, MANY], key=VIEW, required=True, label_visibility="collapsed", persist_state="session"
        )
        if view == QUESTION:
            reasoning_settings.method_control(page.study)
    body = st.container()


def show_nothing(why: str) -> None:
    """No stage of an older study stays on screen."""
    with body.container(border=True):
        st.container(height=300, border=False).caption(why)


outcome = frame.outcome(page, show_nothing)
model = engine.loaded(page.study.model)
if outcome is not None and model is not None:
    with body:
        try:
            if view == QUESTION:
                reasoning_views.question_view(outcome)
            else:
                reasoning_compare.compare_view(outcome, model, page.below)
        except StudyError as error:
            show_nothing(str(error))
frame.end(page, outcome)
