"""Text that can be written everywhere, and one sentence on one line for what no study can be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core import Demonstration, Hypothesis, ModelChoice, Study, Template
from core.errors import ICLensError, InvalidValue
from core.models import LanguageModel, load_model
from core.pipeline.run import run
from core.study.demonstrations import Step
from core.study.study import TaskPrior
from core.study.value import writable

HALF, OTHER_HALF = "\ud83d", "\ude00"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("good " + HALF, "good �"),
        (OTHER_HALF + " good", "� good"),
        (HALF + OTHER_HALF, "😀"),
        ("a\x00b", "a�b"),
        ("\x07\x1b[31m\x7f\x9b", "��[31m��"),
        ("one\ttwo\r\nthree\x85four", "one\ttwo\r\nthree\x85four"),
        ("ein 😀, नमस्ते, \u200b", "ein 😀, नमस्ते, \u200b"),
    ],
)
def test_what_cannot_be_written_is_replaced(typed: str, kept: str) -> None:
    row = Demonstration(input=typed, label=typed, steps=(Step(question=typed, answer=typed),))
    study = Study(
        demonstrations=(row,),
        query=typed,
        gold=typed,
        labels=(typed,),
        instruction=typed,
        premise=typed,
        model=ModelChoice(name=typed),
        template=Template(name=typed, label_prefix=typed, words=((typed, "x" + typed),)),
        hypotheses=(Hypothesis(name=typed, instruction=typed, words=((typed, "x" + typed),)),),
        prior=(TaskPrior(task=typed, weight=1),),
    )
    assert study.demonstrations[0].input == study.query == study.gold == study.hypotheses[0].name == kept
    again = Study.model_validate_json(study.model_dump_json())
    assert again == study
    assert study.model_dump_json().encode().decode() == study.model_dump_json()


@given(some.text(some.characters(), max_size=50))
def test_any_text_can_be_written_and_only_what_must_is_changed(text: str) -> None:
    kept = writable(text)
    kept.encode()
    assert writable(kept) == kept
    if text.isprintable():
        assert kept == text


def test_half_an_emoji_in_json_is_read_and_noted(model: LanguageModel) -> None:
    body = json.dumps({"query": "cat " + HALF, "demonstrations": [{"input": "dog", "label": "chien"}]})
    study = Study.model_validate(json.loads(body))
    assert study.query == "cat �"
    (note,) = [note for note in run(study, model).notes if "half an emoji" in note]
    assert note == (
        "One text that the model reads has “�” where a character could not be written: half an emoji, or a control "
        "character."
    )
    assert not any("half an emoji" in note for note in run(study.model_copy(update={"query": "cat"}), model).notes)


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Study(k=-1), "“k” cannot be -1: input should be greater than or equal to 0."),
        (
            lambda: Study(k=-1, probes=0),
            "“k” cannot be -1: input should be greater than or equal to 0 (1 more like this).",
        ),
        (lambda: Demonstration(input="a"), "“label” is missing."),  # type: ignore[call-arg]
        (lambda: Study.model_validate({"colour": 3}), "“colour” is no field of a Study."),
        (
            lambda: Study.model_validate({"demonstrations": [{"input": "a", "label": 3}]}),
            "“demonstrations.0.label” cannot be 3: input should be a valid string.",
        ),
        (lambda: Study.model_validate(7), "This is no Study: input should be a valid dictionary or instance of Study."),
        (lambda: Hypothesis(name="a", instruction="b", words=(("x", "y"), ("x", "z"))), None),
        (lambda: Study.model_validate_json("{"), None),
        (lambda: Study.model_validate_json("[" * 990), None),
        (lambda: Study(query=["a\n" * 500]), None),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_one_sentence(make: Any, sentence: str | None) -> None:
    with pytest.raises(InvalidValue) as raised:
        make()
    assert isinstance(raised.value, ICLensError)
    assert isinstance(raised.value, ValueError)
    said = str(raised.value)
    assert said.isprintable()
    assert said.endswith(".")
    assert len(said) < 400
    assert sentence is None or said == sentence
