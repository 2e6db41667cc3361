"""The shapes in which JSON holds records: lists, lists inside an object, columns, chats, pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from core.errors import DataError
from core.files.column_names import SPLIT, USUAL_NAMES
from core.files.table import MAX_COLUMNS

EXAMPLE = '[{"input": "cat", "label": "chat"}]'
DEEPEST = 6
"""Objects within objects in which a list of records is looked for."""
CHATS = ("messages", "conversations", "conversation", "dialog", "dialogue")
SPEAKERS = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant",
    "gpt": "assistant", "model": "assistant", "bot": "assistant", "chatbot": "assistant",
}  # fmt: skip

Record = dict[str, Any]


class Shaped(NamedTuple):
    """Records, and what was done to find them, one sentence each."""

    records: list[Record]
    notes: tuple[str, ...] = ()


def records_of(value: Any, most: int) -> Shaped:
    """At most `most` records of a JSON value.

    A list of records, or of lists of one length; an object of columns, of records by their keys, or one that holds such
    a list, the others left out with a note; several of them, as a published set has for train and test, are one
    after the other with a column "split". Records with chat messages become a record an answer of the assistant.

    Raises:
        DataError: no records in it.
    """
    if isinstance(value, list):
        return _of_list(value[:most])
    if not isinstance(value, dict):
        raise _not_records()
    for read in (_of_columns, _of_keyed):
        found = read(value, most)
        if found is not None:
            return Shaped(found)
    lists = _lists_in(value)
    if len(lists) == 1:
        name, rows = lists[0]
        others = [str(key) for key in value if str(key) != name.split(".")[0]]
        note = f"The list “{name}” was read; {_named(others)} left out." if others else ""
        inner = _of_list(rows[:most])
        return Shaped(inner.records, (*((note,) if note else ()), *inner.notes))
    if lists:
        return _of_parts(lists, most)
    pairs = _of_pairs(value, most)
    if pairs is None:
        raise _not_records()
    return pairs


def _not_records() -> DataError:
    return DataError(f"Its JSON is not a list of records, such as {EXAMPLE}, and holds none.")


def _named(names: Sequence[str]) -> str:
    said = ", ".join(f"“{name[:40]}”" for name in names[:4]) + (
        f" and {len(names) - 4:,} more" if len(names) > 4 else ""
    )
    return f"{said} {'was' if len(names) == 1 else 'were'}"


def _of_list(rows: list[Any]) -> Shaped:
    if all(isinstance(row, dict) for row in rows):
        return _of_records(rows)
    if all(isinstance(row, list) for row in rows) and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1:
        if len(rows[0]) > MAX_COLUMNS:
            raise DataError(f"There are {len(rows[0]):,} columns; at most {MAX_COLUMNS} can be read.")
        return Shaped([{f"column {place}": cell for place, cell in enumerate(row, start=1)} for row in rows])
    raise _not_records()


def _of_records(rows: list[Record]) -> Shaped:
    if _is_chat(rows):
        rows = [{CHATS[0]: rows}]
    chat = next((name for name in CHATS if rows and all(_is_chat(row.get(name)) for row in rows)), None)
    if chat is None:
        return Shaped(rows)
    found = [
        {**turn, **{key: cell for key, cell in row.items() if key != chat}}
        for row in rows
        for turn in _turns(row[chat])
    ]
    return Shaped(found, ("Each answer of the assistant is a demonstration, what the user said before it its input.",))


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and (
        ("role" in value and ("content" in value or "value" in value)) or ("from" in value and "value" in value)
    )


def _is_chat(value: Any) -> bool:
    if not isinstance(value, list) or not value or not all(_is_message(turn) for turn in value):
        return False
    return any(str(turn.get("role", turn.get("from"))).lower() in SPEAKERS for turn in value)


def _turns(messages: Sequence[Record]) -> Iterator[Record]:
    """A record for each answer of the assistant, and one without for what the user said last."""
    system: list[str] = []
    asked: list[str] = []
    for message in messages:
        speaker = str(message.get("role", message.get("from")))
        text = _content(message.get("content", message.get("value")))
        kind = SPEAKERS.get(speaker.lower())
        if kind == "system":
            system.append(text)
        elif kind == "assistant":
            yield _turn(asked, text, system)
            asked = []
        else:
            asked.append(text if kind == "user" else f"{speaker}: {text}")
    if asked:
        yield _turn(asked, "", system)


def _turn(asked: list[str], answer: str, system: list[str]) -> Record:
    return {"user": "\n".join(asked), "assistant": answer, **({"system": "\n".join(system)} if system else {})}


def _content(value: Any) -> str:
    """The text of a message, which may come in parts of which some are pictures."""
    if isinstance(value, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in value]
        return "\n".join(part for part in parts if isinstance(part, str))
    return value if isinstance(value, str) else "" if value is None else str(value)


def _of_columns(value: Record, most: int) -> list[Record] | None:
    """{"text": ["a", "b"], "label": [0, 1]}; {"text": {"0": "a"}, "label": {"0": 1}}; {"columns": …, "data": …}."""
    header, data = value.get("columns"), value.get("data")
    if isinstance(header, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        data = data[:most]
        if any(len(row) != len(header) for row in data):
            raise DataError("Its “columns” and a row of its “data” have not the same number of cells.")
        return [dict(zip(map(str, header), row, strict=True)) for row in data]
    columns = list(value.values())
    if len(columns) > 1 and all(isinstance(column, list) for column in columns):
        if len({len(column) for column in columns}) == 1 and not any(isinstance(c[0], dict) for c in columns if c):
            return [dict(zip(value, row, strict=True)) for row in islice(zip(*columns, strict=True), most)]
    elif len(columns) > 1 and all(isinstance(column, dict) and column for column in columns):
        keys = columns[0].keys()
        if all(key.isdecimal() for key in keys) and all(column.keys() == keys for column in columns):
            return [{name: column[key] for name, column in value.items()} for key in islice(keys, most)]
    return None


def _of_keyed(value: Record, most: int) -> list[Record] | None:
    """{"q1": {"text": …, "label": …}, "q2": …}: records by the names that they have."""
    rows = list(value.values())
    if len(rows) < 2 or not all(isinstance(row, dict) and row for row in rows):
        return None
    shared = set(rows[0]).intersection(*rows[1:most])
    if not shared or any(isinstance(cell, list) and cell and isinstance(cell[0], dict) for cell in rows[0].values()):
        return None
    return [{"id": key, **row} for key, row in islice(value.items(), most)]


def _lists_in(value: Record) -> list[tuple[str, list[Any]]]:
    """The lists of records that stand least deep in an object, by their names."""
    level: list[tuple[str, Record]] = [("", value)]
    for _ in range(DEEPEST):
        inside = [(f"{path}.{key}".lstrip("."), inner) for path, holder in level for key, inner in holder.items()]
        found = [
            (name, inner)
            for name, inner in inside
            if isinstance(inner, list) and inner and all(isinstance(row, dict) for row in inner)
        ]
        if found:
            return found
        level = [(name, inner) for name, inner in inside if isinstance(inner, dict)]
    return []


def _of_parts(lists: Sequence[tuple[str, list[Any]]], most: int) -> Shaped:
    records: list[Record] = []
    notes: list[str] = []
    for name, rows in lists:
        found = _of_list(rows[: most - len(records)])
        records += [{**row, SPLIT: name} for row in found.records]
        notes += [note for note in found.notes if note not in notes]
    sizes = ", ".join(f"“{name[:40]}” {len(rows):,}" for name, rows in lists[:6])
    return Shaped(records, (f"Its lists are parts of one set: {sizes} rows.", *notes))


def _of_pairs(value: Record, most: int) -> Shaped | None:
    """{"cat": "chat", "dog": "chien"}: inputs and labels; with usual names it is one record."""
    if len(value) < 2 or any(isinstance(cell, list | dict) for cell in value.values()):
        return None
    if any(name.lower() in USUAL_NAMES for name in value):
        return Shaped([value])
    note = "Its names were read as inputs, and what each stands for as the label."
    return Shaped([{"input": name, "label": cell} for name, cell in islice(value.items(), most)], (note,))
