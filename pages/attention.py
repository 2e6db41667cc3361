"""Attention: between the parts of the prompt, head by head, token by token, and what role each head plays."""

from __future__ import annotations

import streamlit as st

from core.attention import tokens_of
from core.study.outcome import Outcome
from pages.ui.attention import controls, parts, roles, tokens
from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.playground import views

page = frame.begin("Attention")
prompt_slot = page.below.container(border=True)
with page.views:
    bar = st.container()
    left, right = st.columns([0.4, 0.6], gap="small")
    atlas_slot, between_slot = (column.container(border=True, height="stretch") for column in (left, right))
    tokens_slot, roles_slot = st.container(border=True), st.container(border=True)
CARDS = (
    (atlas_slot, "Layers × heads", parts.HELP_ATLAS, parts.HEIGHT),
    (between_slot, "Between parts of the prompt", parts.HELP_BETWEEN, parts.HEIGHT),
    (tokens_slot, "Token by token", tokens.HELP_TOKENS, 80),
    (roles_slot, "Head roles", roles.HELP_ROLES, 80),
)


def show_nothing(why: str) -> None:
    """Every view as a placeholder: no chart of an older study stays on screen."""
    for slot, name, help, height in CARDS:
        with slot:
            controls.placeholder(name, help, why, height)
    with prompt_slot:
        st.caption(why)


def show(outcome: Outcome) -> None:
    """Every view of an outcome; roles first, as their letters stand in the map of heads."""
    model = engine.loaded(outcome.study.model)
    with prompt_slot:
        views.prompt_view(outcome, "attention_prompt", 218)
    if model is None or outcome.attention is None:
        for slot, name, help, height in CARDS:
            with slot:
                controls.placeholder(name, help, "This model gives no attention weights.", height)
        return
    with bar:
        controls.controls(model)
    known = tokens_of(outcome.prompt, model.encode(outcome.prompt.text))
    for slot, name, help, _ in CARDS[:3]:
        with slot:
            controls.title(name, help)
    with roles_slot:
        roles.heading()
        scored = roles.scored(outcome, model)
        roles.roles_view(model, scored)
    with between_slot:
        found = parts.parts(outcome, model, known)
        parts.between_view(outcome, model, found)
    with atlas_slot:
        parts.atlas_view(outcome, model, found, roles.letters(scored), roles.planted_in_words(model))
    with tokens_slot:
        tokens.tokens_view(outcome, model, known)


outcome = frame.outcome(page, show_nothing)
if outcome is not None:
    show(outcome)
frame.end(page, outcome)
