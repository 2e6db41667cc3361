"""What the Reasoning page asks for: the method, how its own words are compared, and steps where there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.files.csv_records import as_csv
from core.reasoning import reasonings
from core.reasoning.forms import sum_steps
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.outcome import Outcome
from core.study.study import Study
from pages.ui.session import session, state
from pages.ui.session.examples import examples
from pages.ui.workbench import reasoning_controls

P = "reasoning_"
HELP_SETTINGS = (
    "How the model is asked. With a method the answer bars of every page are those after the model's own rationale: "
    "p(y | demonstrations with their steps, x, what it wrote)."
)
LARGER_EMBEDDED = (
    "The embedded model learned steps for sums alone. Reasoning in words takes a far larger model (Wei et al. 2022 saw "
    "it help from tens of billions of parameters on): load one from disk or by its hub name in the model menu, and "
    "this page runs it."
)
LARGER_OTHER = (
    "Reasoning in words takes a large model (Wei et al. 2022 saw it help from tens of billions of parameters on); a "
    "small or random one is run all the same, and writes what it writes."
)


def title(words: str, help: str) -> None:
    st.markdown(f"**{words}**", help=help, width="content")


def method_control(study: Study) -> None:
    """The method, one click each."""
    known = {entry.name: entry.short for entry in reasonings}
    options = list(known) if study.reasoning in known else [*known, study.reasoning]
    st.segmented_control(
        "Reasoning",
        options,
        format_func=lambda name: known.get(name, f"{name}?"),
        required=True,
        label_visibility="collapsed",
        **state.bind(P + "method", study.reasoning, "reasoning", "default"),
    )


def settings_card(study: Study) -> None:
    """Own words, matching, length; steps for sums; and what this model can be expected to do."""
    title("How it is asked", HELP_SETTINGS)
    reasoning_controls.open_toggle(study, P + "open_ended")
    left, right = st.columns(2, gap="small")
    with left:
        reasoning_controls.matching_menu(study, P + "matching")
    with right:
        reasoning_controls.longest_field(study, P + "longest")
    bare = bare_sums(study)
    if bare and has_steps(study):
        fill_button(study, bare)
    st.caption(LARGER_EMBEDDED if study.model.name == "embedded" else LARGER_OTHER)


def has_steps(study: Study) -> bool:
    """Whether any usable row has steps."""
    return any(row.steps for row in (*study.demonstrations, *study.pool) if usable(row))


def bare_sums(study: Study) -> int:
    """Rows that are sums of at least two numbers and have no steps."""
    return sum(bool(not row.steps and sum_steps(row.input)) for row in (*study.demonstrations, *study.pool))


def filled(rows: tuple[Demonstration, ...]) -> tuple[Demonstration, ...]:
    """The rows, sums without steps with theirs."""
    return tuple(
        row if row.steps else row.model_copy(update={"steps": sum_steps(row.input)}) if sum_steps(row.input) else row
        for row in rows
    )


def fill_button(study: Study, bare: int) -> None:
    """Steps by exact arithmetic, for inputs that are sums and have none."""
    st.button(
        f"Fill in the steps of {bare} sum{'s' if bare != 1 else ''}",
        icon=":material/calculate:",
        key=P + "fill",
        on_click=lambda: state.edit(demonstrations=filled(study.demonstrations), pool=filled(study.pool)),
        help="From left to right, by exact arithmetic, for every row whose input is a sum and that has no steps: "
        "2 + 3 + 4 gets “2 + 3 = 5; 5 + 4 = 9”. Labels stay as they are.",
    )


def no_steps(outcome: Outcome) -> None:
    """What to do where no demonstration shown has steps."""
    if any(row.steps for row in outcome.demonstrations):
        return
    study = outcome.study
    st.info(
        "No demonstration shown has steps, so every method answers at once. Type steps into the table's column, like "
        "“2 + 3 = 5; 5 + 4 = 9”, or start from these:",
        icon=":material/footprint:",
    )
    with st.container(horizontal=True):
        st.button("Load the example with steps", type="primary", key=P + "example", on_click=_load_example)
        bare = bare_sums(study)
        if bare:
            fill_button(study, bare)


def _load_example() -> None:
    example = next(entry for entry in examples() if has_steps(entry.study))
    state.replace(example.study.model_copy(update={"model": state.study().model}))
    session.mark(None)
    state.hint(example.about)


def save(label: str, name: str, rows: Callable[[], list[dict[str, Any]]]) -> None:
    """A download of rows, made when it is pressed."""
    st.download_button(
        label,
        lambda: as_csv(rows()),
        f"iclens-{name}.csv",
        "text/csv",
        key=f"{P}{name}_csv",
        icon=":material/download:",
        on_click="ignore",
    )
