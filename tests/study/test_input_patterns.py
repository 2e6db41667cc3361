"""Inputs written from several fields, in files, studies and tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import DataError, Demonstration, Study, StudyError
from core.files import FORMATS, Table, guess_pattern, read_file, to_demonstrations, write_file
from core.study.input_patterns import fill, names_in, rewritten, with_fields
from pages.ui.workbench.tables import edited_rows

PATTERN = "{premise}\nquestion: {hypothesis}"
TABLE = Table(("premise", "hypothesis", "label"), (("A {b} c", "d", "yes"), ("", "", ""), ("e", "", "no")))
ROWS = to_demonstrations(TABLE, "premise", "label", PATTERN)


def test_a_pattern_is_filled() -> None:
    assert names_in(PATTERN) == ("premise", "hypothesis")
    assert [row.input for row in ROWS] == ["A {b} c\nquestion: d", "e\nquestion: "]  # braces of a text stay
    assert ROWS[0].fields == (("premise", "A {b} c"), ("hypothesis", "d"))
    assert [row.label for row in ROWS] == ["yes", "no"]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.text(max_size=10), min_size=1, max_size=4))
def test_filling_is_concatenation(fields: dict[str, str]) -> None:
    pattern = "<" + "|".join(f"{{{name}}}" for name in fields) + ">"
    assert fill(pattern, fields) == "<" + "|".join(fields.values()) + ">"


def test_what_is_no_pattern_is_said() -> None:
    with pytest.raises(DataError, match=r"no field \{conclusion\}; there are \{premise\}"):
        to_demonstrations(TABLE, "premise", "label", "{conclusion}")
    with pytest.raises(StudyError, match="names no field"):
        fill("words", {"a": "b"})


def test_another_pattern_writes_every_input_anew() -> None:
    typed = Demonstration(input="typed", label="yes")
    study = Study(demonstrations=(*ROWS[:1], typed), pool=ROWS[1:], query=ROWS[1].input, input_pattern=PATTERN)
    found = rewritten(study, "{hypothesis} / {premise}")
    assert [row.input for row in found.demonstrations] == ["d / A {b} c", "typed"]
    assert found.pool[0].input == found.query == " / e"
    assert found.input_pattern == "{hypothesis} / {premise}"
    assert rewritten(found, PATTERN) == study


def test_fields_follow_their_input_and_go_with_it() -> None:
    bare = tuple(row.model_copy(update={"fields": ()}) for row in ROWS)
    assert with_fields(bare, ROWS) == ROWS
    edits = {"edited_rows": {0: {"input": "other"}, 1: {"label": "maybe"}}, "added_rows": [], "deleted_rows": []}
    first, second = edited_rows(ROWS, edits)
    assert first is not None
    assert second is not None
    assert (first.fields, second.fields) == ((), ROWS[1].fields)


@pytest.mark.parametrize("kind", FORMATS)
def test_files_hold_the_fields_as_columns(kind: str) -> None:
    table = read_file(write_file(ROWS, kind), f"a.{kind}")
    assert table.columns == ("input", "label", "premise", "hypothesis")
    assert to_demonstrations(table, "input", "label", PATTERN) == ROWS
    odd = (Demonstration(input="x", label="y", fields=(("label", "z"),)),)
    assert read_file(write_file(odd, kind), f"a.{kind}").columns == ("input", "label", "label field")


@pytest.mark.parametrize(
    ("columns", "pattern"),
    [
        (("idx", "premise", "hypothesis", "label"), "{premise}\nhypothesis: {hypothesis}"),
        (("sentence1", "sentence2", "label"), "{sentence1}\nsentence2: {sentence2}"),
        (("Class Index", "Title", "Description"), "{Title}\n{Description}"),
        (("doc.question", "doc.choices", "target"), "{doc.question}\n{doc.choices}"),
        (("text", "label"), ""),
        (("question", "answer"), ""),
    ],
)
def test_patterns_of_published_sets(columns: tuple[str, ...], pattern: str) -> None:
    assert guess_pattern(columns, columns[-1] if columns[0] != "Class Index" else columns[0]) == pattern
