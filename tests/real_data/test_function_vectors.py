"""The word tasks of Function Vectors (Todd et al. 2024) whose words the embedded model knows, through `run`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core import Demonstration, Outcome, Study, load_model, run
from core.kernels import kernels
from core.mixture.mixture import Mixture, load_mixture
from core.models import LanguageModel

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "function_vectors"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the word tasks are missing: {DATA} is not there")

SHOWN, QUERIES = 6, 5
# file -> families of the mixture that write such pairs, and families that agree with them on some
FAMILIES: dict[str, tuple[list[str], list[str]]] = {
    "antonym": (["antonym"], []),
    "country-capital": (["capital"], []),
    "english-french": (["French", "verbs: French", "adjectives: French"], ["coloured things: French"]),
    "next_item": (["next item", "next number", "next letter"], ["ascending", "plus two"]),
    "prev_item": (["previous item", "previous number", "previous letter"], []),
    "present-past": (["past tense"], ["participle"]),
    "singular-plural": (["plural"], []),
}


@cache
def pairs(task: str) -> list[tuple[str, str]]:
    """The file's pairs of known words."""
    mixture = load_mixture()
    rows = [(row["input"], row["output"]) for row in json.loads((DATA / f"{task}.json").read_text(encoding="utf-8"))]
    return [(x, y) for x, y in rows if mixture.knows(x) and mixture.knows(y)]


def written_by(family: str, known: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those pairs that the family's own table holds: the posterior after one of them doubles the prior."""
    mixture = load_mixture()
    place = mixture.families.index(family)
    return [pair for pair in known if mixture.posterior([pair])[0][1, place] > 2 * mixture.prior[place]]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


def drawn(known: list[tuple[str, str]], seed: int) -> tuple[tuple[Demonstration, ...], list[tuple[str, str]]]:
    """Demonstrations and queries with different inputs."""
    order = np.random.default_rng(seed).permutation(len(known))
    unique = list({known[i][0]: known[i] for i in order}.values())
    return tuple(Demonstration(input=x, label=y) for x, y in unique[:SHOWN]), unique[SHOWN : SHOWN + QUERIES]


def check_whole(outcome: Outcome, mixture: Mixture) -> None:
    """Every number is there and is a number; every distribution sums to one."""
    k, labels = len(outcome.demonstrations), len(outcome.answer.labels)
    np.testing.assert_allclose(outcome.answer.probabilities.sum(), 1.0)
    assert outcome.bayes is not None
    np.testing.assert_allclose(outcome.bayes.probabilities.sum(), 1.0)
    assert set(outcome.posteriors) == {"exact", "implicit"}
    for posterior in outcome.posteriors.values():
        assert posterior.weights.shape == (k + 1, len(mixture.families))
        np.testing.assert_allclose(posterior.weights.sum(1), 1.0)
        assert posterior.predictive is not None
        assert posterior.predictive.shape == (k + 1, labels)
        assert np.isfinite(posterior.predictive).all()
    implicit = outcome.posteriors["implicit"]
    assert implicit.residual is not None
    assert implicit.condition is not None
    assert np.isfinite(implicit.residual).all()
    assert not np.isnan(implicit.condition).any()
    assert set(outcome.kernels) == {entry.name for entry in kernels if entry.every_run}
    assert {"attention", "hidden", "exact"} <= set(outcome.kernels)
    for kernel in outcome.kernels.values():
        assert kernel.raw.shape == (k,)
        assert np.isfinite(kernel.raw).all()
    assert outcome.attention is not None
    assert outcome.attention.spans == (*(str(i + 1) for i in range(k)), "query")
    assert (outcome.attention.pooled.sum(2) <= 1 + 1e-5).all()


@pytest.mark.parametrize("task", sorted(path.stem for path in DATA.glob("*.json")))
def test_every_task_with_known_words_runs(model: LanguageModel, task: str) -> None:
    mixture = load_mixture()
    if len(pairs(task)) < SHOWN + 1:
        # nothing is hidden here: these are the two whose words are capitals and free text
        assert task in ("capitalize", "sentiment")
        return
    demonstrations, queries = drawn(pairs(task), seed=1)
    for query, gold in queries:
        outcome = run(Study(demonstrations=demonstrations, query=query, gold=gold), model)
        check_whole(outcome, mixture)
        assert gold in outcome.answer.labels
        assert not any("cannot read" in note for note in outcome.notes)


@pytest.mark.parametrize(("task", "family"), [(task, family) for task, (own, _) in FAMILIES.items() for family in own])
def test_exact_bayes_names_the_task_and_answers(model: LanguageModel, task: str, family: str) -> None:
    """On pairs that the family's table holds, the posterior is on it (or one that agrees), and the answer is right."""
    known = written_by(family, pairs(task))
    assert len(known) >= SHOWN + QUERIES
    right, on_task, count = 0, 0.0, 0
    for seed in range(2):
        demonstrations, queries = drawn(known, seed)
        for query, gold in queries[:3]:
            outcome = run(Study(demonstrations=demonstrations, query=query, gold=gold, posteriors=("exact",)), model)
            weights = outcome.posteriors["exact"].weights[-1]
            on_task += sum(weights[outcome.posteriors["exact"].tasks.index(f)] for f in (family, *FAMILIES[task][1]))
            assert outcome.bayes is not None
            right += outcome.bayes.best == gold
            count += 1
    assert on_task / count > 0.9
    assert right / count > 0.8


@pytest.mark.parametrize("task", ["capitalize", "sentiment"])
def test_tasks_of_unknown_words_still_run(model: LanguageModel, task: str) -> None:
    """Capitals and free text are spelled: slower and poorer, never a failure."""
    rows = json.loads((DATA / f"{task}.json").read_text(encoding="utf-8"))
    short = [row for row in rows if len(row["input"]) < 40 and row["input"].isascii()][: SHOWN + 1]
    shown = tuple(Demonstration(input=row["input"], label=row["output"]) for row in short[:3])
    outcome = run(Study(demonstrations=shown, query=short[3]["input"], gold=short[3]["output"]), model)
    np.testing.assert_allclose(outcome.answer.probabilities.sum(), 1.0)
    for posterior in outcome.posteriors.values():
        np.testing.assert_allclose(posterior.weights.sum(1), 1.0)
