"""Ordering: what the same demonstrations do in every order."""

from __future__ import annotations

import streamlit as st

from core.study.outcome import Outcome
from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.ordering import settings as ordering_settings
from pages.ui.ordering import tables as ordering_tables
from pages.ui.ordering import views as ordering_views

ordering_tables.follow()
page = frame.begin("Ordering")
settings_slot = page.below.container(border=True)
with page.views:
    picks_slot = st.container()
    upper, lower = st.columns(2, gap="small"), st.columns(2, gap="small")
    accuracy_slot, answers_slot = (column.container(border=True, height="stretch") for column in upper)
    entropy_slot, positions_slot = (column.container(border=True, height="stretch") for column in lower)
    strategies_slot, table_slot = (
        column.container(border=True, height="stretch") for column in st.columns(2, gap="small")
    )


def show_nothing(why: str) -> None:
    """Every view as a placeholder: no chart of an older study stays on screen."""
    for slot, name, help in (
        (accuracy_slot, "How often is it right?", ordering_views.HELP_ACCURACY),
        (answers_slot, "What does it answer?", ordering_views.HELP_ANSWERS),
        (entropy_slot, "Does entropy tell good orders?", ordering_views.HELP_ENTROPY),
        (positions_slot, "What does a position do?", ordering_views.HELP_POSITIONS),
    ):
        with slot:
            ordering_views.nothing(name, help, why)
    for slot in (strategies_slot, table_slot):
        slot.caption(why)


def show(outcome: Outcome) -> None:
    """Every view of an outcome."""
    model = engine.loaded(page.study.model)
    assert model is not None, "there is an outcome, so there is a model"
    why_not = ordering_settings.why_not(outcome)
    if why_not:
        show_nothing(why_not)
        return
    with settings_slot:
        settings = ordering_settings.settings_card(outcome, model)
    with picks_slot:
        table = ordering_settings.computed(settings, model)
    if table is None:
        show_nothing("Comes when the orders are scored.")
        return
    view = ordering_views.View(outcome, settings, table)
    with picks_slot:
        ordering_tables.picks_row(view)
    with accuracy_slot:
        ordering_views.accuracy_view(view)
    with answers_slot:
        ordering_views.answers_view(view)
    with entropy_slot:
        ordering_views.entropy_view(view)
    with positions_slot:
        ordering_views.positions_view(view)
    with strategies_slot:
        ordering_tables.strategies_view(view)
    with table_slot:
        ordering_tables.orders_view(view)


outcome = frame.outcome(page, show_nothing)
if outcome is not None:
    show(outcome)
frame.end(page, outcome)
