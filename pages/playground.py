"""Playground: demonstrations in, what the model infers from them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import Cancelled, ICLensError, PromptTooLong
from core.outcome import Outcome
from core.run import drop_earliest
from pages.ui import controls, engine, jobs, shell, state, transfer, views, workbench
from pages.ui.buttons import hide_labels
from pages.ui.text import plain

if TYPE_CHECKING:
    from core.models import LanguageModel

shell.guard()
state.start()
hide_labels()
study = state.study()

bar = st.container(horizontal=True, vertical_alignment="center", gap="small")
bar.markdown("### Playground", width="content")
strategy_slot = st.container()
notice_slot = st.container()
left, right = st.columns([0.3, 0.7], gap="small")

with left:
    study = workbench.tables_card(study)  # what is typed counts at once
    workbench.query_card(study)
    prompt_slot = st.container(border=True)
with bar:  # after the tables: what was typed there is the step that Undo takes back
    workbench.source_bar()
    st.space("stretch")
    controls.model_popover(study)
    export_slot = st.container(width="content")
with strategy_slot:
    controls.strategy_row(study)
with right:
    top, bottom = st.columns([0.34, 0.66], gap="small"), st.columns(2, gap="small")
    answer_slot, posterior_slot, kernel_slot, attention_slot = (
        column.container(border=True, height="stretch") for column in (*top, *bottom)
    )


def show_nothing(why: str) -> None:
    """Every view as a placeholder: no chart of an older study stays on screen."""
    for slot, name, help in (
        (answer_slot, "Answer", views.HELP_ANSWER),
        (posterior_slot, "Posterior over tasks", views.HELP_POSTERIOR),
        (kernel_slot, "Kernel weights", views.HELP_KERNELS),
        (attention_slot, "Attention", views.HELP_ATTENTION),
    ):
        with slot:
            views.placeholder(name, help, why)
    with prompt_slot:
        st.caption(why)


def show(outcome: Outcome) -> None:
    """Every view of an outcome."""
    with answer_slot:
        views.answer_view(outcome)
    with posterior_slot:
        views.posterior_view(outcome)
    with kernel_slot:
        views.kernel_view(outcome)
    with attention_slot:
        views.attention_view(outcome)
    with prompt_slot:
        views.prompt_view(outcome, 218)


@st.fragment(run_every=0.4)
def show_progress() -> None:
    """A slow model at work; when it is done, the page is drawn."""
    job = jobs.current("run")
    if job is None or job.done:
        st.rerun()
    st.progress(1 - 0.5 ** (job.seconds / 5), f"Running … {job.seconds:.0f} s, {job.checks} passes")
    st.button("Cancel", key="playground_run_cancel", on_click=job.cancel)


def show_missing_model() -> None:
    """A study from a link may name a model that is not in memory; loading it is the visitor's choice."""
    name = plain(study.model.name, 60)
    if jobs.current("load") is not None:
        controls.loading()
    else:
        st.info(f"This study runs on {name}, which is not loaded.")
        with st.container(horizontal=True):
            st.button(
                "Load it",
                type="primary",
                key="playground_load_linked",
                on_click=controls.request_load,
                args=(study.model,),
            )
            st.button(
                "Use the embedded model", key="playground_use_embedded", on_click=controls.use, args=(engine.EMBEDDED,)
            )
    show_nothing("Nothing to show until a model is loaded.")


def model_in_reserved_slot() -> LanguageModel | None:
    """The study's model; while the embedded one loads, which imports torch, a skeleton keeps its place."""
    if engine.at_hand(study.model):
        return engine.loaded(study.model)
    with right.skeleton(height=600):
        return engine.loaded(study.model)


def compute() -> Outcome | None:
    """Run the study and draw it, or say in one sentence why not."""
    try:
        model = model_in_reserved_slot()
        if model is None:
            with notice_slot:
                show_missing_model()
            return None
        result = engine.outcome_or_job(study, model, study.model_dump_json())
        if isinstance(result, Outcome):
            show(result)
            return result
        with notice_slot:
            show_progress()
        show_nothing("Nothing to show until the run is done.")
    except Cancelled:
        notice_slot.info("Stopped; change something or run again.")
        notice_slot.button("Run again", key="playground_run_again", on_click=jobs.replace, args=("run", None))
        show_nothing("Nothing to show: the run was stopped.")
    except PromptTooLong as error:
        with notice_slot.container(horizontal=True, vertical_alignment="center"):
            st.error(str(error))
            if error.fits:
                st.button(
                    "Drop the earliest",
                    key="playground_drop",
                    on_click=lambda fits=error.fits: state.replace(drop_earliest(state.study(), fits)),
                )
        show_nothing("Nothing to show until the prompt fits.")
    except ICLensError as error:
        notice_slot.error(str(error))
        show_nothing("Nothing to show until the study runs.")
    return None


said = state.notice()
if said:
    notice_slot.info(said)
outcome = compute()
with export_slot:
    transfer.export_popover(study, outcome)
dialog = st.session_state.get(transfer.DIALOG)
if dialog == "import":
    transfer.import_dialog()
elif dialog == "tokens" and outcome is not None:
    views.tokens_dialog(outcome)
state.keep()
