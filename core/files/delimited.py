"""Rows of cells between commas, tabs, semicolons or bars."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Literal

from core.errors import DataError
from core.files.column_names import ID_NAMES, USUAL_NAMES
from core.files.formulas import as_typed
from core.files.table import MAX_COLUMNS, MAX_ROWS, Table, build
from core.runtime.progress import part, watched

DELIMITERS = (",", ";", "\t", "|")
HINT = re.compile(r"\ufeff?sep=([^\r\n])\r?\n")
MOST_LINES = 500_000
"""Lines that are read, fifty for every row that is kept."""
MOST_CELLS = 200_000
"""Delimiters in a row at most, far more than columns can be read: beyond them it is refused before it is cut."""


class QuoteError(DataError):
    """Quotation marks that do not pair up."""


def read_delimited(
    text: str, delimiter: str | None, header: bool | None, notes: Sequence[str] = (), undecided: bool = True
) -> Table:
    """CSV (RFC 4180: quotes, doubled quotes, line breaks inside quotes), or the same with another delimiter.

    Args:
        delimiter: None to take the one that cuts the first rows into most cells of one number.
        header: whether the first row names the columns; None to judge: it does if it holds a usual name, it does not
            if one of its cells comes again further down its column, is a number or is long, and otherwise `undecided`
            says. A note says what was judged where less than two names are usual.

    Raises:
        DataError: a row with more or fewer cells than the first (naming its line), or a quote left open.
    """
    said, text = hinted(text)
    delimiter = said or delimiter or sniff(text)
    try:
        return _table(text, delimiter, header, notes, undecided)
    except DataError as error:
        # Raw exports, above all of tabs, put quotation marks into cells without meaning anything by them.
        if '"' in text and (delimiter == "\t" or isinstance(error, QuoteError)):
            with suppress(DataError):
                note = "Quotation marks were read as they stand."
                return _table(text, delimiter, header, (*notes, note), undecided, quotes=False)
        raise


def hinted(text: str) -> tuple[str | None, str]:
    """The delimiter that a first line "sep=;" names, as spreadsheets write it, and the text with that line blank."""
    hint = HINT.match(text)
    return (hint[1], "\n" + text[hint.end() :]) if hint else (None, text)


def sniff(text: str) -> str:
    """The delimiter that cuts the first 20 rows into more than one cell each, and most often into one number."""
    best, most = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(cells) for _, (_, cells) in zip(range(20), _numbered(text, delimiter), strict=False)]
        except DataError:
            continue
        if not widths or widths[0] < 2:
            continue
        agree = sum(width == widths[0] for width in widths) / len(widths)
        if (agree, widths[0]) > most:
            best, most = delimiter, (agree, widths[0])
    return best


def _numbered(text: str, delimiter: str, quotes: bool = True) -> Iterator[tuple[int, list[str]]]:
    """(number of its first line, cells) of every row that is not blank."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    signs = 0

    def lines() -> Iterator[str]:
        nonlocal signs
        whole = io.StringIO(text, newline="")
        for number, written in enumerate(watched(whole, min(text.count("\n") + 1, MOST_LINES), "lines")):
            if number == MOST_LINES:
                raise DataError(f"It has more than {MOST_LINES:,} lines, most of them blank or within cells.")
            signs += written.count(delimiter)
            if signs > MOST_CELLS:
                raise DataError(f"A row has more than {MOST_CELLS:,} cells; at most {MAX_COLUMNS} columns can be read.")
            yield written

    reader = csv.reader(lines(), delimiter=delimiter, quoting=quoting, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line, signs = reader.line_num + 1, 0
    except csv.Error as error:
        raise QuoteError(f"Line {line:,} cannot be read ({error}); a quotation mark may be left open.") from None


def _table(
    text: str, delimiter: str, header: bool | None, notes: Sequence[str], undecided: bool, quotes: bool = True
) -> Table:
    rows: list[list[str]] = []
    with part(0.0, 0.8):
        for line, cells in _numbered(text, delimiter, quotes):
            if rows and len(cells) != len(rows[0]):
                raise DataError(
                    f"Line {line:,} has {len(cells)} cell{'s' if len(cells) != 1 else ''} where the first row has "
                    f"{len(rows[0])}; every row must have the same number."
                )
            rows.append(cells)
            if len(rows) > MAX_ROWS + 1:  # one more than is kept, below a header
                break
    if not rows:
        raise DataError("It is empty.")
    rows = as_typed(rows)
    if header if header is not None else looks_like_header(rows, undecided):
        if header is None and len(rows) > 1 and sum(_is_usual(cell) for cell in rows[0]) < 2:
            named = ", ".join(f"“{cell.strip()[:30]}”" for cell in rows[0][:4]) + (", …" if len(rows[0]) > 4 else "")
            notes = [*notes, f"The first row, {named}, was taken for the names of the columns; say so if it is data."]
        return build(rows[0], rows[1:], notes)
    return build(None, rows, notes)


def _is_usual(cell: str) -> bool:
    name = cell.strip().lower()
    return name in USUAL_NAMES or name in ID_NAMES


def looks_like_header(rows: Sequence[Sequence[str]], undecided: bool) -> bool:
    """Whether the first row names the columns; see `read_delimited`."""
    first = [cell.strip().lower() for cell in rows[0]]
    if set(first) == {"x", "y"} or any(len(name) > 1 and name in USUAL_NAMES for name in first):
        return True
    if not all(first) or len(set(first)) < len(first) or any(_is_data(name) for name in first):
        return False
    again = any(name == row[column].strip().lower() for row in rows[1:] for column, name in enumerate(first))
    return undecided and not again and len(rows) > 1


def _is_data(cell: str) -> bool:
    """Whether no column would be called that: a number, or a long text."""
    return cell.replace(".", "", 1).lstrip("+-").isdecimal() or len(cell) > 40 or cell.count(" ") > 5
