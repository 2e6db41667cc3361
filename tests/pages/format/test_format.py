"""The Format page: every control changes what it says it does."""

from __future__ import annotations

from typing import Any

import pytest

from core import Study
from core.study.demonstrations import Demonstration
from core.study.prompts import ARROW, INPUT_LABEL, TEMPLATES
from tests.pages.conftest import Page, Start

P = "format_"
PATH = "pages/format.py"
ROWS = (("great film", "foo"), ("dull plot", "bar"), ("lovely cast", "foo"), ("boring", "bar"))
POOL = (("a fine film", "foo"), ("weak cast", "bar"), ("charming", "foo"), ("awful", "bar"))


def rows(pairs: Any) -> tuple[Demonstration, ...]:
    return tuple(Demonstration(input=x, label=y) for x, y in pairs)


@pytest.fixture
def page(start: Start) -> Page:
    """The page with a small study of two labels and a small pool."""
    opened = start(PATH)
    study = Study(demonstrations=rows(ROWS), pool=rows(POOL), query="a great cast", labels=("foo", "bar"))
    opened.study = study
    for key, value in (("questions_source", "pool"), ("questions_count", 10), ("family", 8)):
        opened.at.session_state[P + key] = value
    return opened.run()


def view(page: Page, name: str) -> Page:
    page.at.session_state[P + "view"] = name
    return page.run()


def settled(page: Page, slot: str) -> Page:
    """Until a job's result is on the page."""
    for _ in range(100):
        buttons = [button for button in page.at.button if button.key == f"{P}{slot}_compute"]
        if buttons:
            buttons[0].click()
        elif not any(button.key == f"{P}{slot}_cancel" for button in page.at.button):
            return page
        page.run()
    raise AssertionError("the job did not end")


def html(page: Page) -> str:
    return "\n".join(str(element.value) for element in page.at.html)


def test_typing_a_part_changes_the_template(page: Page) -> None:
    page.at.text_input(key=P + "own_label_prefix").set_value("\\nSentiment: ")
    page.run()
    assert page.study.template.label_prefix == "\nSentiment: "
    assert page.study.template.name == "x↵Sentiment: y↵"
    assert "Sentiment" in page.prompt
    page.press("undo")
    assert page.study.template == ARROW


def test_start_from_a_ready_made_one_and_reset(page: Page) -> None:
    page.at.selectbox(key=P + "ready").set_value("input-label")
    page.run()
    assert page.study.template == INPUT_LABEL
    page.at.text_input(key=P + "own_end").set_value("↵")
    page.run()
    assert page.study.template.end == "\n"
    page.at.button(key=P + "reset").click()
    page.run()
    assert page.study.template == INPUT_LABEL


def test_words_for_labels(page: Page) -> None:
    sheet = page.at.session_state[P + "words_sheet"]
    edits = {"edited_rows": {0: {"word": "positive"}, 1: {"word": "negative"}}, "added_rows": [], "deleted_rows": []}
    page.at.session_state[f"{P}words_{sheet.generation}"] = edits
    page.run()
    assert dict(page.study.template.words) == {"foo": "positive", "bar": "negative"}
    assert "positive" in page.prompt
    assert "positive" in html(page)
    sheet = page.at.session_state[P + "words_sheet"]
    edits = {"edited_rows": {0: {"word": "positive"}, 1: {"word": "positive"}}, "added_rows": [], "deleted_rows": []}
    page.at.session_state[f"{P}words_{sheet.generation}"] = edits
    page.run()
    assert dict(page.study.template.words) == {"foo": "positive", "bar": "negative"}
    assert "written alike" in page.said


def test_channel_preview(page: Page) -> None:
    page.at.session_state[P + "direction"] = "y then x"
    page.run()
    assert "The channel scores" in page.said


def test_shots_slider(page: Page) -> None:
    slider = page.at.slider(key=P + "shots")
    assert (slider.min, slider.max, slider.value) == (0, 4, 4)
    slider.set_value(1)
    page.run()
    assert page.study.shots == 1
    page.at.slider(key=P + "shots").set_value(4)
    page.run()
    assert page.study.shots is None


def test_it_warns_of_a_separator_in_an_input(page: Page) -> None:
    page.at.text_input(key=P + "own_end").set_value("a")
    page.run()
    assert "stands in" in page.said


def test_two_templates(page: Page) -> None:
    settled(view(page, "Two templates"), "pair")
    assert len(page.at.metric) == 3
    page.at.text_input(key=P + "b_label_prefix").set_value(" :: ")
    page.run()
    assert page.at.session_state[P + "b"].label_prefix == " :: "
    settled(page, "pair")
    page.at.selectbox(key=P + "b_ready").set_value("bar")
    page.run()
    page.at.button(key=P + "swap").click()
    page.run()
    assert page.study.template == TEMPLATES["bar"]
    assert page.at.session_state[P + "b"] == ARROW
    settled(page, "pair")
    page.at.button(key=P + "open_b").click()
    page.run()
    assert page.study.template == ARROW
    assert page.study.gold is not None


def test_sensitivity(page: Page) -> None:
    settled(view(page, "Sensitivity"), "sensitivity")
    assert len(page.at.metric) == 4
    assert {P + "dots", P + "agreement"} <= set(page.charts)
    page.at.session_state[P + "family_picked"] = 2
    page.run()
    page.at.button(key=P + "use_b").click()
    page.run()
    assert page.at.session_state[P + "b"].name == "bar"
    page.at.button(key=P + "use").click()
    page.run()
    assert page.study.template == TEMPLATES["bar"]


def test_instructions(page: Page) -> None:
    view(page, "Instructions")
    page.at.session_state[P + "sources"] = ["a list of yours"]
    page.run()
    page.at.text_area(key=P + "list").set_value("Is it good?\nIs it positive or negative?\nIs it good?")
    page.run()
    settled(page, "instructions")
    assert P + "instruction_dots" in page.charts
    page.at.session_state[P + "instruction"] = "Is it good?"
    page.run()
    page.at.button(key=P + "use_instruction").click()
    page.run()
    assert page.study.instruction == "Is it good?"


def test_nothing_to_ask_is_said(page: Page) -> None:
    page.edit(pool=())
    for name in ("Two templates", "Sensitivity", "Instructions"):
        view(page, name)
    page.edit(query="")
    assert "no query" in page.said


def test_another_pattern_writes_the_inputs_anew(page: Page) -> None:
    assert not [area for area in page.at.text_area if (area.key or "").startswith(P + "pattern")]
    fields = (("premise", "It rains."), ("hypothesis", "It is dry."))
    row = Demonstration(input="It rains.\nIt is dry.", label="foo", fields=fields)
    page.study = page.study.model_copy(
        update={"demonstrations": (row, *page.study.demonstrations[1:]), "input_pattern": "{premise}\n{hypothesis}"}
    )
    page.run()
    (area,) = [area for area in page.at.text_area if (area.key or "").startswith(P + "pattern")]
    assert area.value == "{premise}\n{hypothesis}"
    area.set_value("{premise} question: {hypothesis}")
    page.run()
    assert page.study.demonstrations[0].input == "It rains. question: It is dry."
    assert page.study.demonstrations[1].input == ROWS[1][0]
    (area,) = [area for area in page.at.text_area if (area.key or "").startswith(P + "pattern")]
    area.set_value("{conclusion}")
    page.run()
    assert page.study.input_pattern == "{premise} question: {hypothesis}"
