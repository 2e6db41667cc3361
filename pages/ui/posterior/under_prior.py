"""The outcome under the study's own prior of tasks: exact Bayes alone reads it, so the model is asked without one."""

from __future__ import annotations

import streamlit as st

from core.errors import StudyError
from core.pipeline.bayes import with_prior
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.jobs.run import model, outcome
from pages.ui.jobs.waiting import Done, Failed, Nothing
from pages.ui.session import state

P = "posterior_"
N, N_OF = P + "n", P + "n_of"  # how many demonstrations are looked at, and of how many
MOVED = P + "moved"
SHORT = {"exact": "exact Bayes", "implicit": "implicit", "instruction": "hypotheses"}


class RuledOut(Failed):
    """The prior leaves no task possible."""

    def show(self, done: Done) -> None:
        super().show(done)
        st.button("Back to the mixture's own prior", key=P + "prior_back", on_click=_forget_prior)


def _forget_prior() -> None:
    state.edit(prior=())


def without_prior() -> Study:
    """What the page asks the model: the session's study without its prior."""
    return state.study().model_copy(update={"prior": ()})


def under_prior() -> Outcome:
    """The outcome under the study's own prior, which needs no new run.

    Raises:
        RuledOut: no task is possible.
        Waiting: there is no outcome.
    """
    bare, prior = outcome(), state.study().prior
    read = (bare, prior, model().fingerprint)
    before = st.session_state.get(MOVED)
    if before is None or before[0][0] is not bare or before[0][1:] != read[1:]:
        try:
            moved: Outcome | str = with_prior(bare, model(), prior)
        except StudyError as error:
            moved = str(error)
        before = st.session_state[MOVED] = (read, moved)
    if isinstance(before[1], str):
        raise RuledOut(before[1])
    found: Outcome = before[1]
    return found


def with_posteriors() -> Outcome:
    """`under_prior`, for the views beside the one that says why there is none.

    Raises:
        Waiting: there is no outcome, or it has no posterior.
    """
    try:
        found = under_prior()
    except RuledOut:
        raise Nothing("Nothing to show until some task is possible.") from None
    if not found.posteriors:
        raise Nothing("Nothing to show until there is a posterior.")
    return found


def step(k: int) -> int:
    """After how many of k demonstrations: all of them, where their number has changed."""
    if st.session_state.get(N_OF) != k:
        st.session_state[N_OF] = st.session_state[N] = k
    n: int = st.session_state.setdefault(N, k)
    return n
