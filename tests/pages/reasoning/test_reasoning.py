"""The Reasoning page: stages of `core.reasoning`, comparisons those of `core.analysis.reasoning.comparison`."""

from __future__ import annotations

import time
from typing import Any

import pytest

from core import run
from core.analysis.reasoning.comparison import compare
from core.evaluation.questions import questions_of
from core.models import LanguageModel
from core.reasoning import reasonings
from core.reasoning.forms import sum_steps
from pages.ui.session.examples import examples
from tests.pages.conftest import Page, Start

STEPPED = next(entry.study for entry in examples() if any(row.steps for row in entry.study.demonstrations))
PATIENCE = 90  # seconds for the jobs of a page on a busy machine


def settle(page: Page) -> Page:
    """Run until no job is under way."""
    deadline = time.monotonic() + PATIENCE
    while any(button.label == "Cancel" for button in page.at.button):
        assert time.monotonic() < deadline, "a job did not come to its end"
        time.sleep(0.2)
        page.run()
    return page


def shown(page: Page) -> str:
    """All Markdown and HTML on the page."""
    return "\n".join(str(element.value) for element in (*page.at.markdown, *page.at.html))


def table(page: Page, column: str) -> Any:
    return next(frame.value for frame in page.at.dataframe if column in frame.value)


@pytest.fixture
def page(start: Start) -> Page:
    return settle(start("pages/reasoning.py"))


@pytest.fixture
def sums(page: Page) -> Page:
    return settle(page.edit(**dict(STEPPED)))


def test_without_steps_there_is_a_way_to_them(page: Page) -> None:
    assert any("No demonstration shown has steps" in str(info.value) for info in page.at.info)
    page.at.button(key="reasoning_example").click()
    settle(page.run())
    assert page.study == STEPPED
    assert not page.at.info


@pytest.mark.parametrize("name", reasonings.names())
def test_every_method_shows_its_stages(sums: Page, model: LanguageModel, name: str) -> None:
    sums.at.segmented_control(key="reasoning_method").set_value(name)
    settle(sums.run())
    assert sums.study.reasoning == name
    sums.at.toggle(key="reasoning_open_ended").set_value(True)
    settle(sums.run())
    outcome = run(sums.study, model)
    assert outcome.reasoning is not None
    text = shown(sums)
    for place, stage in enumerate(outcome.reasoning.stages, start=1):
        assert f"**{place} · {stage.name}".replace("+", "\\+") in text
    assert text.count('class="icl-end"') == len(outcome.reasoning.stages)
    assert not sums.at.error


def test_nothing_written_says_what_could_be(page: Page) -> None:
    assert "Nothing is written" in page.said
    page.edit(query=" ")
    assert "no query" in page.said


def test_sums_are_filled_in_by_arithmetic_and_undone(page: Page) -> None:
    bare = tuple(row.model_copy(update={"steps": ()}) for row in STEPPED.demonstrations)
    page.edit(demonstrations=bare, pool=(), query="1 + 2 + 3", gold="6")
    page.at.button(key="reasoning_fill").click()
    settle(page.run())
    assert [row.steps for row in page.study.demonstrations] == [sum_steps(row.input) for row in bare]
    assert page.study.demonstrations == STEPPED.demonstrations
    page.press("undo")
    assert not any(row.steps for row in page.study.demonstrations)


def test_methods_are_compared_on_the_same_questions(sums: Page, model: LanguageModel) -> None:
    sums.at.segmented_control(key="reasoning_view").set_value("Many questions")
    settle(sums.run())
    sums.at.selectbox(key="reasoning_questions_source").set_value("pool")
    sums.at.selectbox(key="reasoning_questions_count").set_value(10)
    sums.run()
    assert "40 answers" in sums.said
    sums.at.button(key="reasoning_comparison_compute").click()
    settle(sums.run())
    plain = sums.study.model_copy(update={"query": "", "gold": None, "reasoning": "none", "open_ended": False})
    found = compare(plain, model, questions_of(plain, model, "pool", 10, 0))
    costs = table(sums, "No answer")
    assert costs["Own words"].tolist() == [attempt.accuracy(True) for attempt in found.attempts]
    assert costs["Tokens"].tolist() == [attempt.tokens.mean() for attempt in found.attempts]
    items = table(sums, "Question")
    assert items["Question"].tolist() == [question.input for question in found.questions]
    assert [cell[2:] for cell in items["Self-ask"]] == [one.text or "–" for one in found.attempts[2].written]
    assert next(iter(sums.plots)) == "reasoning_accuracy"
    names = {button.proto.label for button in sums.at.get("download_button")}
    assert "CSV" in names


def test_fewer_methods_and_none(sums: Page) -> None:
    sums.at.segmented_control(key="reasoning_view").set_value("Many questions")
    settle(sums.run())
    sums.at.pills(key="reasoning_methods").set_value([])
    settle(sums.run())
    assert "nothing to compare" in sums.said


def test_a_prompt_too_long_for_a_method_offers_to_drop(sums: Page) -> None:
    many = STEPPED.demonstrations * 5
    settle(sums.edit(demonstrations=many))
    assert any("would fit" in str(error.value) for error in sums.at.error)
    assert "Nothing to show" in sums.said


def test_larger_models_are_spoken_of(page: Page) -> None:
    assert "larger model" in page.said
