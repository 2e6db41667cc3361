"""Demonstrations typed or pasted as text, in whatever way is at hand."""

from __future__ import annotations

import csv
import io
import re

from core.errors import DataError
from core.files.delimited import read_delimited
from core.files.table import Table, build

ARROWS = re.compile(r"\s*(?:->|→|=>|⇒)\s*")
EQUALS = re.compile(r"\s+=\s+")
BARS = re.compile(r"\s*\|\s*")
FIELD = re.compile(r"^\s*([A-Za-z][A-Za-z ]{0,20}?)\s*:\s?(.*)$")
CODE = re.compile(r"^(-?\d+|__label__\S+)\s+(\S.*)$")
MAX_CODES = 20


def read_pasted(text: str, header: bool | None) -> Table:
    """The first of these that fits half the lines: tabs, "Input: … / Label: …", arrows, " = ", bars, commas, "1 text".

    A line is cut at its last arrow or sign of equality, so that "2 + 3 = 5" has the label 5. "1 text" is the layout
    of SST-2 and fastText: a number or __label__… first, and no more than 20 different ones.

    Args:
        header: whether the first row names the columns, for tabs and commas; None to judge, which it does only
            by a usual name: what people paste has seldom a header.

    Raises:
        DataError: nothing fits, or a line that lacks the separator of the others, by its number.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise DataError("It is empty.")
    if _share(lines, "\t") >= 0.5:
        return read_delimited(text, "\t", header, undecided=False)
    fields = _fields(lines)
    if fields is not None:
        return fields
    for separator in (ARROWS, EQUALS, BARS):
        if sum(separator.search(line) is not None for _, line in lines) >= 0.5 * len(lines):
            return build(("input", "label"), (_cut(number, line, separator) for number, line in lines))
    codes = [CODE.match(line) for _, line in lines]
    if all(codes) and len({code[1] for code in codes if code}) <= MAX_CODES and not _even_commas(lines):
        rows = [(code[2], code[1].removeprefix("__label__")) for code in codes if code]
        return build(("input", "label"), rows, ["The first word of every line was read as its label."])
    if _share(lines, ",") >= 0.5:
        return read_delimited(text, ",", header, undecided=False)
    raise DataError("No separator was found; write one demonstration a line, such as “cat -> chat” or “cat, chat”.")


def _share(lines: list[tuple[int, str]], separator: str) -> float:
    return sum(separator in line for _, line in lines) / len(lines)


def _even_commas(lines: list[tuple[int, str]]) -> bool:
    try:
        widths = {len(row) for row in csv.reader(io.StringIO("\n".join(line for _, line in lines)), strict=True)}
    except csv.Error:
        return False
    return len(widths) == 1 and widths != {1}


def _cut(number: int, line: str, separator: re.Pattern[str]) -> tuple[str, str]:
    places = list(separator.finditer(line))
    if not places:
        raise DataError(f"Line {number:,} lacks the separator that the other lines have: “{line.strip()[:60]}”.")
    return line[: places[-1].start()].strip(), line[places[-1].end() :].strip()


def _fields(lines: list[tuple[int, str]]) -> Table | None:
    """Records of two named fields in turn, "Input: cat" then "Label: chat"; None where the text is not of that kind.

    A line without a name continues the field above it.
    """
    found = [FIELD.match(line) for _, line in lines]
    names = list(dict.fromkeys(match[1].strip().lower() for match in found if match))
    if found[0] is None or len(names) < 2:
        return None
    first, second = names[:2]
    rows: list[tuple[str, str]] = []
    current: list[str] = []
    for (number, line), match in zip(lines, found, strict=True):
        name = match[1].strip().lower() if match else None
        if match and name == first and len(current) != 1:
            if current:
                rows.append((current[0], current[1]))
            current = [match[2].strip()]
        elif match and name == second and len(current) == 1:
            current.append(match[2].strip())
        elif match and name in (first, second):
            wanted = second if len(current) == 1 else first
            raise DataError(f"Line {number:,} starts another “{name}:” where “{wanted}:” is due.")
        else:
            current[-1] += "\n" + line.strip()
    rows.append((current[0], current[1] if len(current) == 2 else ""))
    return build((first, second), rows)
