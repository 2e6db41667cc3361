"""Another right answer: what `run` would return, without a model pass; or None, where it would be another question."""

from __future__ import annotations

import numpy as np
import pytest

from core import Outcome, Study, load_model, run
from core.models import LanguageModel
from core.pipeline.regrade import with_gold
from pages.ui.session.examples import examples


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


STUDIES = {example.name: example.study for example in examples() if example.study.reasoning == "none"}
STEPPED = next(example.study for example in examples() if example.study.reasoning != "none")


def alike(found: Outcome, expected: Outcome) -> None:
    assert found.study == expected.study
    assert found.answer.labels == expected.answer.labels
    np.testing.assert_allclose(found.answer.probabilities, expected.answer.probabilities, atol=1e-9)
    assert found.notes == expected.notes
    assert (found.written is None) == (expected.written is None)
    if found.written is not None and expected.written is not None:
        assert (found.written.gold, found.written.right) == (expected.written.gold, expected.written.right)


@pytest.mark.parametrize("name", STUDIES)
def test_a_candidate_as_the_right_answer(model: LanguageModel, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    study = STUDIES[name]
    bare = run(study.model_copy(update={"gold": None}), model)
    passes: list[object] = []
    monkeypatch.setattr(model, "score", lambda *_, **__: passes.append(1))
    monkeypatch.setattr(model, "read", lambda *_, **__: passes.append(1))
    found = {gold: with_gold(bare, model, gold) for gold in (bare.answer.labels[0], bare.answer.labels[-1], None)}
    monkeypatch.undo()
    assert not passes
    for gold, outcome in found.items():
        assert outcome is not None
        alike(outcome, run(study.model_copy(update={"gold": gold}), model))


def test_what_was_written_is_held_against_the_other(model: LanguageModel) -> None:
    outcome = run(STEPPED, model)
    found = with_gold(outcome, model, outcome.written.text if outcome.written is not None else None)
    if found is not None:
        alike(found, run(found.study, model))


def test_a_right_answer_that_nothing_else_names_is_another_question(model: LanguageModel) -> None:
    study = Study(demonstrations=next(iter(STUDIES.values())).demonstrations, query="two")
    assert with_gold(run(study, model), model, "zebra") is None
    named = study.model_copy(update={"labels": ("two", "five")})
    assert with_gold(run(named, model), model, "zebra") is None, "a note says that it is no candidate"
