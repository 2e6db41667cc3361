"""A question is rendered once, and written in the template's words once."""

from __future__ import annotations

import pytest

from core.study import question as asked
from core.study.demonstrations import Demonstration
from core.study.prompts import ARROW, render
from core.study.question import Question
from core.study.study import Study, TaskPrior
from core.study.verbalisers import as_written

SHOWN = (Demonstration(input="a film", label="+"), Demonstration(input="a book", label="-"))
WORDS = ARROW.model_copy(update={"words": (("+", "good"), ("-", "bad"))})


def test_it_is_the_study_with_its_prompt() -> None:
    question = Question.of(Study(query="a song"), SHOWN, ["+", "-"])
    assert question.query == "a song"
    assert question.prompt == render(SHOWN, "a song", ARROW)
    assert question.written is question
    assert question.pairs == (("a film", "+"), ("a book", "-"))


def test_its_written_form_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(asked, "as_written", lambda *what: calls.append(what) or as_written(*what))
    study = Study(query="a song", template=WORDS, labels=("+", "-"), gold="+")
    question = Question.of(study, SHOWN, ("+", "-"))
    written = question.written
    assert (written.study, written.shown, written.labels) == as_written(study, SHOWN, ("+", "-"))
    assert written.prompt is question.prompt
    assert render(written.shown, "a song", written.study.template) == question.prompt
    longer = question.after(render(SHOWN[:1], "a song", WORDS))
    assert longer.written.prompt is longer.prompt
    assert longer.written.shown is written.shown
    assert question.pairs == longer.pairs == (("a film", "good"), ("a book", "bad"))
    assert written.written is written
    edited = question.under((TaskPrior(task="copy", weight=2.0),))
    assert edited.written.study.prior == edited.study.prior == (TaskPrior(task="copy", weight=2.0),)
    assert edited.written.shown is written.shown
    assert len(calls) == 1
