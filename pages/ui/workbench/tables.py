"""A table of demonstrations to type in.

`st.data_editor` keeps edits relative to the frame it was given, and forgets them when that frame changes. So the frame
stays as it is while the user types (its return value is what counts). A new one, under a new key, is given only when
the study changed by other means: undo, an example set, moving a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import StudyError
from core.figures.colours import MARK
from core.study.demonstrations import Demonstration, read_steps, write_steps
from core.study.label_words import read_words, write_words
from core.study.study import Hypothesis
from pages.ui.components.text import plain

HELP_STEPS = (
    "How the label comes about, such as “2 + 3 = 5; 5 + 4 = 9”: steps end at “;”, a question ends at the last “=”, and "
    "a step without “=” is a thought. Read where the study reasons. A backslash keeps “;” and “=” as they are."
)
STYLED = 200  # rows up to which the marked one is coloured; a style costs more with every row


@dataclass
class Sheet:
    """What an editor was given, and what came back last."""

    generation: int = 0
    base: tuple[Any, ...] = ()
    seen: tuple[Any, ...] | None = None
    edits: str = ""
    stepped: bool = False  # whether there is a column of steps


def demonstrations_editor(
    prefix: str, rows: tuple[Demonstration, ...], marked: int | None, height: int, alt: str, steps: bool = False
) -> tuple[Demonstration, ...]:
    """The table of demonstrations; returns the rows as they stand now.

    Args:
        steps: whether there is a column of steps even where no row has any.
    """
    stepped = steps or any(row.steps for row in rows)
    sheet, key = sheet_of(prefix, rows, stepped)
    columns = {
        "number": pd.Series(range(1, len(sheet.base) + 1), dtype="Int64"),
        "input": pd.Series([row.input for row in sheet.base], dtype="str"),
        "label": pd.Series([row.label for row in sheet.base], dtype="str"),
        "steps": pd.Series([write_steps(row.steps) for row in sheet.base], dtype="str"),
        "use": pd.Series([not row.excluded for row in sheet.base], dtype="boolean"),
    }
    frame = pd.DataFrame({name: column for name, column in columns.items() if stepped or name != "steps"})
    edited = st.data_editor(
        _with_mark(frame, marked),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        height=height,
        row_height=29,
        alt=alt,
        column_config=_columns(stepped),
    )
    found = _read(edited)
    settle(sheet, key, found)
    return found


def _columns(stepped: bool) -> dict[str, Any]:
    """What the columns are called; with steps the texts have less room."""
    found = {
        "number": st.column_config.NumberColumn(
            "№", width=38, disabled=True, help="The number of this demonstration in every view."
        ),
        "input": st.column_config.TextColumn("Input x", width=112 if stepped else 158, default=""),
        "label": st.column_config.TextColumn("Label y", width=64 if stepped else 88, default=""),
        "use": st.column_config.CheckboxColumn(
            "Use", width=42, default=True, help="Untick to leave a demonstration out without deleting it."
        ),
    }
    if stepped:
        found["steps"] = st.column_config.TextColumn("Steps", width=156, default="", help=HELP_STEPS)
    return found


def hypotheses_editor(prefix: str, rows: tuple[Hypothesis, ...], height: int) -> tuple[Hypothesis, ...]:
    """The table of hypotheses for the instruction posterior; unfinished rows are left out.

    Label words that cannot be read are said below the table, and the row counts without them.
    """
    sheet, key = sheet_of(prefix, rows)
    frame = pd.DataFrame(
        {
            "name": pd.Series([row.name for row in sheet.base], dtype="str"),
            "instruction": pd.Series([row.instruction for row in sheet.base], dtype="str"),
            "words": pd.Series([write_words(row.words) for row in sheet.base], dtype="str"),
            "prior": pd.Series([row.prior for row in sheet.base], dtype="Float64"),
        }
    )
    edited = st.data_editor(
        frame,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        height=height,
        row_height=29,
        alt="Hypotheses: a name, an instruction, label words and a prior each",
        column_config={
            "name": st.column_config.TextColumn("Task T", width=90),
            "instruction": st.column_config.TextColumn(
                "Instruction I", width=150, help="Put before x when p(y | I, x) is scored."
            ),
            "words": st.column_config.TextColumn(
                "Label words",
                width=120,
                help="What a label is called under this task, such as “foo = positive, bar = negative”: then "
                "p(positive | I, x) is scored for foo. A label that is not named is its own word.",
            ),
            "prior": st.column_config.NumberColumn(
                "Prior", width=60, min_value=1e-9, default=1.0, help="P(T); need not sum to one."
            ),
        },
    )
    found, unread = [], []
    for name, instruction, words, prior in edited.itertuples(index=False, name=None):
        title, text = _text(name).strip(), _text(instruction).strip()
        if title and text and title not in [row.name for row in found]:
            weight = 1.0 if pd.isna(prior) else float(prior)
            try:
                pairs = read_words(_text(words))
            except StudyError as error:
                pairs = ()
                unread.append(str(error))
            found.append(
                Hypothesis(name=title, instruction=text, prior=weight if 0 < weight < 1e12 else 1.0, words=pairs)
            )
    if unread:
        st.caption(plain(unread[0], 160))
    settle(sheet, key, tuple(found))
    return tuple(found)


def sheet_of(prefix: str, rows: tuple[Any, ...], stepped: bool = False) -> tuple[Sheet, str]:
    """The editor's sheet and key; a new generation where the rows are not those that the editor gave back last, or a
    column has come or gone."""
    sheet: Sheet = st.session_state.setdefault(f"{prefix}_sheet", Sheet())
    key = f"{prefix}_{sheet.generation}"
    if key in st.session_state and sheet.seen == rows and sheet.stepped == stepped:
        edits = st.session_state[key]
        # Numbers come with the frame, so rows added or deleted need a new one; but only in a run that the user's typing
        # did not start, so that no cell is taken away from under the fingers.
        idle = repr(edits) == sheet.edits
        if not (idle and (edits["deleted_rows"] or edits["added_rows"])):
            return sheet, key
    sheet.generation += 1
    sheet.base, sheet.seen, sheet.edits, sheet.stepped = rows, None, "", stepped
    return sheet, f"{prefix}_{sheet.generation}"


def settle(sheet: Sheet, key: str, found: tuple[Any, ...]) -> None:
    """Remember what the editor gave back."""
    sheet.seen, sheet.edits = found, repr(st.session_state.get(key))


def has_gap(prefix: str) -> bool:
    """Whether rows were just deleted, so that the numbers on screen no longer count through."""
    sheet: Sheet = st.session_state[f"{prefix}_sheet"]
    edits = st.session_state.get(f"{prefix}_{sheet.generation}")
    return bool(edits and edits["deleted_rows"])


def _with_mark(frame: pd.DataFrame, marked: int | None) -> Any:
    if marked is None or len(frame) > STYLED or not 1 <= marked <= len(frame):
        return frame
    style = f"background-color: {MARK}; color: white; font-weight: 700"
    # A style on a column that cannot be edited is no change of data: the editor keeps its edits.
    return frame.style.map(lambda number: style if number == marked else "", subset=["number"])


def _read(edited: pd.DataFrame) -> tuple[Demonstration, ...]:
    rows = []
    for _, x, y, *steps, use in edited.itertuples(index=False, name=None):
        text, label = _text(x), _text(y)
        if text.strip() or label.strip():
            excluded = not pd.isna(use) and not bool(use)
            read = read_steps(_text(steps[0])) if steps else ()
            rows.append(Demonstration(input=text, label=label, excluded=excluded, steps=read))
    return tuple(rows)


def _text(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and value != value) or value is pd.NA else str(value)


def move(rows: Sequence[Demonstration], number: int, step: int) -> tuple[tuple[Demonstration, ...], int]:
    """Rows with row `number` moved by `step`, and its new number."""
    kept = list(rows)
    place = number - 1
    target = min(max(place + step, 0), len(kept) - 1)
    kept.insert(target, kept.pop(place))
    return tuple(kept), target + 1


def duplicate(rows: Sequence[Demonstration], number: int) -> tuple[Demonstration, ...]:
    """Rows with a copy of row `number` after it."""
    return (*rows[:number], rows[number - 1], *rows[number:])


def delete(rows: Sequence[Demonstration], number: int) -> tuple[Demonstration, ...]:
    """Rows without row `number`."""
    return (*rows[: number - 1], *rows[number:])
