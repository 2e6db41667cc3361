"""Demonstrations typed or pasted as text, in whatever way is at hand."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from dataclasses import replace

from core.errors import DataError
from core.files.column_names import INPUT_NAMES, LABEL_NAMES
from core.files.delimited import hinted, looks_like_header, read_delimited
from core.files.named_fields import Lines, preamble, read_colons, read_records
from core.files.table import MAX_COLUMNS, Table, build
from core.runtime.progress import part, pause, watched

# No white space in a pattern that is searched for: it would be tried from every blank of a long run anew.
ARROWS = re.compile(r"->|→|=>|⇒")
EQUALS = re.compile(r"(?<=\s)=(?=\s)")
BAR = re.compile(r"\|")
RULE = re.compile(r"[|:\s-]+")
DIVIDER = re.compile(r"([#*=_~-])\1+")  # "###" between demonstrations
CODE = re.compile(r"-?\d+|__label__\S+")
COLON_CODE = re.compile(r"[A-Za-z]\w*:[A-Za-z]\w*")
MAX_LINES = 200_000
"""Lines that are read, so that a record of 20 of them can stand in each row that is kept."""
MAX_CODES = 20
MAX_COLON_CODES = 200


def read_pasted(text: str, header: bool | None) -> Table:
    """The first of these that fits the lines: tabs, named fields, arrows, " = ", bars, "1 text", colons, commas.

    A line is cut at its last arrow or sign of equality, so that "2 + 3 = 5" has the label 5, and at every bar where all
    lines have as many. "1 text" is the layout of SST-2, fastText and TREC: a number, __label__… or "NUM:count" first,
    and few different ones. Lines before the first that fits are left out, with a note.

    Args:
        header: whether the first row names the columns, for tabs and commas; None to judge, which it does only
            by a usual name: what people paste has seldom a header.

    Raises:
        DataError: nothing fits, or a line that lacks the separator of the others, by its number.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    with part(0.0, 0.3):
        lines, more = _lines(text)
    if not lines:
        raise DataError("It is empty.")
    delimiter, _ = hinted(text)
    if delimiter or _share(lines, "\t") >= 0.5:
        return _delimited(text, lines, delimiter or "\t", header)
    for read in (_colon_codes, read_records, _arrows, _equals, _bars, _codes, read_colons):
        pause()
        table = read(lines)
        if table is not None:
            return replace(table, notes=(*more, *table.notes))
    if _share(lines, ",") >= 0.5:
        return _delimited(text, lines, ",", header)
    raise DataError("No separator was found; write one demonstration a line, such as “cat -> chat” or “cat, chat”.")


