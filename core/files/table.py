"""A table of text: what every format is read into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import DataError, StudyError
from core.files.column_names import EXCLUDED, INPUT, LABEL, SPLIT, STEPS
from core.files.guessing import guess
from core.runtime.progress import watched
from core.study.demonstrations import Demonstration, read_steps
from core.study.input_patterns import fill, names_in

MAX_BYTES = 20 * 2**20
MAX_ROWS = 10_000
MAX_COLUMNS = 200
MOST_FIELDS = 12
"""Columns that a row keeps at most for patterns yet to be written."""
MOST_PARTS = 10
"""Different values at most of a column "split" that says which part of a set a row is of."""
TRUE = frozenset({"true", "1", "yes"})


@dataclass(frozen=True)
class Table:
    """Named columns of text.

    Attributes:
        columns: names, all different, none blank.
        rows: one text for every column.
        notes: what was done to the file to read it, one sentence each.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def guess(self) -> tuple[str, str]:
        """The two columns that look like input and label; see `core.files.guessing`."""
        return guess(self.columns, self.rows)


def build(header: Sequence[str] | None, rows: Iterable[Sequence[str]], notes: Iterable[str] = ()) -> Table:
    """A table of rows of one width, cut at 10,000 rows, columns named where the header does not.

    Args:
        header: column names; blank or repeated ones are given new names; None for "column 1", "column 2", ….

    Raises:
        DataError: no rows, fewer than two columns, or more than 200.
    """
    notes = list(notes)
    kept: list[tuple[str, ...]] = []
    for row in watched(rows, MAX_ROWS, "rows"):
        if len(kept) == MAX_ROWS:
            notes.append(f"There are more than {MAX_ROWS:,} rows; the first {MAX_ROWS:,} were kept.")
            break
        kept.append(tuple(row))
    if not kept:
        raise DataError("There are no rows of data in it.")
    width = len(header) if header is not None else len(kept[0])
    if width < 2:
        raise DataError("There is one column only; demonstrations need two, an input and a label.")
    if width > MAX_COLUMNS:
        raise DataError(f"There are {width:,} columns; at most {MAX_COLUMNS} can be read.")
    return Table(_names(header or [""] * width), tuple(kept), tuple(notes))


def _names(header: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    for place, cell in enumerate(header, start=1):
        name = stem = cell.strip() or f"column {place}"
        copy = 2
        while name in names:
            name, copy = f"{stem} ({copy})", copy + 1
        names.append(name)
    return tuple(names)


def to_demonstrations(
    table: Table, input_column: str, label_column: str, pattern: str = ""
) -> tuple[Demonstration, ...]:
    """The table's rows as demonstrations; rows where both columns are blank are left out.

    Columns called "excluded" and "steps", as our own files have, are read as such unless they are one of the two.

    Args:
        table: the rows.
        input_column: the input where there is no pattern.
        label_column: the label.
        pattern: how the input is written from several columns, "{premise}\\nquestion: {hypothesis}"; the rows then keep
            these as their fields, and as many of the others as `MOST_FIELDS` allows.

    Raises:
        DataError: no such column, or a pattern that names none.
    """
    if pattern:
        return _written(table, pattern, label_column)
    for name in (input_column, label_column):
        if name not in table.columns:
            known = ", ".join(f"“{column}”" for column in table.columns)
            raise DataError(f"There is no column “{name}”; the columns are {known}.")
    x, y = table.columns.index(input_column), table.columns.index(label_column)
    flag, steps = (
        table.columns.index(name) if name in table.columns and name not in (input_column, label_column) else None
        for name in (EXCLUDED, STEPS)
    )
    return tuple(
        Demonstration(
            input=row[x],
            label=row[y],
            excluded=flag is not None and row[flag].strip().lower() in TRUE,
            steps=read_steps(row[steps]) if steps is not None else (),
        )
        for row in table.rows
        if row[x].strip() or row[y].strip()
    )


def _written(table: Table, pattern: str, label_column: str) -> tuple[Demonstration, ...]:
    """The rows with inputs written by a pattern from the fields that they keep."""
    asked = names_in(pattern)
    others = [n for n in table.columns if n not in (*asked, label_column, INPUT, EXCLUDED, STEPS, SPLIT)]
    names = [*asked, *others[: max(0, MOST_FIELDS - len(asked))]]
    known = {name: place for place, name in enumerate(table.columns)}
    try:
        fill(pattern, dict.fromkeys(known, ""))
    except StudyError as error:
        raise DataError(str(error)) from None
    columns, rows = ("input", label_column, *(n for n in (EXCLUDED, STEPS) if n in known)), []
    fields = []
    for row in table.rows:
        mine = tuple((name, row[known[name]]) for name in names)
        if any(row[known[name]].strip() for name in (*asked, label_column)):
            fields.append(mine)
            rows.append((fill(pattern, dict(mine)), *(row[known[name]] for name in columns[1:])))
    plain = Table((INPUT, LABEL, *columns[2:]), tuple(rows))
    found = to_demonstrations(plain, INPUT, LABEL)
    return tuple(row.model_copy(update={"fields": f}) for row, f in zip(found, fields, strict=True))


def parts_of(table: Table) -> tuple[str, ...]:
    """Names of the parts of a set that has a column "split", such as train and test, the training part first, or the
    largest; none where it has no such column, or one that says something else."""
    if SPLIT not in table.columns:
        return ()
    place = table.columns.index(SPLIT)
    sizes = Counter(row[place] for row in table.rows)
    if not 1 < len(sizes) <= MOST_PARTS:
        return ()
    first = next((name for name in sizes if "train" in name.lower()), max(sizes, key=lambda name: sizes[name]))
    return (first, *(name for name in sizes if name != first))


def part_of(table: Table, part: str) -> Table:
    """The rows of one part."""
    place = table.columns.index(SPLIT)
    return Table(table.columns, tuple(row for row in table.rows if row[place] == part), table.notes)
