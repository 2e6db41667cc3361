"""Pasted lines that begin with a name and a colon: records of named fields, or a label and its text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.errors import DataError
from core.files.column_names import LABEL_NAMES, LABEL_WORDS, USUAL_NAMES
from core.files.table import Table, build
from core.runtime.progress import watched

Lines = Sequence[tuple[int, str]]
"""(number, text) of every line that is not blank."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9 _/-]{0,30}")
MOST_LABELS = 20
"""Different labels at most where the name before a colon is read as one."""
MOST_FIELDS = 20
"""Fields of a record at most; text with more names than that is prose with colons in it."""
RARE = 10
"""A name is a field where one record in so many has it."""


class _Line(NamedTuple):
    """A line: its number, the name before its colon in small letters ("" for none), what follows, and all of it."""

    number: int
    name: str
    text: str
    whole: str


def _split(number: int, line: str) -> _Line:
    whole = line.strip()
    before, colon, after = whole.partition(":")
    name = before.rstrip()
    if colon and NAME.fullmatch(name) and not after.startswith("//"):
        return _Line(number, name.lower(), after.strip(), whole)
    return _Line(number, "", whole, whole)


def read_records(lines: Lines) -> Table | None:
    """Records of named fields, "Premise: …", "Hypothesis: …", "Label: …"; None where the text is not of that form.

    The name that stands most often begins a record. A line without a name goes on with the field above it, and so does
    one whose name few records have, with a note. What stands before the first record is left out, with a note.

    Raises:
        DataError: a record that lacks a field which the others have, or has it twice, by its line.
    """
    named = [_split(number, line) for number, line in watched(lines, len(lines), "lines")]
    counts = Counter(line.name for line in named if line.name)
    fields = _fields(named, counts)
    if not 1 < len(fields) <= MOST_FIELDS:
        return None
    begin = next(place for place, line in enumerate(named) if line.name == fields[0])
    if fields[0] in LABEL_NAMES and _is_of_the_preamble(named, fields, counts):
        fields = [*fields[1:], fields[0]]
        begin = next(place for place, line in enumerate(named) if line.name == fields[0])
    notes = preamble(lines[:begin])
    rows, strays = _rows(named[begin:], fields, counts[fields[0]])
    if strays:
        names = ", ".join(f"“{name}:”" for name in list(strays)[:3])
        line = next(iter(strays.values()))
        notes.append(f"Few records have {names} (line {line:,}); it was read as text of the field above it.")
    return build(fields, rows, notes)


def preamble(lines: Lines) -> list[str]:
    """A note on the lines before the first demonstration; none where there are none."""
    if not lines:
        return []
    first = " ".join(lines[0][1].split())
    start = first if len(first) <= 60 else first[:59] + "…"
    rest = f" and {len(lines) - 1:,} more line{'s' if len(lines) != 2 else ''}" if len(lines) > 1 else ""
    return [f"“{start}”{rest} stands before the first demonstration and was left out; an instruction has its own box."]


def _fields(named: Sequence[_Line], counts: Counter[str]) -> list[str]:
    """Names of the fields, that of a record's first line first; none where the lines are no records."""
    if not counts:
        return []
    most = max(counts.values())
    usual = bool(USUAL_NAMES & counts.keys())
    if not usual and (most == 1 or (all(line.name for line in named) and not _are_alike(named))):
        return []
    if not usual and LABEL_WORDS & counts.keys():
        return []
    if most == 1:
        return list(counts)
    names = [name for name, count in counts.items() if count >= most - 1 or count > max(1, most // RARE)]
    first = next(name for name in names if counts[name] == most or name in USUAL_NAMES)
    return names[names.index(first) :]


def _are_alike(named: Sequence[_Line]) -> bool:
    """Whether the names come in one order again and again, the last time perhaps not to its end."""
    names = [line.name for line in named]
    period = len(set(names))
    return period > 1 and all(name == names[place % period] for place, name in enumerate(names))


def _is_of_the_preamble(named: Sequence[_Line], fields: Sequence[str], counts: Counter[str]) -> bool:
    """Whether a label's name that stands once more than the input's, and last of all, belongs behind the input: the
    first one is then a line of explanation, such as "Label: one of A and B"."""
    last = next(line for line in reversed(named) if line.name)
    return last.name == fields[0] and counts[fields[0]] == counts[fields[1]] + 1


def _rows(named: Sequence[_Line], fields: Sequence[str], number: int) -> tuple[list[list[str]], dict[str, int]]:
    """A row of cells for every record, and the lines of names that are no fields."""
    rows: list[list[str]] = []
    strays: dict[str, int] = {}
    records = list(_records(named, fields, strays))
    having = Counter(name for record, _ in records for name in record)
    # The last field answers the others. Of these, one that half of the records lack may be missing.
    due = [name for name in fields if name == fields[-1] or 2 * having[name] > number]
    for place, (record, ends) in enumerate(records):
        lacking = next((name for name in due if name not in record), None)
        if lacking is not None and place + 1 < len(records):
            raise DataError(f"Line {ends:,} starts another “{fields[0]}:” where “{lacking}:” is due.")
        rows.append(["\n".join(record.get(name, ())).strip() for name in fields])
    return rows, strays


def _records(
    named: Sequence[_Line], fields: Sequence[str], strays: dict[str, int]
) -> Iterator[tuple[dict[str, list[str]], int]]:
    """(lines of every field, number of the line at which the next record starts), a record at a time."""
    record: dict[str, list[str]] = {}
    current: list[str] = []
    for line in named:
        if line.name not in fields:
            if line.name:
                strays.setdefault(line.name, line.number)
            current.append(line.whole)
            continue
        if line.name == fields[0] and record:
            yield record, line.number
            record = {}
        elif line.name in record:
            due = next((name for name in fields if name not in record), fields[0])
            raise DataError(f"Line {line.number:,} starts another “{line.name}:” where “{due}:” is due.")
        current = record[line.name] = [line.text]
    yield record, named[-1].number


def read_colons(lines: Lines) -> Table | None:
    """Pairs around a colon, one a line: "cat: chat" where all names differ, "positive: a fine film" where they recur,
    which is a label before its text; None where the lines have no such form."""
    cut = [tuple(part.strip() for part in line.split(": ", 1)) for _, line in lines]
    if not all(len(pair) == 2 and all(pair) for pair in cut):
        return None
    names = [pair[0] for pair in cut]
    if len(set(names)) == len(names) and not LABEL_WORDS & {name.lower() for name in names}:
        return build(("input", "label"), cut)
    if len(set(names)) > MOST_LABELS or names[0].lower() in USUAL_NAMES:
        return None
    note = "The words before the colon were read as the label of their line."
    return build(("input", "label"), [(text, label) for label, text in cut], [note])