def _lines(text: str) -> tuple[Lines, list[str]]:
    """The lines that say something, and a note where only the first of them were read."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(watched(io.StringIO(text), min(text.count("\n") + 1, MAX_LINES), "lines"), start=1):
        if len(lines) == MAX_LINES:
            return lines, [f"There are more than {MAX_LINES:,} lines; the first {MAX_LINES:,} were read."]
        bare = line.rstrip("\n")
        if bare.strip() and not DIVIDER.fullmatch(bare.strip()):
            lines.append((number, bare))
    return lines, []


def _share(lines: Lines, separator: str) -> float:
    return sum(separator in line for _, line in lines) / len(lines)


def _delimited(text: str, lines: Lines, delimiter: str, header: bool | None) -> Table:
    """CSV or TSV below whatever lines of prose stand above it."""
    first = next((place for place, (_, line) in enumerate(lines) if delimiter in line or '"' in line), 0)
    notes = preamble(lines[:first]) if not hinted(text)[0] else []
    above, place = lines[first][0] - 1 if notes else 0, 0
    for _ in range(above):
        place = text.index("\n", place) + 1
    # The lines above go, but not their breaks, so that errors keep their numbers.
    return read_delimited("\n" * above + text[place:], delimiter, header, notes, undecided=False)


def _arrows(lines: Lines) -> Table | None:
    return _separated(lines, ARROWS)


def _equals(lines: Lines) -> Table | None:
    return _separated(lines, EQUALS)


def _separated(lines: Lines, separator: re.Pattern[str]) -> Table | None:
    if not _fits(lines, separator):
        return None
    first = next(place for place, (_, line) in enumerate(lines) if separator.search(line))
    return build(("input", "label"), [_cut(*line, separator) for line in lines[first:]], preamble(lines[:first]))


def _fits(lines: Lines, separator: re.Pattern[str]) -> bool:
    return sum(separator.search(line) is not None for _, line in lines) >= 0.5 * len(lines)


def _cut(number: int, line: str, separator: re.Pattern[str]) -> tuple[str, str]:
    place = deque(separator.finditer(line), maxlen=1)
    if not place:
        raise DataError(f"Line {number:,} lacks the separator that the other lines have: “{line.strip()[:60]}”.")
    return line[: place[0].start()].strip(), line[place[0].end() :].strip()


def _bars(lines: Lines) -> Table | None:
    """Cells between bars, also as a table of Markdown: bars at both ends, and a rule below its header."""
    if not _fits(lines, BAR):
        return None
    first = next(place for place, (_, line) in enumerate(lines) if "|" in line)
    wide = next((number for number, line in lines if line.count("|") > MAX_COLUMNS), None)
    if wide is not None:
        raise DataError(f"Line {wide:,} has more than {MAX_COLUMNS} cells between bars.")
    notes, rest = preamble(lines[:first]), lines[first:]
    headed = len(rest) > 1 and _is_rule(rest[1][1])
    rows = [(number, _cells(line)) for number, line in rest if not (headed and _is_rule(line))]
    width = len(rows[0][1]) if headed else Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    if width == 2 and not headed:
        return build(("input", "label"), [_cut(*line, BAR) for line in rest], notes)
    for number, cells in rows:
        if len(cells) != width:
            count = f"{len(cells)} cell{'s' if len(cells) != 1 else ''}"
            raise DataError(f"Line {number:,} has {count} between bars where other lines have {width}.")
    table = [cells for _, cells in rows]
    named = headed or looks_like_header(table, undecided=False)
    return build(table[0] if named else None, table[named:], notes)


def _is_rule(line: str) -> bool:
    """Whether it is the rule between the header and the rows of a table of Markdown."""
    return "|" in line and "-" in line and RULE.fullmatch(line) is not None


def _cells(line: str) -> list[str]:
    bare = line.strip()
    if len(bare) > 1 and bare.startswith("|") and bare.endswith("|"):
        bare = bare[1:-1]
    return [cell.strip() for cell in bare.split("|")]


def _codes(lines: Lines) -> Table | None:
    return None if _even_commas(lines) else _label_first(lines, CODE, MAX_CODES)


def _colon_codes(lines: Lines) -> Table | None:
    """TREC's form, "NUM:count How many …": a colon without a blank behind it, and no usual name of a field before."""
    codes = (line.split(maxsplit=1)[0] for _, line in lines)
    if any(code.partition(":")[0].lower() in (*INPUT_NAMES, *LABEL_NAMES) for code in codes):
        return None
    return _label_first(lines, COLON_CODE, MAX_COLON_CODES)


def _label_first(lines: Lines, code: re.Pattern[str], most: int) -> Table | None:
    rows: list[tuple[str, str]] = []
    for _, line in lines:
        words = line.split(maxsplit=1)
        if len(words) < 2 or not code.fullmatch(words[0]):
            return None
        rows.append((words[1].rstrip(), words[0].removeprefix("__label__")))
    if len({label for _, label in rows}) > most:
        return None
    return build(("input", "label"), rows, ["The first word of every line was read as its label."])


def _even_commas(lines: Lines) -> bool:
    try:
        widths = {len(row) for row in csv.reader(io.StringIO("\n".join(line for _, line in lines)), strict=True)}
    except csv.Error:
        return False
    return len(widths) == 1 and widths != {1}
