"""Format: how a prompt is written, two templates side by side, a family of them, and instructions."""

from __future__ import annotations

import streamlit as st

from core.errors import StudyError
from pages.ui.format import (
    editor as format_editor,
)
from pages.ui.format import (
    instructions as format_instructions,
)
from pages.ui.format import (
    pair as format_pair,
)
from pages.ui.format import (
    sensitivity as format_sensitivity,
)
from pages.ui.format import (
    shared as format_shared,
)
from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.workbench import shots

VIEW = "format_view"
EDITOR = "Editor"
VIEWS = {
    EDITOR: format_editor.editor_view,
    "Two templates": format_pair.pair_view,
    "Sensitivity": format_sensitivity.sensitivity_view,
    "Instructions": format_instructions.instructions_view,
}

page = frame.begin("Format")
slot = page.below.container(border=True)
with page.views:
    view = format_shared.choose("View", list(VIEWS), VIEW, EDITOR)
    body = st.container()


def show_nothing(why: str) -> None:
    """No chart of an older study stays on screen."""
    with body.container(border=True):
        st.container(height=300, border=False).caption(why)
    with slot:
        shots.field(page.study, "format_shots_typed")


outcome = frame.outcome(page, show_nothing)
model = engine.loaded(page.study.model)
if outcome is not None and model is not None:
    with slot:
        shots.slider(outcome, "format_shots")
    with body:
        try:
            VIEWS[view](outcome, model)
        except StudyError as error:
            st.error(str(error))
frame.end(page, outcome)
