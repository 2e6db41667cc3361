"""Influence: what happens to the answer when a demonstration goes, changes its label or moves."""

from __future__ import annotations

import streamlit as st

from core.errors import StudyError
from core.study.outcome import Outcome
from pages.ui.frame import frame
from pages.ui.influence import (
    agreement as influence_agreement,
)
from pages.ui.influence import (
    settings as influence_settings,
)
from pages.ui.influence import (
    views as influence_views,
)
from pages.ui.jobs import engine

page = frame.begin("Influence")
settings_slot = page.below.container(border=True)
with page.views:
    removal_slot, flips_slot, moves_slot = (
        column.container(border=True, height="stretch") for column in st.columns([0.35, 0.4, 0.25], gap="small")
    )
    agreement_slot = st.container(border=True)
    numbers_slot = st.container(border=True)


def show_nothing(why: str) -> None:
    """Every view as a placeholder: no chart of an older study stays on screen."""
    for slot, name, help in (
        (removal_slot, "Influence", influence_views.HELP_INFLUENCE),
        (flips_slot, "Flip its label", influence_views.HELP_FLIPS),
        (moves_slot, "Move it", influence_views.HELP_MOVES),
        (agreement_slot, "Which explanation predicts it?", influence_agreement.HELP),
    ):
        with slot:
            influence_views.nothing(name, help, why)
    with numbers_slot:
        st.caption(why)


def show(outcome: Outcome) -> None:
    """Every view of an outcome."""
    model = engine.loaded(page.study.model)
    assert model is not None, "there is an outcome, so there is a model"
    try:
        with settings_slot:
            settings = influence_settings.settings_card(outcome)
    except StudyError as error:
        show_nothing(str(error))
        return
    with removal_slot:
        found = influence_views.removal_view(outcome, model, settings)
    with flips_slot:
        flipped = influence_views.flips_view(outcome, model, settings)
    with moves_slot:
        moved = influence_views.moves_view(outcome, model, settings)
    with agreement_slot:
        influence_agreement.agreement_view(outcome, model, settings, found)
    with numbers_slot:
        if found is None:
            st.caption("Numbers come when the influence above is known.")
        else:
            influence_views.numbers_view(outcome, found, flipped, moved)


outcome = frame.outcome(page, show_nothing)
if outcome is not None:
    show(outcome)
frame.end(page, outcome)
