"""Records: JSON and JSON Lines, and the table that records of any origin become."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.errors import DataError
from core.files.column_names import SPLIT
from core.files.json_shapes import EXAMPLE, Shaped, records_of
from core.files.table import MAX_COLUMNS, MAX_ROWS, Table, build
from core.runtime.progress import part, pause, watched

BEGINNING = re.compile(r'\ufeff?\s*(?:\{\s*"|\[\s*[\[{])')
DEEPEST = 8
"""Objects within objects whose parts become columns; what lies deeper stays JSON."""
ODD = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
"""How half a pair of UTF-16, or NUL, is written in JSON."""


def holds_json(text: str) -> bool:
    """Whether a text that may be of any kind begins as JSON records do."""
    return BEGINNING.match(text) is not None


def read_json(text: str, notes: Sequence[str] = ()) -> Table:
    """JSON in any of the shapes of `records_of`, or JSON Lines, whichever it is.

    Raises:
        DataError: not JSON, no records in it, or a line that is none.
    """
    lines = (line for line in io.StringIO(text) if line.strip())
    first, second = next(lines, ""), next(lines, "")
    if second.lstrip().startswith("{") and isinstance(_parsed(first), dict):
        return _of_lines(text, notes)
    try:
        value = json.loads(text)
        pause()
    except RecursionError:
        raise DataError(f"Its JSON is nested too deeply; a list of records is needed, such as {EXAMPLE}.") from None
    except json.JSONDecodeError as error:
        raise DataError(f"It is not JSON: {error.msg} at line {error.lineno:,}.") from None
    except ValueError as error:
        raise DataError(f"It is not JSON that can be read: {error}.") from None
    with part(0.5, 1.0):
        return _shaped_table(records_of(value, MAX_ROWS + 1), (*notes, *_odd(text)))


def _odd(text: str) -> tuple[str, ...]:
    """A note where the JSON writes signs that are no text."""
    return ("Signs that are no text, such as half an emoji, were replaced by “\ufffd”.",) if ODD.search(text) else ()


def read_json_lines(text: str, notes: Sequence[str] = ()) -> Table:
    """One JSON record a line; blank lines are skipped. A list of records is read as `read_json` does.

    Raises:
        DataError: a line that is not a record, by its number.
    """
    if text.lstrip("\ufeff \t\r\n").startswith("["):
        return read_json(text, notes)
    return _of_lines(text, notes)


def _of_lines(text: str, notes: Sequence[str]) -> Table:
    with part(0.0, 0.7):
        shaped = _lines(text)
    with part(0.7, 1.0):
        return _shaped_table(shaped, (*notes, *_odd(text)))


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(text: str) -> Shaped:
    records: list[dict[str, Any]] = []
    # Not splitlines: it also cuts at U+2028, which JSON allows inside a text.
    lines = io.StringIO(text, newline="\n")
    for number, line in enumerate(watched(lines, min(text.count("\n") + 1, MAX_ROWS + 1), "lines"), start=1):
        if not line.strip():
            continue
        value = _parsed(line)
        if value is None:
            raise DataError(f"Line {number:,} is not JSON; every line must be one record.")
        if not isinstance(value, dict):
            raise DataError(f"Line {number:,} is not a record; every line must be one, such as {{…}}.")
        records.append(value)
        if len(records) > MAX_ROWS:
            break
    return records_of(records, MAX_ROWS + 1) if records else Shaped([])


def _shaped_table(shaped: Shaped, notes: Sequence[str]) -> Table:
    return table_of(shaped.records, (*notes, *shaped.notes))


def table_of(records: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> Table:
    """Columns are the keys in first-seen order, those of objects within joined by dots ("doc.sentence"); a record
    without a key has "" there.

    Raises:
        DataError: no records, or too many or too few columns.
    """
    if not records:
        raise DataError("There are no rows of data in it.")
    columns: dict[str, None] = {}
    flat: list[dict[str, Any]] = []
    for record in watched(records[: MAX_ROWS + 1], min(len(records), MAX_ROWS + 1), "rows"):
        flat.append(dict(_flattened(record)))
        columns.update(dict.fromkeys(flat[-1]))
        if len(columns) > MAX_COLUMNS:
            raise DataError(f"There are {len(columns):,} columns; at most {MAX_COLUMNS} can be read.")
    split = [name for name in columns if name == SPLIT]
    names = [name for name in columns if name != SPLIT] + split
    return build(names, ([_text(record.get(name)) for name in names] for record in flat), notes)


def _flattened(record: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, inner in record.items():
        value = _only(inner)
        name = _clean(f"{path}.{key}" if path else str(key))
        if isinstance(value, dict) and value and depth < DEEPEST:
            yield from _flattened(value, name, depth + 1)
        else:
            yield name, value


def _only(value: Any) -> Any:
    """What a list of one holds: ["Yes"] is Yes."""
    for _ in range(DEEPEST):
        if not isinstance(value, list) or len(value) != 1:
            break
        value = value[0]
    return value


def _clean(text: str) -> str:
    """The text with a sign of replacement where it has half a pair of UTF-16, which no encoding writes, or NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def _text(value: object) -> str:
    """A cell as text: nothing for null, JSON for lists, records and truth values."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, (bool, list, dict)):
        try:
            return _clean(json.dumps(value, ensure_ascii=False, default=str))
        except RecursionError:
            raise DataError("A cell of it is nested too deeply to be read.") from None
    return str(value)
