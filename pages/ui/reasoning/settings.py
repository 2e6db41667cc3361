"""What the Reasoning page asks for: the method, how its own words are compared, and steps where there are none."""

from __future__ import annotations

import streamlit as st

from core.reasoning import reasonings, reasons
from core.reasoning.forms import sum_steps
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.study import Study
from pages.ui.components import menu
from pages.ui.components.card import Card, Values
from pages.ui.frame import parts
from pages.ui.jobs.run import outcome
from pages.ui.session import session, state
from pages.ui.session.examples import examples
from pages.ui.workbench import reasoning_controls

P = "reasoning_"
VIEW = P + "view"
QUESTION, MANY = VIEWS = "This question", "Many questions"
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


def view() -> str:
    """Which of the page's views is on screen."""
    shown: str = menu.held(VIEWS, VIEW)
    return shown


def view_switch() -> None:
    """This question, whose method is one click away, or many."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        menu.switch("View", VIEWS, VIEW)
        if view() == QUESTION:
            parts.part(METHOD)


def _method(reasoning: str) -> None:
    """The method, one click each."""
    known = {entry.name: entry.short for entry in reasonings}
    options = list(known) if reasoning in known else [*known, reasoning]
    st.segmented_control(
        "Reasoning",
        options,
        format_func=lambda name: known.get(name, f"{name}?"),
        required=True,
        label_visibility="collapsed",
        **state.bind(P + "method", reasoning, "reasoning", "default"),
    )


def _settings_reads() -> Values:
    study = state.study()
    told = (study.open_ended, study.matching, study.longest, study.reasoning)
    bare = bare_sums(study)
    return (told, bare if bare and has_steps(study) else 0, study.model.name == "embedded")


def _settings(_: tuple[object, ...], bare: int, embedded: bool) -> None:
    """Own words, matching, length; steps for sums; and what this model can be expected to do."""
    study = state.study()
    reasoning_controls.open_toggle(study, P + "open_ended")
    left, right = st.columns(2, gap="small")
    with left:
        reasoning_controls.matching_menu(study, P + "matching")
    with right:
        reasoning_controls.longest_field(study, P + "longest")
    if bare:
        fill_button(bare)
    st.caption(LARGER_EMBEDDED if embedded else LARGER_OTHER)


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


def fill_button(bare: int) -> None:
    """Steps by exact arithmetic, for inputs that are sums and have none."""
    st.button(
        f"Fill in the steps of {bare} sum{'s' if bare != 1 else ''}",
        icon=":material/calculate:",
        key=P + "fill",
        on_click=_fill,
        help="From left to right, by exact arithmetic, for every row whose input is a sum and that has no steps: "
        "2 + 3 + 4 gets “2 + 3 = 5; 5 + 4 = 9”. Labels stay as they are.",
    )


def _fill() -> None:
    study = state.study()
    state.edit(demonstrations=filled(study.demonstrations), pool=filled(study.pool))


def _steps_reads() -> Values:
    found = outcome()
    asked = view() == MANY or reasons(found.study) or found.reasoning is None
    lacking = asked and not any(row.steps for row in found.demonstrations)
    return lacking, bare_sums(found.study) if lacking else 0


def _no_steps(lacking: bool, bare: int) -> None:
    """What to do where no demonstration shown has steps."""
    if not lacking:
        return
    st.info(
        "No demonstration shown has steps, so every method answers at once. Type steps into the table's column, like "
        "“2 + 3 = 5; 5 + 4 = 9”, or start from these:",
        icon=":material/footprint:",
    )
    with st.container(horizontal=True):
        st.button("Load the example with steps", type="primary", key=P + "example", on_click=_load_example)
        if bare:
            fill_button(bare)


def _load_example() -> None:
    example = next(entry for entry in examples() if has_steps(entry.study))
    state.replace(example.study.model_copy(update={"model": state.study().model}))
    session.mark(None)
    state.hint(example.about)


METHOD = Card(P + "card_method", "", "", lambda: (state.study().reasoning,), _method, framed=False)
CARD = Card(
    P + "card_settings", "How it is asked", HELP_SETTINGS, _settings_reads, _settings, height=180, stretched=False
)
NO_STEPS = Card(P + "card_no_steps", "", "", _steps_reads, _no_steps, height=24, framed=False)
