"""A table of text: what every format is read into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import DataError
from core.files.guessing import guess
from core.study.demonstrations import Demonstration, read_steps

MAX_BYTES = 20 * 2**20
MAX_ROWS = 10_000
MAX_COLUMNS = 200
EXCLUDED = "excluded"
"""Column that carries `Demonstration.excluded` in files of our own."""
STEPS = "steps"
"""Column that carries `Demonstration.steps`, as `core.study.demonstrations.write_steps` writes them."""

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
    for row in rows:
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


def to_demonstrations(table: Table, input_column: str, label_column: str) -> tuple[Demonstration, ...]:
    """The table's rows as demonstrations; rows where both columns are blank are left out.

    Columns called "excluded" and "steps", as our own files have, are read as such unless they are one of the two.

    Raises:
        DataError: no such column.
    """
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
