"""Demonstrations that the model writes itself."""

from __future__ import annotations

import numpy as np
import pytest

from core import Demonstration, Study, StudyError, run
from core.models import generation
from core.ordering import orderings
from core.selection import rows_of, select, self_generated
from core.selection.self_generated import TEMPERATURE, example_prompt
from core.study.prompts import QUESTION_ANSWER
from core.study.value import writable
from tests.tiny import REVIEWS, tiny

LABELS = ("positive", "negative")
STUDY = Study(selection="self-generated", query="a good film", labels=LABELS, k=4, ordering="given")


@pytest.fixture(autouse=True)
def _few_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of random weights would not stop by itself."""
    monkeypatch.setattr(self_generated, "TOKENS", 6)


def test_the_prompt_shows_the_query_and_asks_for_its_like() -> None:
    assert example_prompt(STUDY, "positive") == "positive <- a good film\npositive <-"
    other = STUDY.model_copy(update={"template": QUESTION_ANSWER, "instruction": "Judge."})
    assert example_prompt(other, "bad") == "Judge.\n\nA: bad\nQ: a good film\n\nA: bad\nQ:"


def test_examples_are_the_model_s_own_samples() -> None:
    picked = select(STUDY, tiny())
    assert picked.source == "generated"
    assert picked.indices == tuple(range(len(picked.generated)))
    prompts = [example_prompt(STUDY, LABELS[i % 2]) for i in range(4)]
    seed = int(np.random.default_rng([0, 0]).integers(2**31))
    first = generation.generate(tiny(), prompts, until="\n", most=6, temperature=TEMPERATURE, seed=seed)
    texts = [writable(" ".join(one.text.split())) for one in first]  # bytes at random: some are control characters
    assert [d.input for d in picked.generated if d.input in texts] == list(dict.fromkeys(filter(None, texts)))
    assert picked == select(STUDY, tiny())
    assert picked.generated != select(STUDY.model_copy(update={"selection_seed": 1}), tiny()).generated
    assert picked.cost.texts >= 4
    assert "nobody has checked" in picked.notes[0]


def stub(written: list[list[str]], asked: list[list[str]]) -> object:
    def generate(_model: object, prompts: list[str], **_: object) -> list[generation.Generated]:
        asked.append(prompts)
        return [generation.Generated(text, (), np.zeros(0), True) for text in written[len(asked) - 1]]

    return generate


def test_empty_ones_repeats_and_the_query_are_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    rounds = [["one", "", "one", "a good  film"], ["two", "three", "four"]]
    monkeypatch.setattr(generation, "generate", stub(rounds, asked))
    picked = select(STUDY, tiny())
    assert [(d.input, d.label) for d in picked.generated] == [
        ("one", "positive"),
        ("two", "negative"),
        ("three", "positive"),
        ("four", "negative"),
    ]
    assert [len(prompts) for prompts in asked] == [4, 3]
    assert asked[1] == [example_prompt(STUDY, label) for label in ("negative", "positive", "negative")]


def test_fewer_where_none_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(generation, "generate", stub([["one", "", "", ""]] + [[""] * 3] * 3, asked))
    picked = select(STUDY, tiny())
    assert len(picked.generated) == 1
    assert "The model wrote 1 of 4 examples" in picked.notes[1]
    monkeypatch.setattr(generation, "generate", stub([[""] * 4] * 4, []))
    empty = select(STUDY, tiny())
    assert (empty.indices, empty.generated) == ((), ())
    assert rows_of(STUDY, empty) == ()


def test_labels_come_from_the_study_the_table_or_the_pool() -> None:
    bare = STUDY.model_copy(update={"labels": ()})
    with pytest.raises(StudyError, match="name the candidate labels"):
        select(bare, tiny())
    assert select(bare.model_copy(update={"k": 0}), tiny()).indices == ()
    rows = (Demonstration(input="x", label="chat"), Demonstration(input="y", label="chien"))
    for field in ("pool", "demonstrations"):
        found = select(bare.model_copy(update={field: rows, "k": 2}), tiny())
        assert {d.label for d in found.generated} <= {"chat", "chien"}
    with pytest.raises(StudyError, match="lower k"):
        select(STUDY.model_copy(update={"query": "film " * 316}), tiny())


@pytest.mark.parametrize("ordering", orderings.names())
def test_a_whole_run_in_every_order(ordering: str) -> None:
    study = STUDY.model_copy(update={"ordering": ordering, "probes": 2, "pool": REVIEWS})
    outcome = run(study, tiny())
    assert set(outcome.demonstrations) == set(outcome.chosen.generated)
    assert outcome.demonstrations
    assert outcome.prompt.text.endswith("a good film ->")
    assert any("nobody has checked" in note for note in outcome.notes)
