"""The frame of a page that draws what comes of the study: bar, strategies, tables and query, and room for views.

page = frame.begin("Kernel")
outcome = frame.outcome(page, nothing)   # nothing(why) draws placeholders
if outcome is not None: …draw into page.views…
frame.end(page, outcome)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import Cancelled, ICLensError, PromptTooLong
from core.pipeline.run import drop_earliest
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.compare import sides as compare
from pages.ui.components.buttons import hide_labels
from pages.ui.components.text import plain
from pages.ui.frame import shell
from pages.ui.jobs import engine, jobs
from pages.ui.playground import views
from pages.ui.session import session, state
from pages.ui.workbench import controls, transfer, workbench

if TYPE_CHECKING:
    from core.models import LanguageModel

SHOWN, TABLES, OUTCOME = "frame_shown", "frame_tables", "frame_outcome"
BELOW = {"demonstrations", "pool", "query", "gold", "labels", "hypotheses", "token_head"}  # edited below the bar


@dataclass(frozen=True)
class Page:
    """A page under construction.

    Attributes:
        study: the session's, with what was just typed.
        notice: for one sentence above everything.
        below: on the left, under tables and query.
        views: the right side.
        export: in the bar, for the export menu; a live page has its own.
    """

    study: Study
    notice: DeltaGenerator
    below: DeltaGenerator
    views: DeltaGenerator
    export: DeltaGenerator | None


def begin(title: str) -> Page:
    """First call of a page: everything but its views."""
    bar, strategies = _head(title)
    desk = _desk()
    with bar:  # after the tables: what was typed there is the step that Undo takes back
        export = _bar(desk.study, title)
    with strategies:
        controls.strategy_row(desk.study)
    return replace(desk, export=export)


def _head(title: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Places of the bar, with the title in it, and of the strategies."""
    shell.guard()
    state.start()
    state.arrive(title)
    hide_labels()
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small")
    bar.markdown(f"### {title}", width="content")
    return bar, st.container()


def _bar(study: Study, title: str) -> DeltaGenerator:
    """What stands in the bar; returns the export menu's place."""
    workbench.source_bar()
    compare.badge(study, title)
    st.space("stretch")
    controls.model_popover(study)
    return st.container(width="content")


def _desk() -> Page:
    """A place for a notice and two columns: tables and query, and room for views."""
    notice = st.container()
    left, right = st.columns([0.3, 0.7], gap="small")
    with left:
        study = workbench.tables_card(state.study())  # what is typed counts at once
        workbench.query_card(study)
        below = st.container()
    return Page(study, notice, below, right, None)


def end(page: Page, outcome: Outcome | None) -> None:
    """Last call of a page: the export menu, dialogs, and the study's link."""
    if page.export is not None:
        with page.export:
            transfer.export_popover(page.study, outcome)
    _import_dialog()
    _tokens_dialog(outcome)
    state.keep()


def _import_dialog() -> None:
    if st.session_state.get(session.DIALOG) == "import":
        transfer.import_dialog()


def _tokens_dialog(outcome: Outcome | None) -> None:
    if st.session_state.get(session.DIALOG) == "tokens" and outcome is not None:
        views.tokens_dialog(outcome)


@st.fragment(run_every=0.4)
def _show_progress() -> None:
    """A slow model at work; when it is done, the page is drawn."""
    job = jobs.current("run")
    if job is None or job.done:
        st.rerun()
    if 0 < job.share < 1:  # a selection that learns says how far it is
        st.progress(job.share, f"Choosing demonstrations … {job.share:.0%}, {job.seconds:.0f} s")
    else:
        st.progress(1 - 0.5 ** (job.seconds / 5), f"Running … {job.seconds:.0f} s, {job.checks} passes")
    st.button("Cancel", key="frame_run_cancel", on_click=job.cancel)


def _show_missing_model(study: Study) -> None:
    """A study from a link may name a model that is not in memory; loading it is the visitor's choice."""
    name = plain(study.model.name, 60)
    if jobs.current("load") is not None:
        controls.loading()
        return
    st.info(f"This study runs on {name}, which is not loaded.")
    with st.container(horizontal=True):
        st.button(
            "Load it",
            type="primary",
            key="frame_load_linked",
            on_click=controls.request_load,
            args=(study.model,),
        )
        st.button("Use the embedded model", key="frame_use_embedded", on_click=controls.use, args=(engine.EMBEDDED,))


def model(page: Page) -> LanguageModel | None:
    """The study's model; while the embedded one loads, which imports torch, a skeleton keeps its place."""
    if engine.at_hand(page.study.model):
        return engine.loaded(page.study.model)
    with page.views.skeleton(height=600):
        return engine.loaded(page.study.model)


def outcome(page: Page, nothing: Callable[[str], None]) -> Outcome | None:
    """What comes of the study; or None, with one sentence above that says why, and `nothing(why)` called."""
    said = state.notice()
    if said:
        page.notice.info(said)
    try:
        found = model(page)
        if found is None:
            with page.notice:
                _show_missing_model(page.study)
            nothing("Nothing to show until a model is loaded.")
            return None
        result = engine.outcome_or_job(page.study, found)
        if isinstance(result, Outcome):
            return result
        with page.notice:
            _show_progress()
        nothing("Nothing to show until the run is done.")
    except Cancelled:
        page.notice.info("Stopped; change something or run again.")
        page.notice.button("Run again", key="frame_run_again", on_click=jobs.replace, args=("run", None))
        nothing("Nothing to show: the run was stopped.")
    except PromptTooLong as error:
        _offer_to_drop(page, error)
        nothing("Nothing to show until the prompt fits.")
    except ICLensError as error:
        page.notice.error(str(error))
        nothing("Nothing to show until the study runs.")
    return None


def _offer_to_drop(page: Page, error: PromptTooLong) -> None:
    with page.notice.container(horizontal=True, vertical_alignment="center"):
        st.error(str(error))
        if error.fits:
            st.button(
                "Drop the earliest",
                key="frame_drop",
                on_click=lambda fits=error.fits: state.replace(drop_earliest(state.study(), fits)),
            )
