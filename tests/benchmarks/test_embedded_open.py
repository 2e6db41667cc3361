"""The report by entropy: its parts against slow and plain ones, and what must be so whatever the model."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.embedded import Target, open_targets
from benchmarks.embedded_open import (
    NAMES,
    Posteriors,
    State,
    question_of,
    read,
    shared_nouns,
    states_of,
    tables,
    wanted,
)
from benchmarks.embedded_report import report_open
from core import load_model
from core.bayes.exact import ExactBayes
from core.mixture.documents import Document, draw_document
from core.models import LanguageModel
from core.posterior.implicit import implicit_posterior
from core.posterior.openness import NAMES as ROW_NAMES
from core.pretraining.closeness import compare
from core.pretraining.first_token import FirstToken
from core.statistics.distributions import entropy


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


@pytest.fixture(scope="module")
def first(model: LanguageModel) -> FirstToken:
    assert model.mixture is not None
    return FirstToken(model.mixture)


@pytest.fixture(scope="module")
def documents(first: FirstToken) -> list[Document]:
    rng = random.Random("test/open")
    return [draw_document(first.mixture, rng, count=5, reversed_share=0.0) for _ in range(6)]


@pytest.fixture(scope="module")
def states(model: LanguageModel, first: FirstToken, documents: list[Document]) -> list[State]:
    return [state for i, document in enumerate(documents) for state in states_of(i, document, model, first)]


def test_states_are_those_of_the_documents(states: list[State], documents: list[Document], first: FirstToken) -> None:
    assert [(state.document, state.n) for state in states] == [(i, n) for i in range(6) for n in range(1, 5)]
    for i, document in enumerate(documents):
        exact = first.mixture.posterior(document.pairs[:4], document.instruction)[0][1:]
        assert [s.entropy for s in states if s.document == i] == pytest.approx(entropy(exact).tolist())


def test_answers_are_those_of_the_models_own_evaluation(
    states: list[State], documents: list[Document], model: LanguageModel, first: FirstToken
) -> None:
    """KL of answers of one token, and whether the likeliest is right, against `core.pretraining.closeness`."""
    checked = 0
    for i, document in enumerate(documents):
        own = [state for state in states if state.document == i]
        for state, label in zip(own, compare(model, first.mixture, document, first)[1:], strict=True):
            assert (state.true, state.bayes_true) == (label.right, label.bayes_right)
            if len(first.tokens_of(document.pairs[state.n][1])) == 1:
                assert state.kl_answer == pytest.approx(label.kl, abs=1e-4)
                checked += 1
    assert checked > 10


def test_exact_bayess_own_answers_decode_to_its_posterior(states: list[State]) -> None:
    assert np.mean([state.decoded for state in states]) < 0.01


def test_the_posterior_is_the_pages(documents: list[Document], model: LanguageModel, first: FirstToken) -> None:
    question = question_of(documents[0], 4)
    reading = read(question, first.mixture, model)
    theirs = implicit_posterior(ExactBayes(question, first.mixture), model)
    assert reading.implicit == pytest.approx(theirs.weights[1:])
    assert reading.probes.shape == (4,)


def test_distances_and_shares_are_in_their_range(states: list[State]) -> None:
    for state in states:
        for name in ("probes", "random", "posterior", "decoded", "said", "bayes_said", "bar", "exact_bar"):
            assert -1e-9 <= getattr(state, name) <= 1 + 1e-6, name
        assert state.kl_posterior >= 0
        assert state.kl_answer > -1e-6


def made(entropies: list[float], distance: float) -> list[State]:
    """States of these entropies whose every figure is `distance`."""
    zero = dict.fromkeys(NAMES, 0.0)
    return [
        State(**{**zero, "document": i, "n": 1 + i % 2, "entropy": e, "probes": distance, "random": distance,
                 "posterior": distance, "covered": distance})
        for i, e in enumerate(entropies)
    ]  # fmt: skip


def test_rows_part_the_states() -> None:
    found = tables([*made([0.0, 0.049, 0.05], 0.1), *made([1.6, 0.3, 0.69], 0.3)])
    assert [row["states"] for row in found["by_entropy"]] == [2, 1, 2, 0, 1, 6]
    assert sum(row["share"] for row in found["by_entropy"][:-1]) == pytest.approx(1, abs=1e-3)
    assert len(found["by_entropy"]) == len(ROW_NAMES) + 1
    assert [row["n"] for row in found["by_n"]] == [1, 2]
    assert found["by_entropy"][-1]["probes"] == pytest.approx(0.2)


def test_the_worst_row_is_what_counts() -> None:
    found = {**tables([*made([0.0], 0.02), *made([1.0], 0.3)]), "shared_nouns": sets()}
    rows = open_targets(found)
    assert [row["value"] for row in rows.values()] == [0.3, 0.3, 0.3, 0.2, 0.05, 0.02, 0.3]
    assert [row["met"] for row in rows.values()] == [False, False, False, False, True, False, True]
    assert rows == {name: Target(*one).row() for name, one in wanted(found).items()}


def test_a_model_without_intervals_has_no_coverage_to_reach() -> None:
    states = [replace(state, covered=np.nan) for state in made([0.0, 1.0], 0.1)]
    found = {**tables(states), "shared_nouns": sets()}
    assert len(wanted(found)) == 5
    for row in found["by_entropy"]:
        row.pop("covered", None)  # as in a card of before there were any
    assert len(wanted(found)) == 5


def test_coverage_counts_states_whose_bars_all_hold() -> None:
    """By hand: in the first row every bar, in the second all but the last, which is too small to count by itself."""
    exact = np.array([[0.5, 0.5, 0.0], [0.6, 0.39, 0.01]])
    low, high = np.array([[0.4, 0.2, 0.0], [0.5, 0.3, 0.0]]), np.array([[0.7, 0.5, 0.1], [0.7, 0.4, 0.005]])
    implicit = np.array([[0.6, 0.4, 0.0], [0.6, 0.4, 0.0]])
    covered, each, width = Posteriors(exact, implicit, implicit, np.zeros(2), low, high).covered()
    assert covered.tolist() == [1, 0]
    assert each.tolist() == [1, 1]
    np.testing.assert_allclose(width, [0.3, 0.2])


def sets() -> list[dict[str, object]]:
    figures = {"answer": 0.2, "posterior": 0.05}
    ends = {f"{name}_{end}": value for name, value in figures.items() for end in ("low", "high")}
    row = {"nouns": 1, "sets": 3, **figures, **ends}
    return [{**row, "nouns": 1}, {**row, "nouns": "all"}]


def test_shared_nouns_leave_it_open(model: LanguageModel, first: FirstToken) -> None:
    """By the prior alone: French 3 to copy 2 in the mixture, 41 + 23 to 21 + 15 where nouns are coloured things too."""
    rows = shared_nouns(model, first, 4)
    assert [row["nouns"] for row in rows] == [1, 2, 3, 4, "all"]
    for row in rows:
        assert 0.55 < row["exact_french"] < 0.65
        assert row["exact_french"] + row["exact_copy"] == pytest.approx(1, abs=0.02) or row["nouns"] == 1
        assert 0 <= row["answer_low"] <= row["answer"] <= row["answer_high"] <= 1


def test_the_report_holds_every_table(states: list[State], model: LanguageModel, first: FirstToken) -> None:
    text = "\n".join(report_open({**tables(states), "shared_nouns": shared_nouns(model, first, 2)}))
    for title in ("by entropy", "by n", "French and English share", "came true"):
        assert title in text
    assert "nan" not in text
    assert text.count("| all |") == 2
