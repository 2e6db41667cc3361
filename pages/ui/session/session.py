"""What a Playground session points at: the marked demonstration, the table in front, and the colours of tasks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import streamlit as st

from core.selection import selections, source_of
from core.study.outcome import Outcome, Posterior
from core.study.study import Study
from pages.ui.session import widgets

MARK = "frame_mark"
GENERATED = "frame_mark_generated"
TABLE = "frame_table"
TABLES = ("Demonstrations", "Pool", "Hypotheses")
HELD_OUT = "Questions"
"""A table that is there where the study has any."""
READS = "frame_reads"
COLOURS = "frame_colours"
DIALOG = "frame_dialog"  # which dialog is open: "import", "tokens" or None


def marked() -> int | None:
    """Number of the marked demonstration in the table in front, or None."""
    number: int | None = st.session_state.get(MARK)
    return number


def mark(number: int | None, source: str = "") -> None:
    """Mark a demonstration by its number in a `source`: "demonstrations" or "pool", a table that comes to the front, or
    "generated", what the model wrote itself, which no table holds. Without a source, in the table in front."""
    generated = source == "generated"
    st.session_state[MARK] = None if generated else number
    st.session_state[GENERATED] = number if generated else None
    if source and not generated:
        st.session_state[TABLE] = source.capitalize()


def tables(study: Study) -> tuple[str, ...]:
    """The tables that can be brought to the front."""
    more = study.questions or st.session_state.get(TABLE) == HELD_OUT
    return (*TABLES, HELD_OUT) if more else TABLES


def table_read(study: Study) -> str:
    """Which table the study's selection reads; "Demonstrations" where there is no such selection."""
    return source_of(study).capitalize() if study.selection in selections else TABLES[0]


def follow(study: Study) -> None:
    """Bring the table that is read to the front when it has become another one, so that numbers belong together."""
    reads = table_read(study)
    if st.session_state.get(READS) != reads:
        st.session_state[READS], st.session_state[TABLE], st.session_state[MARK] = reads, reads, None


def marked_in(outcome: Outcome) -> int | None:
    """Number of the marked demonstration, if it is one of those shown."""
    if outcome.chosen.source == "generated":
        written: int | None = st.session_state.get(GENERATED)
        return written if written is not None and written - 1 in outcome.chosen.indices else None
    number = marked()
    front = st.session_state.get(TABLE)
    shown = number is not None and front == outcome.chosen.source.capitalize() and number - 1 in outcome.chosen.indices
    return number if shown else None


def numbers(outcome: Outcome) -> list[int]:
    """Numbers of the demonstrations shown, in order: their rows in the table they come from."""
    return [place + 1 for place in outcome.chosen.indices]


def task_colours(posteriors: dict[str, Posterior]) -> dict[str, str]:
    """Colours for the tasks that matter, kept from edit to edit."""
    # late: plotly loads after the first paint
    from core.figures import Panel, assign_colours
    from core.figures.posterior.posterior import importance

    panels = [Panel(name, posterior.tasks, posterior.weights) for name, posterior in posteriors.items()]
    colours = assign_colours(*importance(panels), st.session_state.get(COLOURS))
    st.session_state[COLOURS] = {**st.session_state.get(COLOURS, {}), **colours}
    return colours


def hold(
    name: str,
    default: Any,
    argument: widgets.Argument = "value",
    options: Sequence[Any] = (),
    shape: Hashable = None,
    then: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Keyword arguments for a widget whose value is kept under its `name` in `st.session_state`, whatever is on screen.

    The name is no widget's key: code may read it and set it at any time, and the widget follows.

    Args:
        name: of the value, and what the widget's key begins with.
        default: at first.
        argument: the widget's argument for what it begins with.
        options: of a select box, whose argument is "index".
        shape: what else makes it another widget to Streamlit, such as the ends of a slider.
        then: called after the user has chosen.
    """

    def write(chosen: Any) -> None:
        st.session_state[name] = chosen
        if then is not None:
            then()

    return widgets.tie(name, st.session_state.setdefault(name, default), write, argument, options, shape)
