"""Instructions ranked by likelihood, against scoring one by one."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.format.instructions import (
    generated,
    mixture_instructions,
    proposal_prompt,
    rank_instructions,
    ranking_records,
)
from core.errors import Cancelled, StudyError, Unavailable
from core.models import LanguageModel
from core.study.prompts import ARROW
from tests.analysis.format.conftest import DEMONSTRATIONS, QUESTIONS, STUDY, one_by_one
from tests.tiny import tiny

CANDIDATES = [
    ("", "none"),
    ("Is it positive or negative?", "a"),
    ("Give the plural.", "b"),
    ("Give the  plural.", "c"),
]


@pytest.mark.parametrize("shots", [0, 1, None])
def test_it_equals_scoring_one_by_one(embedded: LanguageModel, shots: int | None) -> None:
    found = rank_instructions(STUDY, embedded, CANDIDATES, QUESTIONS, shots=shots)
    shown = DEMONSTRATIONS[:shots]
    assert len(found.instructions) == 3
    assert found.shots == len(shown)
    for i, text in enumerate(found.instructions):
        logs = np.array([one_by_one(embedded, ARROW, q.input, ("foo", "bar"), shown, text) for q in QUESTIONS])
        gold = np.array([("foo", "bar").index(q.gold) for q in QUESTIONS])
        np.testing.assert_allclose(found.logprob[i], logs[np.arange(len(gold)), gold], atol=1e-4)
        assert found.right[i].tolist() == (logs.argmax(axis=1) == gold).tolist()
    assert list(found.mean) == sorted(found.mean, reverse=True)
    assert [row["instruction"] for row in ranking_records(found)] == list(found.instructions)


def test_likelihood_is_direct_whatever_the_scorer(embedded: LanguageModel) -> None:
    direct = rank_instructions(STUDY, embedded, CANDIDATES[:2], QUESTIONS, shots=0)
    channel = STUDY.model_copy(update={"scoring": "channel"})
    other = rank_instructions(channel, embedded, CANDIDATES[:2], QUESTIONS, shots=0)
    assert direct.instructions == other.instructions
    np.testing.assert_allclose(direct.logprob, other.logprob, atol=1e-5)


def test_gains_are_paired(embedded: LanguageModel) -> None:
    found = rank_instructions(STUDY, embedded, CANDIDATES, QUESTIONS, shots=0)
    none = found.instructions.index("")
    assert np.isnan(found.gain_interval[none]).all()  # no difference from itself: nothing was drawn
    other = (none + 1) % 3
    gain = found.logprob[other] - found.logprob[none]
    assert found.gain_interval[other].mean() == pytest.approx(gain.mean())
    without = rank_instructions(STUDY, embedded, CANDIDATES[1:2], QUESTIONS, shots=0)
    assert np.isnan(without.gain_interval).all()


def test_the_mixture_has_instructions_and_another_model_none(embedded: LanguageModel) -> None:
    assert "Give the plural." in mixture_instructions(embedded)
    assert mixture_instructions(tiny()) == ()


def test_the_right_instruction_of_a_word_task_helps(embedded: LanguageModel) -> None:
    from core import Study
    from core.evaluation.questions import EvaluationQuestion
    from tests.tiny import rows

    study = Study(demonstrations=rows([("cat", "cats")]), query="dog")
    asked = [EvaluationQuestion(x, x + "s", "plural") for x in ("dog", "bird", "horse", "lion")]
    found = rank_instructions(study, embedded, [("Give the plural.", ""), ("Translate to French.", "")], asked, shots=0)
    assert found.instructions[0] == "Give the plural."


def test_the_embedded_model_writes_none(embedded: LanguageModel) -> None:
    with pytest.raises(Unavailable, match="cannot write instructions"):
        generated(STUDY, embedded, 4)


def test_a_model_from_disk_writes_some() -> None:
    found = generated(STUDY, tiny("gpt2"), 3, seed=1)
    assert found == generated(STUDY, tiny("gpt2"), 3, seed=1)
    assert len(found) == len(set(found)) <= 3
    assert all(text == " ".join(text.split()) for text in found)
    with pytest.raises(StudyError, match="no demonstration"):
        generated(STUDY.model_copy(update={"demonstrations": (), "pool": ()}), tiny("gpt2"), 1)


def test_the_proposal_prompt_shows_pairs() -> None:
    text = proposal_prompt(DEMONSTRATIONS[:2])
    assert "Input: great film\nOutput: foo\n\nInput: dull plot\nOutput: bar" in text
    assert text.endswith("The instruction was to")


def test_nothing_to_rank_is_said(embedded: LanguageModel) -> None:
    with pytest.raises(StudyError, match="no instruction to rank"):
        rank_instructions(STUDY, embedded, [], QUESTIONS)
    with pytest.raises(Cancelled):
        rank_instructions(STUDY, embedded, CANDIDATES, QUESTIONS, stop=lambda: True)
