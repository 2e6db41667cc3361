"""Reasoning and open-ended answers on the Playground: settings, the column of steps, what is written."""

from __future__ import annotations

import pytest

from core import Demonstration, run
from core.models import LanguageModel
from core.study.demonstrations import read_steps
from tests.pages.conftest import Page

SUMS = tuple(
    Demonstration(input=x, label=y, steps=read_steps(s))
    for x, y, s in (
        ("2 + 3 + 4", "9", "2 + 3 = 5; 5 + 4 = 9"),
        ("1 + 3 + 2", "6", "1 + 3 = 4; 4 + 2 = 6"),
        ("5 + 1 + 2", "8", "5 + 1 = 6; 6 + 2 = 8"),
    )
)


@pytest.fixture
def sums(playground: Page) -> Page:
    return playground.edit(demonstrations=SUMS, query="3 + 3 + 1", gold="7", hypotheses=(), posteriors=("exact",))


def columns(page: Page) -> list[str]:
    return list(page.at.data_editor[0].value.columns)


def test_the_column_of_steps_comes_with_steps_or_reasoning(playground: Page) -> None:
    assert "steps" not in columns(playground)
    playground.edit(reasoning="steps")
    assert columns(playground) == ["number", "input", "label", "steps", "use"]
    playground.edit(reasoning="none")
    assert "steps" not in columns(playground)


def test_steps_are_typed_and_undone(sums: Page) -> None:
    assert sums.at.data_editor[0].value["steps"].tolist()[0] == "2 + 3 = 5; 5 + 4 = 9"
    sums.type_into("demonstrations", edited_rows={0: {"steps": "4 + 5 = 9"}})
    assert sums.study.demonstrations[0].steps == read_steps("4 + 5 = 9")
    sums.type_into("demonstrations", edited_rows={0: {"steps": "4 + 5 = 9"}, 1: {"label": "7"}})
    assert sums.study.demonstrations[0].steps == read_steps("4 + 5 = 9")
    assert sums.study.demonstrations[1] == SUMS[1].model_copy(update={"label": "7"})
    sums.press("undo")  # typing on in one table is one step
    assert sums.study.demonstrations == SUMS


def test_rows_keep_their_steps_when_they_are_moved(sums: Page) -> None:
    sums.at.session_state["frame_mark"] = 1
    sums.run()
    sums.press("down")
    assert [row.input for row in sums.study.demonstrations[:2]] == ["1 + 3 + 2", "2 + 3 + 4"]
    assert sums.study.demonstrations[1] == SUMS[0]


@pytest.mark.parametrize("name", ["none", "steps", "self-ask", "least-to-most"])
def test_every_method_runs_with_every_view(sums: Page, model: LanguageModel, name: str) -> None:
    sums.edit(reasoning=name, open_ended=True)
    outcome = run(sums.study, model)
    assert outcome.reasoning is not None
    assert not sums.at.error
    written = next(str(m.value) for m in sums.at.markdown if "writes:" in str(m.value))
    assert outcome.written is not None
    assert (outcome.written.text.replace("+", "\\+") in written) or not outcome.written.text
    assert sums.has_chart("answer")


def test_the_settings_are_bound_to_the_study(sums: Page) -> None:
    sums.at.session_state["frame_more"] = True
    sums.run()
    sums.choose("reasoning", "steps")
    assert sums.study.reasoning == "steps"
    sums.at.toggle(key="frame_open_ended").set_value(True)
    sums.run()
    assert sums.study.open_ended
    sums.choose("matching", "squad")
    sums.at.number_input(key="frame_longest").set_value(5)
    sums.run()
    assert (sums.study.matching, sums.study.longest) == ("squad", 5)


def test_an_answer_in_its_own_words_beside_the_bars(playground: Page, model: LanguageModel) -> None:
    assert not [m for m in playground.at.markdown if "writes:" in str(m.value)]
    playground.edit(open_ended=True)
    written = run(playground.study, model).written
    assert written is not None
    shown = next(m for m in playground.at.markdown if "writes:" in str(m.value))
    assert written.text in shown.value
    assert "log p" in shown.proto.help
