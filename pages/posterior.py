"""Posterior: which task the demonstrations speak for, by exact Bayes, by the model, and by your hypotheses."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import StudyError
from core.study.outcome import Outcome
from pages.ui.frame import frame
from pages.ui.jobs import engine
from pages.ui.playground import views
from pages.ui.posterior import views as posterior_views
from pages.ui.session import state

page = frame.begin("Posterior")
prompt_slot = page.below.container(border=True)


def nothing(why: str) -> None:
    """Placeholders."""
    with page.views:
        posterior_views.nothing(why)
    with prompt_slot:
        st.caption(why)


def with_prior(outcome: Outcome) -> Outcome | None:
    """The outcome under the study's own prior, which needs no new run; or None, with a sentence why not."""
    from core.pipeline.bayes import with_prior as moved

    model = engine.loaded(page.study.model)
    assert model is not None  # the outcome came of it
    try:
        return moved(outcome, model, page.study.prior)
    except StudyError as error:
        page.notice.error(str(error))
        page.notice.button("Back to the mixture's own prior", key="posterior_prior_back", on_click=_forget_prior)
        nothing("Nothing to show until some task is possible.")
        return None


def _forget_prior() -> None:
    state.edit(prior=())


# Exact Bayes alone reads the prior: what the model said of the study without one is kept, and is what is asked for.
bare = replace(page, study=page.study.model_copy(update={"prior": ()}))
outcome = frame.outcome(bare, nothing)
if outcome is not None:
    outcome = with_prior(outcome)
if outcome is not None:
    with page.views:
        posterior_views.show(outcome)
    with prompt_slot:
        views.prompt_view(outcome, "posterior_prompt", 218)
frame.end(page, outcome)
