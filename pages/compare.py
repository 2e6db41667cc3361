"""Compare: a study put aside as A, the present one as B, and B − A in every view."""

from __future__ import annotations

import streamlit as st

from core.study.outcome import Outcome
from pages.ui.compare import sides as compare
from pages.ui.compare import views as compare_views
from pages.ui.frame import frame
from pages.ui.playground import views
from pages.ui.session import state

page = frame.begin("Compare")
a = state.study_a()
prompt_slot = page.below.container(border=True)
with page.views:
    top = st.container(border=True)
    if a is not None:
        columns = (*st.columns(2, gap="small"), *st.columns(2, gap="small"))
        answer_slot, posterior_slot, kernel_slot, attention_slot = (
            column.container(border=True, height="stretch") for column in columns
        )


def show_nothing(why: str) -> None:
    """Every view as a placeholder."""
    if a is None:
        return
    for slot, name, help in (
        (answer_slot, "Answer", compare_views.HELP_ANSWER),
        (posterior_slot, "Posterior over tasks", compare_views.HELP_POSTERIOR),
        (kernel_slot, "Kernel weights", compare_views.HELP_KERNELS),
        (attention_slot, "Attention", compare_views.HELP_ATTENTION),
    ):
        with slot:
            views.placeholder(name, help, why)
    with prompt_slot:
        st.caption(why)


def nothing_kept() -> None:
    """How to get an A."""
    with top:
        views.title("Nothing to compare yet", compare.HELP)
        st.markdown(
            "Keep the present study as A, then change anything: what you go on editing is B, and this page shows B − A."
        )
        st.button(
            "Keep this study as A",
            type="primary",
            icon=":material/push_pin:",
            key="compare_keep_first",
            on_click=compare.keep,
        )
        st.markdown("**Or start from a ready-made ablation.** A is the present study, B differs from it in one thing:")
        compare.ablation_buttons(page.study)
    with prompt_slot:
        st.caption("The prompts of A and B will stand here as one text.")


def show(sides: compare_views.Sides) -> None:
    """Every view of a difference."""
    for slot, view in (
        (top, compare_views.changes_view),
        (answer_slot, compare_views.answer_view),
        (posterior_slot, compare_views.posterior_view),
        (kernel_slot, compare_views.kernel_view),
        (attention_slot, compare_views.attention_view),
    ):
        with slot:
            view(sides)
    with prompt_slot:
        compare_views.prompt_view(sides, 218)


outcome_a: Outcome | None = None
if a is None:
    nothing_kept()
else:
    with top:
        outcome_a = compare.outcome_a(a)
outcome = frame.outcome(page, show_nothing)
if outcome_a is not None and outcome is not None:
    show(compare_views.sides(outcome_a, outcome))
elif a is not None and outcome is not None:
    show_nothing("Nothing to show until A has run.")
frame.end(page, outcome)
