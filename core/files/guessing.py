"""Which columns look like input and label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.files.column_names import ID_NAMES, INPUT_NAMES, LABEL_NAMES, RESERVED_NAMES

LOOKED_AT = 1_000
"""Rows that are looked at."""
FEWEST = 4
"""Rows from which on a column of few different values is told from one of many."""


@dataclass(frozen=True)
class _Column:
    """What its values say: whether it numbers the rows, different values, share of blank ones, and mean length."""

    name: str
    is_id: bool
    different: int
    blank: float
    length: float


def guess(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str]:
    """(input, label): by name where one is usual, whole names before the last part of nested ones ("doc.label").

    Else the label is the column with the fewest different values, where some value comes again and at most every second
    row has one of its own; and the input the one with the longest text. Where no column has few values, they are the
    first and the last. Columns that are mostly blank, that number the rows, or whose name is one of an id (id, qid,
    doc_id, code) are taken only where there is no other.
    """
    found = [_column(name, [row[place] for row in rows[:LOOKED_AT]]) for place, name in enumerate(columns)]
    usable = [column for column in found if column.blank <= 0.5]
    label = _by_name(usable, LABEL_NAMES)
    text = _by_name([column for column in usable if column.name != label], INPUT_NAMES)
    taken = {label, text}
    reserved = [column for column in found if column.name.strip().lower() not in RESERVED_NAMES]
    free = [column for column in reserved if column.name not in taken and not column.is_id and column.blank <= 0.5]
    if not free:
        free = [column for column in reserved if column.name not in taken]
    told = label is not None
    if label is None:
        few = [c for c in free if 2 <= c.different <= len(rows[:LOOKED_AT]) / 2 and len(rows) >= FEWEST]
        told = bool(few)
        if few:
            label = min(few, key=lambda column: (column.different, column.length)).name
        else:
            label = free[-1].name if free else next(name for name in reversed(columns) if name != text)
    if text is None:
        left = [column for column in free if column.name != label]
        left = left or [column for column in reserved if column.name != label]
        left = left or [column for column in found if column.name != label]
        text = (max(left, key=lambda column: column.length) if told else left[0]).name
    return text, label


def _column(name: str, values: Sequence[str]) -> _Column:
    filled = [value for value in values if value.strip()]
    return _Column(
        name=name,
        is_id=_is_id(name) or _counts(values),
        different=len(set(filled)),
        blank=1 - len(filled) / max(len(values), 1),
        length=sum(map(len, filled)) / max(len(filled), 1),
    )


def _last_part(name: str) -> str:
    return name.strip().lower().rpartition(".")[2]


def _is_id(name: str) -> bool:
    part = _last_part(name)
    return part in ID_NAMES or part.endswith(("_id", "-id", " id", "_idx", "_hash")) or name.strip().endswith("Id")


def _counts(values: Sequence[str]) -> bool:
    """Whether they are numbers that rise by one, row after row."""
    if len(values) < 3 or not all(value.strip().isdecimal() and len(value) < 12 for value in values):
        return False
    first = int(values[0])
    return all(int(value) == first + place for place, value in enumerate(values))


def _by_name(columns: Sequence[_Column], usual: Iterable[str]) -> str | None:
    """The column with the usual name that stands first among those."""
    whole = {column.name.strip().lower(): column.name for column in reversed(columns)}
    parts = {_last_part(column.name): column.name for column in reversed(columns)}
    usual = tuple(usual)
    for known in (whole, parts):
        name = next((known[name] for name in usual if name in known), None)
        if name is not None:
            return name
    return None


GROUPS = (
    ("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"), ("context", "question"),
    ("passage", "question"), ("question", "options"), ("question", "choices"), ("q", "options"), ("q", "choices"),
    ("title", "description"), ("title", "content"), ("title", "text"), ("instruction", "input"),
)  # fmt: skip
"""Fields that are one input together."""
UNNAMED = frozenset(
    {"title", "description", "content", "text", "instruction", "input", "options", "choices", "context"}
)
"""Fields that are written without their name."""


def guess_pattern(columns: Sequence[str], label: str) -> str:
    """A pattern for fields that are one input together, "{premise}\\nhypothesis: {hypothesis}"; "" for none."""
    parts = {_last_part(column): column for column in reversed(columns) if column != label}
    for group in GROUPS:
        if all(name in parts for name in group):
            first, *others = group
            named = [f"{'' if name in UNNAMED else name + ': '}{{{parts[name]}}}" for name in others]
            return "\n".join([f"{{{parts[first]}}}", *named])
    return ""
