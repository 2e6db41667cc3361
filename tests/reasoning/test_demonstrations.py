"""Steps as text: what is printed is read back; files, studies and old links carry them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import Demonstration, Study
from core.files import FORMATS, Format, read_file, to_demonstrations, write_file
from core.study.cleaning import tidied
from core.study.demonstrations import Step, read_steps, write_steps

PART = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12).map(str.strip)
SIGNS = st.text(alphabet="ab \\;=\n", max_size=20)
STEPS = st.lists(
    st.builds(Step, question=PART | SIGNS.map(str.strip), answer=PART | SIGNS.map(str.strip)).filter(
        lambda step: bool(step.question or step.answer)
    ),
    max_size=4,
).map(tuple)


@given(STEPS)
def test_what_is_printed_is_read_back(steps: tuple[Step, ...]) -> None:
    assert read_steps(write_steps(steps)) == steps


@given(SIGNS)
def test_whatever_is_typed_is_read_the_same_after_printing(text: str) -> None:
    steps = read_steps(text)
    assert read_steps(write_steps(steps)) == steps
    assert all(step.question or step.answer for step in steps)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 = 5; 5 + 4 = 9", [("2 + 3", "5"), ("5 + 4", "9")]),
        ("it rains", [("", "it rains")]),
        ("a = b = c", [("a = b", "c")]),
        (r"a \= b; c\; d", [("", "a = b"), ("", "c; d")]),
        ("who? =", [("who?", "")]),
        (" ; ;", []),
        ("", []),
        ("C:\\x", [("", "C:\\x")]),
    ],
)
def test_what_text_means(text: str, expected: list[tuple[str, str]]) -> None:
    assert read_steps(text) == tuple(Step(question=q, answer=a) for q, a in expected)


ROWS = st.lists(
    st.builds(Demonstration, input=PART.filter(bool), label=PART, excluded=st.booleans(), steps=STEPS),
    min_size=1,
    max_size=4,
)


@given(ROWS)
@pytest.mark.parametrize("format", FORMATS)
def test_files_carry_steps(format: Format, rows: list[Demonstration]) -> None:
    table = read_file(write_file(rows, format), f"a.{format}")
    assert table.guess == ("input", "label")
    assert to_demonstrations(table, "input", "label") == tuple(rows)


def test_a_file_without_steps_has_no_such_column() -> None:
    data = write_file([Demonstration(input="cat", label="chat")], "csv")
    assert data.decode().splitlines()[0] == "input,label"


def test_a_column_of_steps_that_is_chosen_as_the_label_is_the_label() -> None:
    table = read_file(b"input,steps\n1 + 1,1 + 1 = 2", "a.csv")
    (row,) = to_demonstrations(table, "input", "steps")
    assert (row.label, row.steps) == ("1 + 1 = 2", ())


def test_a_link_from_before_there_were_steps() -> None:
    old = {"demonstrations": [{"input": "cat", "label": "chat", "excluded": False}], "query": "dog"}
    study = Study.model_validate_json(json.dumps(old))
    assert study.demonstrations[0].steps == ()
    assert (study.reasoning, study.open_ended) == ("none", False)
    assert Study.model_validate_json(study.model_dump_json()) == study


@given(STEPS)
def test_studies_carry_steps(steps: tuple[Step, ...]) -> None:
    study = Study(demonstrations=(Demonstration(input="x", label="y", steps=steps),), query="q", reasoning="steps")
    again = Study.model_validate_json(study.model_dump_json())
    assert again == study
    assert hash(again) == hash(study)
    assert tidied(study) == study


def test_white_space_around_steps_is_not_read() -> None:
    row = Demonstration(input="x", label="y", steps=(Step(question=" a ", answer="b "),))
    assert tidied(Study(pool=(row,))).pool[0].steps == (Step(question="a", answer="b"),)
