"""Zero, one and few shots: the first so many of the demonstrations in the order shown."""

from __future__ import annotations

import pytest

from core import run
from core.analysis.influence import question
from core.evaluation.evaluate import evaluate
from core.models import LanguageModel
from tests.analysis.format.conftest import DEMONSTRATIONS, QUESTIONS, STUDY


@pytest.mark.parametrize("shots", [0, 1, 2, 4, 9, None])
def test_the_first_so_many_are_shown(embedded: LanguageModel, shots: int | None) -> None:
    outcome = run(STUDY.model_copy(update={"shots": shots}), embedded)
    assert outcome.demonstrations == DEMONSTRATIONS[:shots]
    assert outcome.chosen.indices + outcome.chosen.left_out == (0, 1, 2, 3)
    assert any("“Shots” is" in note for note in outcome.notes) == (shots is not None and shots < 4)
    by_hand = run(STUDY.model_copy(update={"demonstrations": DEMONSTRATIONS[:shots]}), embedded)
    assert outcome.prompt == by_hand.prompt
    assert outcome.answer.probabilities == pytest.approx(by_hand.answer.probabilities, abs=1e-6)


@pytest.mark.parametrize(("selection", "ordering"), [("similarity", "nearest-last"), ("random", "random")])
def test_it_acts_after_selection_and_ordering(embedded: LanguageModel, selection: str, ordering: str) -> None:
    study = STUDY.model_copy(update={"selection": selection, "ordering": ordering, "k": 4})
    whole, cut = run(study, embedded), run(study.model_copy(update={"shots": 2}), embedded)
    assert cut.chosen.indices == whole.chosen.indices[:2]
    assert cut.chosen.left_out == whole.chosen.indices[2:]
    assert cut.demonstrations == whole.demonstrations[:2]


def test_candidates_stay_those_of_all(embedded: LanguageModel) -> None:
    study = STUDY.model_copy(update={"labels": (), "pool": (), "posteriors": ()})
    whole = run(study, embedded).answer.labels
    assert run(study.model_copy(update={"shots": 0}), embedded).answer.labels == whole
    found = evaluate([study, study.model_copy(update={"shots": 0})], embedded, QUESTIONS[:2])
    assert found.labels == (("foo", "bar"),) * 2
    assert found.shown[1] == ((), ())


def test_other_analyses_keep_to_it(embedded: LanguageModel) -> None:
    assert len(question(STUDY.model_copy(update={"shots": 3}), embedded).shown) == 3
