"""Selection: the pool as a map, who chose what and why, and what each test item was shown."""

from __future__ import annotations

import streamlit as st

from core.analysis.selection.choices import with_pool
from core.study.cleaning import tidied, usable
from core.study.outcome import Outcome
from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.selection import (
    choices as selection_choices,
)
from pages.ui.selection import (
    items as selection_items,
)
from pages.ui.selection import (
    kept as selection_kept,
)
from pages.ui.selection import (
    map as selection_map,
)
from pages.ui.selection import (
    settings as selection_settings,
)
from pages.ui.selection import (
    why as selection_why,
)

page = frame.begin("Selection")
settings_slot = page.below.container(border=True)
with page.views:
    notice_slot = st.container()
    map_slot, why_slot = (column.container(border=True, height="stretch") for column in st.columns([0.56, 0.44]))
    choices_slot = st.container(border=True)
    items_slot = st.container(border=True)


def show_nothing(why: str) -> None:
    """Every view as a placeholder: no chart of an older study stays on screen."""
    for slot, name, help in (
        (map_slot, "The pool", selection_map.HELP),
        (why_slot, "Why", selection_why.HELP),
        (choices_slot, "Who chose what", selection_choices.HELP),
        (items_slot, "Test items", selection_items.HELP),
    ):
        with slot:
            selection_settings.title(name, help)
            st.caption(why)


def show(outcome: Outcome) -> None:
    """Every view of an outcome."""
    model = engine.loaded(page.study.model)
    assert model is not None, "there is an outcome, so there is a model"
    study = with_pool(tidied(outcome.study))
    if not any(usable(row) for row in study.pool):
        show_nothing("There are no rows to choose from: add examples to the pool, or draw a task in the bar above.")
        return
    if not any(usable(row) for row in outcome.study.pool):
        notice_slot.info("The pool is empty, so the demonstrations stand in for it: each selection chooses among them.")
    with settings_slot:
        settings = selection_settings.settings_card(outcome, study)
    with choices_slot:
        choices = selection_choices.choices_view(settings, model)
    look = selection_why.looked_at(settings, choices)
    with map_slot:
        selection_map.map_view(settings, model, look)
    with why_slot:
        selection_why.why_view(settings, choices, look)
    with items_slot:
        selection_items.items_view(settings, model)
    with settings_slot:
        selection_kept.kept_popover()


outcome = frame.outcome(page, show_nothing)
if outcome is not None:
    show(outcome)
frame.end(page, outcome)
