"""The import dialog: a file or pasted text becomes demonstrations, a pool, or a whole study."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import Cancelled, ICLensError, InvalidValue
from core.files import (
    ENCODINGS,
    MAX_BYTES,
    Table,
    detected,
    guess_pattern,
    is_unicode,
    part_of,
    parts_of,
    read_file,
    read_text,
    to_demonstrations,
)
from core.files.column_names import RESERVED_NAMES
from core.files.data_sets import DataSet, open_data_set
from core.runtime.progress import Stop
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration, write_steps
from core.study.input_patterns import names_in
from core.study.study import Study
from pages.ui.components.text import message, plain
from pages.ui.jobs import jobs, view
from pages.ui.session import session, state
from pages.ui.session.examples import examples

T = TypeVar("T")
P = "frame_"
MAX_PASTED = 1_000_000
"""Characters that are read from the box while its user types; a file may have more."""
PREVIEW = 4  # rows shown before they are taken over
SHOWN = 20
"""Rows up to which they are demonstrations at first, all of which a prompt shows; more are a pool to choose from."""
READ = P + "import_read"  # what was read last, with what it was read from
STOPPED = P + "import_stopped"  # what was being read when its user pressed Cancel
SLOT = "import"
PATIENCE = 1.0  # seconds that the dialog waits for a file before it shows a bar
DRAWN = P + "drawn"
"""The tables as they were drawn from a task of the mixture."""
STUDY_FIELDS = {"model", "demonstrations", "template"}
"""Fields by which a study is told from other JSON."""
EVERY = "every part"
SEVERAL = "several columns …"


def open_import() -> None:
    st.session_state[session.DIALOG] = "import"


def close() -> None:
    st.session_state[session.DIALOG] = None
    st.session_state.pop(STOPPED, None)
    jobs.replace(SLOT, None)


@st.dialog("Import demonstrations", width="large", on_dismiss=close)
def import_dialog() -> None:
    """Upload or paste, choose two columns, take over."""
    upload, paste = st.columns(2)
    with upload:
        file = st.file_uploader(
            "A file: CSV, TSV, JSON, JSON Lines, Parquet or text",
            key=P + "import_file",
            max_upload_size=MAX_BYTES // 2**20,
            help="At most 20 MB and 10,000 rows. A file of another name, such as .train or none, is read by what is in "
            "it; of JSON, the list of records in it, its columns or its chats. A study that was saved with Export is "
            "opened.",
        )
        header = st.selectbox(
            "First row of a CSV or TSV",
            [None, True, False],
            format_func={None: "Find out", True: "Names the columns", False: "Is data"}.get,
            key=P + "import_header",
            required=True,
        )
    with paste:
        text = st.text_area(
            "Or paste a table",
            key=P + "import_text",
            height=80,
            placeholder="cat -> chat\ndog -> chien",
            help="Cells copied from a spreadsheet, one “input -> label” a line, records such as “Premise: …”, "
            "“Hypothesis: …”, “Label: …”, or JSON.",
        )
        data_set = st.text_input(
            "Or a data set of Hugging Face",
            key=P + "import_set",
            placeholder="a folder, or a name such as SetFit/sst2",
            help="A folder on the machine of the dashboard, as save_to_disk writes it or as the hub publishes it, with "
            "or without a card; or a name on the hub, where there is a network. Of each part 10,000 rows are read.",
        ).strip()
    if file is None and not text.strip() and not data_set:
        st.session_state.pop(READ, None)
        jobs.replace(SLOT, None)
        st.caption("Nothing to import yet.")
        return
    try:
        if file is not None or text.strip():
            found = _read(file.getvalue(), file.name, header) if file is not None else _read(text, "", header)
        else:
            found = _read_set(data_set)
    except ICLensError as error:
        st.error(message(error))
        return
    if isinstance(found, Study):
        _open(found)
    elif found is not None:
        _take_over(found)


def _read(given: bytes | str, name: str, header: bool | None) -> Table | Study | None:
    """What a file or a text holds, read once and not at every run of the dialog; None while it is read, or where that
    was stopped, which is said."""
    if isinstance(given, str):
        if len(given) > MAX_PASTED:
            raise ICLensError(
                f"The box reads {MAX_PASTED:,} characters and this text has {len(given):,}: choose it as a file."
            )
        encoding = None
    else:
        encoding = _encoding(given)
    content = hashlib.sha256(given if isinstance(given, bytes) else given.encode()).hexdigest()

    def work(stop: Stop) -> Table | Study:
        study = _study_in(given)
        if study is not None:
            return study
        if isinstance(given, str):
            return read_text(given, header, stop=stop)
        return read_file(given, name, header, encoding, stop=stop)

    return _in_time(f"{content}/{name}/{header}/{encoding}", work)


def _read_set(name: str) -> DataSet | None:
    """A data set, in the configuration that was chosen once it was known to have several; None as in `_read`."""
    key = f"{P}import_config_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    config: str | None = st.session_state.get(key)

    def work(stop: Stop) -> DataSet:
        return open_data_set(name, config, stop)

    found = _in_time(f"set/{name}/{config}/{_changed(name)}", work)
    if found is not None and found.configs:
        st.selectbox("Configuration", found.configs, found.configs.index(found.config), key=key)
    return found


def _changed(name: str) -> float:
    """When a folder was changed last: it is read again then. 0.0 for what is none."""
    try:
        return Path(name).expanduser().stat().st_mtime
    except (OSError, RuntimeError, ValueError):
        return 0.0


def _in_time(asked: str, work: Callable[[Stop], T]) -> T | None:
    """What `work` gives, at once where it is quick; else there is a bar meanwhile, and Cancel."""
    before = st.session_state.get(READ)
    if before is not None and before[0] == asked:
        kept: T = before[1]
        return kept
    if st.session_state.get(STOPPED) == asked:
        return _say_stopped()
    job = jobs.current(SLOT)
    if job is None or job.key != asked:
        job = jobs.submit(asked, work, file=True)
        jobs.replace(SLOT, job)
    try:
        found: T = job.future.result(timeout=max(0.0, PATIENCE - job.age))
    except TimeoutError:
        view.progress(SLOT, "Reading", st.rerun, drop=True, dropped=partial(_stop, asked))
        return None
    except (Cancelled, CancelledError):  # its browser was away for long
        jobs.replace(SLOT, None)
        _stop(asked)
        return _say_stopped()
    st.session_state[READ] = (asked, found)
    return found


def _say_stopped() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Reading was stopped; nothing has changed.", width="content")
        st.button("Read it again", key=P + "import_again", on_click=st.session_state.pop, args=(STOPPED, None))


def _stop(asked: str) -> None:
    st.session_state[STOPPED] = asked


def _encoding(data: bytes) -> str | None:
    """The encoding of a file that is not Unicode, as chosen; the likeliest stands first."""
    if len(data) > MAX_BYTES or b"\0" in data or is_unicode(data):
        return None
    likely = detected(data)
    chosen: str = st.selectbox(
        "Encoding",
        [likely, *(name for name in ENCODINGS if name != likely)],
        format_func=lambda name: f"{ENCODINGS[name]}{', detected' if name == likely else ''}",
        key=f"{P}import_encoding_{likely}",
        help="The file is not UTF-8. The rows below are read so: choose another where letters look wrong.",
    )
    return chosen


def _study_in(given: bytes | str) -> Study | None:
    """The study that an Export wrote, or None where it is none."""
    start = given[:1_000].lstrip()
    if not (start.startswith(b"{") if isinstance(start, bytes) else start.startswith("{")):
        return None
    try:
        found = Study.model_validate_json(given)
    except InvalidValue:
        return None
    return found if found.model_fields_set >= STUDY_FIELDS else None


def _open(study: Study) -> None:
    demonstrations, pool = len(study.demonstrations), len(study.pool)
    st.caption(
        plain(f"A study: {demonstrations:,} demonstrations, a pool of {pool:,}, the query “{study.query[:80]}”.", 300)
    )
    st.button("Open this study", type="primary", key=P + "import_open", on_click=_replace, args=(study,))


def _replace(study: Study) -> None:
    state.replace(study)
    session.mark(None)
    close()
    st.rerun()


def _take_over(found: Table | DataSet) -> None:
    parts = _parts(found)
    names = list(parts)
    *before, left, right, target, how = st.columns([0.8, 1, 1, 1.6, 0.9] if len(parts) > 1 else [1, 1, 1.5, 1])
    part = names[0]
    if before:
        every = [EVERY] if isinstance(found, Table) else []
        part = before[0].selectbox("Rows of", [*names, *every], key=f"{P}import_part_{_shape(found)}")
    table = found if part == EVERY and isinstance(found, Table) else parts[part]
    try:
        used, pattern = _columns(table, left, right, _shape(table if len(parts) == 1 else found))
        rows = to_demonstrations(table, *used, pattern)
    except ICLensError as error:
        st.error(message(error))
        _say(table.notes)
        return
    held = _held_out(parts, part, used, pattern)
    first = "Pool" if len(rows) > SHOWN else "Demonstrations"
    into = target.segmented_control(
        "Into",
        ["Demonstrations", "Pool", "Questions"],
        default=first,
        required=True,
        key=f"{P}import_into_{first.lower()}",
        help="What a prompt shows, what a selection picks from, or questions that are held out to be asked.",
    )
    mode = how.segmented_control("And", ["Replace", "Append"], default="Replace", required=True, key=P + "import_mode")
    held = held if mode == "Replace" and into != "Questions" else None
    _preview(rows)
    left_out = _left_out(table, (*(names_in(pattern) or used[:1]), used[1]), rows)
    _say((*table.notes, *left_out, *_of_other_parts(parts, part, held)))
    st.button(
        f"Take over {len(rows):,} row{'s' if len(rows) != 1 else ''}"
        + (f" and {len(held[1]):,} question{'s' if len(held[1]) != 1 else ''}" if held else ""),
        type="primary",
        key=P + "import_take",
        on_click=_apply,
        args=(rows, str(into).lower(), mode == "Append", held[1] if held else None, pattern),
    )


def _parts(found: Table | DataSet) -> dict[str, Table]:
    """The parts of what was read by their names, the training part first; one where it has no parts."""
    if isinstance(found, DataSet):
        return dict(found.parts)
    names = parts_of(found)
    return {name: part_of(found, name) for name in names} if names else {"": found}


def _shape(found: Table | DataSet) -> str:
    """Of another file, which starts from its own guess."""
    if isinstance(found, DataSet):
        return "_".join(f"{len(table.rows)}_{len(table.columns)}" for _, table in found.parts[:3])
    return f"{len(found.rows)}_{len(found.columns)}"


def _columns(table: Table, left: DeltaGenerator, right: DeltaGenerator, shape: str) -> tuple[tuple[str, str], str]:
    """The columns of input and label, and the pattern where several make the input."""
    guess = table.guess
    pattern = guess_pattern(table.columns, guess[1])
    options = [*table.columns, SEVERAL] if len(table.columns) > 2 else list(table.columns)
    chosen = left.selectbox(
        "Input x",
        options,
        options.index(SEVERAL if pattern else guess[0]),
        key=f"{P}import_input_{shape}",
        help="One column, or several in a pattern that is kept with the study and can be changed on the page Format.",
    )
    label = right.selectbox("Label y", table.columns, table.columns.index(guess[1]), key=f"{P}import_label_{shape}")
    if chosen != SEVERAL:
        return (chosen, label), ""
    pattern = st.text_area(
        "Pattern of the input",
        pattern or f"{{{guess[0]}}}",
        height=70,
        key=f"{P}import_pattern_{shape}",
        help="Columns in braces, and what stands between them: "
        + plain(", ".join(f"{{{n}}}" for n in table.columns), 300),
    )
    return (guess[0], label), pattern


Held = tuple[str, tuple[Demonstration, ...]]
"""A part by its name, and its rows."""


def _held_out(parts: Mapping[str, Table], part: str, used: tuple[str, str], pattern: str) -> Held | None:
    """The part that is to be asked: a test part, else one for validation, else the next; of those with labels."""
    if part not in parts:
        return None
    names = list(parts)
    behind = names[names.index(part) + 1 :] + names[: names.index(part)]
    for name in sorted(behind, key=_asked_late):
        try:
            rows = to_demonstrations(parts[name], *used, pattern)
        except ICLensError:  # it has other columns
            continue
        labelled = tuple(row for row in rows if usable(row))
        if labelled:
            return name, labelled
    return None


def _asked_late(name: str) -> int:
    """How late a part comes when one is looked for that is to be asked."""
    words = name.lower()
    if "test" in words or "eval" in words:
        return 0
    return 1 if any(word in words for word in ("dev", "val")) else 3 if "train" in words or "unsup" in words else 2


def _preview(rows: Sequence[Demonstration]) -> None:
    shown: dict[str, Any] = {
        "input": [row.input for row in rows[:PREVIEW]],
        "label": [row.label for row in rows[:PREVIEW]],
    }
    if any(row.steps for row in rows):
        shown["steps"] = [write_steps(row.steps) for row in rows[:PREVIEW]]
    st.dataframe(shown, alt="The first rows as they will be taken over", row_height=28)


def _say(sentences: Sequence[str]) -> None:
    if sentences:
        st.caption(plain(" ".join(sentence[:300] for sentence in sentences), 900))


def _left_out(table: Table, used: tuple[str, ...], rows: Sequence[Demonstration]) -> list[str]:
    """What of the table will not be in the study."""
    unused = [f"“{name[:30]}”" for name in table.columns if name not in {*used, *RESERVED_NAMES}]
    said = []
    if unused:
        more = f" and {len(unused) - 6} more" if len(unused) > 6 else ""
        said.append(f"Not used: {'the column' if len(unused) == 1 else 'the columns'} {', '.join(unused[:6])}{more}.")
    if len(rows) < len(table.rows):
        said.append(f"{len(table.rows) - len(rows):,} blank rows are left out.")
    return said


def _of_other_parts(parts: Mapping[str, Table], part: str, held: Held | None) -> list[str]:
    """What becomes of them."""
    said = []
    if held is not None:
        count = f"{len(held[1]):,} row{'s' if len(held[1]) != 1 else ''}"
        said.append(f"“{held[0][:30]}” ({count}) becomes the questions that pages ask, its first row the query.")
    rest = {name: table for name, table in parts.items() if name != part and (held is None or name != held[0])}
    if rest and part != EVERY:
        named = ", ".join(f"“{name[:30]}” ({len(table.rows):,})" for name, table in list(rest.items())[:6])
        said.append(f"Not taken: {named}.")
    return said


def _apply(
    rows: tuple[Demonstration, ...], field: str, append: bool, held: tuple[Demonstration, ...] | None, pattern: str
) -> None:
    study = state.study()
    before: tuple[Demonstration, ...] = getattr(study, field)
    changes: dict[str, Any] = {field: (*before, *rows) if append else rows}
    if not append and field != "questions" and is_example(study):
        other = "pool" if field == "demonstrations" else "demonstrations"
        words = study.template.model_copy(update={"words": ()})
        changes |= {other: (), "query": "", "gold": None, "labels": (), "hypotheses": (), "prior": ()}
        changes |= {"instruction": "", "template": words if study.template.words else study.template}
        state.hint("The example that was on screen is cleared, its query and hypotheses too; Undo brings it back.")
    if pattern or (not append and field != "questions"):
        changes["input_pattern"] = pattern
    if held:
        changes |= {"questions": held, "query": held[0].input, "gold": held[0].label.strip() or None}
    state.edit(**changes)
    now = state.study()
    if field == "pool" and session.table_read(now) == "Demonstrations":
        state.hint("The pool is read once a selection other than “Hand-picked” is chosen.")
    st.session_state[session.TABLE] = field.capitalize()
    session.mark(None)
    close()
    st.rerun()


def is_example(study: Study) -> bool:
    """Whether what stands in the tables came with an example or was drawn from a task, and nobody has changed it."""
    if st.session_state.get(DRAWN) == (study.demonstrations, study.pool):
        return True
    return any(
        (study.demonstrations, study.pool) == (example.study.demonstrations, example.study.pool)
        for example in examples()
    )
