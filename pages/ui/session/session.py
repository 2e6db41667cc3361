"""What a Playground session points at: the marked demonstration, the table in front, and the colours of tasks."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.selection import selections, source_of
from core.study.outcome import Outcome, Posterior
from core.study.study import Study

MARK = "frame_mark"
GENERATED = "frame_mark_generated"
TABLE = "frame_table"
TABLES = ("Demonstrations", "Pool", "Hypotheses")
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
    from core.figures import Panel, assign_colours
    from core.figures.posterior.posterior import importance

    panels = [Panel(name, posterior.tasks, posterior.weights) for name, posterior in posteriors.items()]
    colours = assign_colours(*importance(panels), st.session_state.get(COLOURS))
    st.session_state[COLOURS] = {**st.session_state.get(COLOURS, {}), **colours}
    return colours


def hold(key: str, default: Any) -> None:
    """Give a widget its value before it is drawn, the default at first.

    The same key on two pages is two widgets to Streamlit: without this the second one starts empty.
    """
    st.session_state[key] = st.session_state.get(key, default)
