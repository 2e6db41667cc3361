"""Cells that a spreadsheet would run: text that begins like a formula, written so that it is read as text.

A cell of a CSV file that begins with =, +, -, @, a tab or a carriage return (or the wide forms of those signs) may be
taken for a formula when somebody opens the file, whoever typed it. An apostrophe in front makes it text, as the OWASP
page on CSV injection advises; a plain number such as "-5" stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

_BEGINS_SO = re.compile("'*[=+\\-@\t\r＝＋－＠]")  # the wide forms are meant
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_Cell = TypeVar("_Cell")


def as_text(cell: _Cell) -> _Cell | str:
    """The cell as it is written: text that begins like a formula, or like one written so, has one apostrophe more."""
    return f"'{cell}" if isinstance(cell, str) and _is_formula(cell) else cell


def all_as_text(cells: Iterable[_Cell]) -> list[_Cell | str]:
    """The cells of a row as they are written."""
    return [as_text(cell) for cell in cells]


def as_typed(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Rows as they were before `as_text`.

    A file with a cell that begins like a formula was not written so: it is left as it is.
    """
    found = [cell for row in rows for cell in row if _is_formula(cell)]
    if not found or not all(cell.startswith("'") for cell in found):
        return [list(row) for row in rows]
    return [[cell[1:] if _is_formula(cell) else cell for cell in row] for row in rows]


def _is_formula(cell: str) -> bool:
    return _BEGINS_SO.match(cell) is not None and _NUMBER.fullmatch(cell) is None
