"""Tasks that people use, from the files they come in: read, selected from, ordered, scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core import Demonstration, Study, load_model, run
from core.files import read_file, to_demonstrations
from tests.tiny import tiny

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")

# file -> share of queries that exact Bayes must answer as the file does, from four demonstrations
WORD_TASKS = {
    "antonym": 0.2,
    "country-capital": 0.9,
    "english-french": 0.4,
    "present-past": 0.9,
    "singular-plural": 0.9,
}


def table(name: str) -> tuple[Demonstration, ...]:
    """A file's demonstrations, by the columns that the reader guesses."""
    path = DATA / name
    read = read_file(path.read_bytes(), path.name)
    return to_demonstrations(read, *read.guess)


@pytest.mark.parametrize("path", sorted(DATA.glob("function_vectors/*.json")), ids=lambda path: path.stem)
def test_word_tasks_on_any_model(path: Path) -> None:
    pool = table(f"function_vectors/{path.name}")[:60]
    study = Study(pool=pool, query=pool[0].input, gold=pool[0].label, selection="similarity", ordering="nearest-last")
    outcome = run(study, tiny("gpt2"))
    assert len(outcome.demonstrations) == 4
    assert pool[0].label in outcome.answer.labels
    assert all(row.input != pool[0].input for row in outcome.demonstrations)


@pytest.mark.parametrize("scoring", ["direct", "perplexity", "channel"])
def test_sst_2(scoring: str) -> None:
    pool = table("sst2/dev.txt")
    assert len(pool) == 872
    assert {row.label for row in pool} == {"0", "1"}
    short = tuple(row for row in pool if len(row.input) < 50)
    study = Study(
        pool=short, query="a gorgeous , witty film .", selection="balanced", ordering="globale", scoring=scoring
    )
    outcome = run(study.model_copy(update={"probes": 4}), tiny("gpt2"))
    assert outcome.answer.labels == tuple(dict.fromkeys(row.label for row in short))
    assert sorted(row.label for row in outcome.demonstrations) == ["0", "0", "1", "1"]


def test_agnews() -> None:
    pool = table("agnews/test-first-1000.csv")
    assert {row.label for row in pool} == {"1", "2", "3", "4"}
    assert pool[0].input == "Fears for T N pension after talks"


@pytest.mark.parametrize("name", WORD_TASKS)
def test_word_tasks_whose_words_the_embedded_model_knows(name: str) -> None:
    model = load_model()
    assert model.mixture is not None
    knows = model.mixture.knows
    known = [row for row in table(f"function_vectors/{name}.json") if knows(row.input) and knows(row.label)]
    assert len(known) >= 12
    right = []
    for query in known[4:12]:
        study = Study(demonstrations=tuple(known[:4]), query=query.input, gold=query.label, posteriors=())
        outcome = run(study, model)
        assert outcome.bayes is not None
        assert not any("cannot read" in note for note in outcome.notes)
        right.append(outcome.bayes.best == query.label)
    assert np.mean(right) >= WORD_TASKS[name], right
