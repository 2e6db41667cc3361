"""What comes of the page's study: `outcome()`, and the `model()` it is asked of, for every card that reads them.

A page asks the session's study, or what it makes of that one (`ask_of`). Where there is no outcome a `Waiting` is
raised, and the page's notice says what can be done about it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import Cancelled, ICLensError, PromptTooLong
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.jobs import engine
from pages.ui.jobs.waiting import Waiting
from pages.ui.session import state

if TYPE_CHECKING:
    from core.models import LanguageModel

ASKED, FAILED = "run_asked", "run_failed"


class NoModel(Waiting):
    """The study's model is not in memory."""

    def __init__(self, study: Study) -> None:
        super().__init__("Nothing to show until a model is loaded.", study.model.model_dump_json())
        self.study = study


class NotRun(Waiting):
    """The study cannot be run, or was stopped."""

    def __init__(self, error: ICLensError) -> None:
        why = "Nothing to show until the study runs."
        if isinstance(error, Cancelled):
            why = "Nothing to show: the run was stopped."
        elif isinstance(error, PromptTooLong):
            why = "Nothing to show until the prompt fits."
        super().__init__(why, str(error))
        self.error = error


class Working(Waiting):
    """A slow model runs the study."""

    keeps = True

    def __init__(self, key: str) -> None:
        super().__init__("Nothing to show until the run is done.", key)


def ask_of(study: Callable[[], Study]) -> None:
    """Called by a page first: which study it asks."""
    st.session_state[ASKED] = study


def asked() -> Study:
    """The study that the page asks."""
    found: Study = st.session_state.get(ASKED, state.study)()
    return found


def outcome() -> Outcome:
    """What comes of the page's study.

    Raises:
        Waiting: it is not there.
    """
    study, known = asked(), model()
    failed: tuple[Study, str, ICLensError] | None = st.session_state.get(FAILED)
    try:
        if failed is not None and failed[0] == study and failed[1] == known.fingerprint:
            raise failed[2]
        found = engine.outcome_or_job(study, known)
    except Cancelled as error:
        raise NotRun(error) from None
    except ICLensError as error:
        st.session_state[FAILED] = (study, known.fingerprint, error)  # most cards ask, and each would fail anew
        raise NotRun(error) from None
    if not isinstance(found, Outcome):
        raise Working(found.key)
    return found


def model() -> LanguageModel:
    """The model of the page's study.

    Raises:
        Waiting: it is not in memory.
    """
    study = asked()
    found = engine.loaded(study.model)
    if found is None:
        raise NoModel(study)
    return found
