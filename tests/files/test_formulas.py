"""No CSV file of ours holds a cell that a spreadsheet would run, and what was typed is read back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import Demonstration
from core.files import read_file, to_demonstrations, write_file
from core.files.csv_records import as_csv
from core.files.formulas import all_as_text, as_text, as_typed

FORMULAS = ("=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1", "->", "=", "＝1+1", "'=1", "''@x")
CELLS = st.one_of(st.sampled_from([*FORMULAS, "-5", "+.5", "cat", "", "'tis"]), st.text("'=+-@1.a\t", max_size=5))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_text(text: str) -> None:
    assert as_text(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["-5", "+5", "-0.5", "-.5e-3", "cat", "a=b", "", "'tis", 5, -5.0, None])
def test_numbers_and_other_text_stay(cell: object) -> None:
    assert as_text(cell) is cell


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_what_is_written_so_is_read_back(rows: list[list[str]]) -> None:
    assert as_typed([all_as_text(row) for row in rows]) == rows


def test_a_file_of_somebody_else_is_left_as_it_is() -> None:
    rows = [["=1+1", "a"], ["'=1+1", "b"]]
    assert as_typed(rows) == rows


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_demonstrations(format: str) -> None:
    rows = [Demonstration(input=text, label="=HYPERLINK(A1)") for text in FORMULAS if text.strip()]
    data = write_file(rows, format)  # type: ignore[arg-type]
    cells = [
        cell
        for row in csv.reader(io.StringIO(data.decode(), newline=""), delimiter=",\t"[format == "tsv"])
        for cell in row
    ]
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell]
    assert to_demonstrations(read_file(data, f"a.{format}"), "input", "label") == tuple(rows)


def test_results() -> None:
    data = as_csv([{"@label": "=1+1", "p": -0.5, "n": 3}])
    assert list(csv.reader(io.StringIO(data.decode()))) == [["'@label", "p", "n"], ["'=1+1", "-0.5", "3"]]
