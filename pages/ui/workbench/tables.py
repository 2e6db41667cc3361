"""A table of demonstrations to type in.

`st.data_editor` keeps edits relative to the frame it was given, and forgets them when that frame changes. So the frame
stays as it is while the user types (its return value is what counts). A new one, under a new key, is given only when
the study changed by other means: undo, an example set, moving a row. What was typed before the browser heard of it is
put into the rows as they are now.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import StudyError
from core.figures.colours import MARK
from core.study.demonstrations import Demonstration, read_steps, write_steps
from core.study.input_patterns import with_fields
from core.study.label_words import read_words, write_words
from core.study.study import Hypothesis
from pages.ui.components.text import plain

HELP_STEPS = (
    "How the label comes about, such as “2 + 3 = 5; 5 + 4 = 9”: steps end at “;”, a question ends at the last “=”, and "
    "a step without “=” is a thought. Read where the study reasons. A backslash keeps “;” and “=” as they are."
)
REPLACED = 8  # sheets of a table whose late messages are understood
STYLED = 200  # rows up to which the marked one is coloured; a style costs more with every row


Edits = dict[str, Any]  # of a data editor: edited_rows by place, added_rows, deleted_rows
Rows = tuple[Demonstration, ...]


@dataclass
class Sheet:
    """What an editor was given, and what came back last.

    Attributes:
        generation: in its key.
        base: the rows it was given.
        seen: the rows that came back, None where none have yet.
        edits: as they came back.
        stepped: whether there is a column of steps.
        replaced: sheets before this one by their keys, with what they were given and what came back of them.
    """

    generation: int = 0
    base: tuple[Any, ...] = ()
    seen: tuple[Any, ...] | None = None
    edits: Edits | None = None
    stepped: bool = False
    replaced: dict[str, tuple[tuple[Any, ...], Edits | None]] = field(default_factory=dict)


def demonstrations_editor(
    prefix: str,
    now: Callable[[], Rows],
    write: Callable[[Rows], None],
    marked: int | None,
    height: int,
    alt: str,
    steps: bool = False,
) -> Rows:
    """The table of demonstrations; returns the rows as they stand now.

    Args:
        prefix: of its key.
        now: the study's rows when they are asked for.
        write: takes over rows that were typed into a table which had been replaced meanwhile.
        marked: number of the marked row.
        height: in pixels.
        alt: what it is, for screen readers.
        steps: whether there is a column of steps even where no row has any.
    """
    rows = now()
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
        on_change=_hear,
        args=(prefix, key, now, write),
    )
    found = with_fields(_read(edited), sheet.base)
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
            if not 0 < weight < math.inf:
                unread.append(f"A prior is a number above zero: “{title}” counts with 1 and not with {weight:g}.")
                weight = 1.0
            try:
                pairs = read_words(_text(words))
            except StudyError as error:
                pairs = ()
                unread.append(str(error))
            found.append(Hypothesis(name=title, instruction=text, prior=weight, words=pairs))
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
        idle = edits == sheet.edits
        if not (idle and (edits["deleted_rows"] or edits["added_rows"])):
            return sheet, key
    sheet.replaced = dict([*sheet.replaced.items(), (key, (sheet.base, sheet.edits))][-REPLACED:])
    sheet.generation += 1
    sheet.base, sheet.seen, sheet.edits, sheet.stepped = rows, None, None, stepped
    return sheet, f"{prefix}_{sheet.generation}"


def settle(sheet: Sheet, key: str, found: tuple[Any, ...]) -> None:
    """Remember what the editor gave back."""
    sheet.seen, sheet.edits = found, deepcopy(st.session_state.get(key))


def _hear(prefix: str, key: str, now: Callable[[], Rows], write: Callable[[Rows], None]) -> None:
    """Take over what was typed, into the rows as they are now where they have become others."""
    sheet: Sheet = st.session_state[f"{prefix}_sheet"]
    edits, rows = deepcopy(st.session_state[key]), now()
    drawn = key == f"{prefix}_{sheet.generation}"
    if not drawn and key not in sheet.replaced:
        return
    base, before = (sheet.base, sheet.edits) if drawn else sheet.replaced[key]
    after = edited_rows(base, edits)
    if drawn and sheet.seen == rows:
        typed = tuple(row for row in after if row is not None and not _is_blank(row))
        write(typed)  # a run may be interrupted here, and the table is read again when it is drawn
        sheet.seen = typed
    elif edits != before:
        write(carried_over(rows, edited_rows(base, before), after))
        if drawn:
            sheet.edits = edits
        else:
            sheet.replaced[key] = (base, edits)


def edited_rows(base: Rows, edits: Edits | None) -> list[Demonstration | None]:
    """The rows of a sheet after these edits, None where one was deleted."""
    if edits is None:
        return list(base)
    changes = {int(place): cells for place, cells in edits["edited_rows"].items()}
    found: list[Demonstration | None] = [_edited(row, changes.get(place, {})) for place, row in enumerate(base)]
    for place in edits["deleted_rows"]:
        found[int(place)] = None
    return [*found, *(_edited(Demonstration(input="", label=""), cells) for cells in edits["added_rows"])]


def _edited(row: Demonstration, cells: dict[str, Any]) -> Demonstration:
    """The row with what was typed into cells of it."""
    changes: dict[str, Any] = {name: _text(cells[name]) for name in ("input", "label") if name in cells}
    if "steps" in cells:
        changes["steps"] = read_steps(_text(cells["steps"]))
    if "use" in cells:
        changes["excluded"] = cells["use"] is False
    if changes.get("input", row.input) != row.input:
        changes["fields"] = ()  # it is written from them no more
    return row.model_copy(update=changes)


def carried_over(rows: Rows, before: Sequence[Demonstration | None], after: Sequence[Demonstration | None]) -> Rows:
    """`rows` with the cells that differ between `before` and `after`: those of a number in the row of that number."""
    found: list[Demonstration | None] = list(rows)
    number = 0
    for old, new in zip_longest(before, after):
        if old is None or _is_blank(old):
            found += [new] if new is not None else []
            continue
        here, number = number, number + 1
        if old == new or here >= len(rows):
            continue
        if new is None:
            found[here] = None if rows[here] == old else rows[here]
        else:
            changes = {name: value for name, value in new if value != getattr(old, name)}
            found[here] = rows[here].model_copy(update=changes)
    return tuple(row for row in found if row is not None and not _is_blank(row))


def _is_blank(row: Demonstration) -> bool:
    return not (row.input.strip() or row.label.strip())


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
