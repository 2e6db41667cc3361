"""Intervals of the implicit posterior: the scale by hand, the distance by brute force, coverage on documents apart."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.embedded_open import question_of
from core import load_model
from core.bayes.exact import ExactBayes
from core.mixture.documents import draw_document
from core.models import LanguageModel
from core.posterior.fit_interval import IntervalStates, draw_readings, fit
from core.posterior.implicit import read_implicit
from core.posterior.interval import LEVEL, MOST, TAILS, distance, features, interval_of, load_interval
from core.posterior.openness import NAMES
from core.statistics.intervals import around

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


def test_the_scale_is_the_formula() -> None:
    low, high = around(np.array([[0.0, 0.25, 1.0]]), np.array([[0.1]]))
    np.testing.assert_allclose(low[0], [0, np.sin(np.pi / 6 - 0.1) ** 2, np.cos(0.1) ** 2])
    np.testing.assert_allclose(high[0], [np.sin(0.1) ** 2, np.sin(np.pi / 6 + 0.1) ** 2, 1])


def test_the_distance_is_the_least_reach_that_holds_all() -> None:
    """Bars by themselves, and all but the largest together, as screens draw them."""
    rng = np.random.default_rng(0)
    exact, weights = rng.dirichlet(np.full(12, 0.3), 20), rng.dirichlet(np.full(12, 0.3), 20)
    reach = distance(exact, weights)[:, None]
    for wider, all_hold in ((reach + 1e-9, True), (reach - 1e-6, False)):
        for n in range(20):
            order = np.argsort(-weights[n])
            bars = [[t] for t in range(12)] + [list(order[k:]) for k in range(1, TAILS + 1)]
            held = []
            for bar in bars:
                low, high = around(weights[n, bar].sum()[None], wider[n])
                held.append(low[0] <= exact[n, bar].sum() <= high[0])
            assert all(held) is all_hold


def test_it_belongs_to_these_weights_alone(model: LanguageModel) -> None:
    """Another checkpoint of the same mixture, and a model whose mixture is unknown, have none."""
    found = interval_of(model)
    assert found is not None
    assert found == load_interval() or found.tasks == load_interval().tasks  # type: ignore[union-attr]

    class Other:
        mixture, fingerprint = model.mixture, "another"

    class Unknown:
        mixture, fingerprint = None, model.fingerprint

    assert interval_of(Other()) is None  # type: ignore[arg-type]
    assert interval_of(Unknown()) is None  # type: ignore[arg-type]


def test_it_belongs_to_the_solver_that_it_was_learned_with(model: LanguageModel) -> None:
    assert model.mixture is not None
    question = question_of(draw_document(model.mixture, random.Random("test/solver"), count=4), 3)
    reading = read_implicit(ExactBayes(question, model.mixture), model)
    assert reading.posterior.reach is not None
    assert reading.posterior.reach.shape == (4,)
    other = replace(question, study=question.study.model_copy(update={"posterior_solver": "least-squares"}))
    assert read_implicit(ExactBayes(other, model.mixture), model).posterior.reach is None


def test_it_holds_exact_bayes_on_documents_apart_and_is_wide_where_it_must(model: LanguageModel) -> None:
    """A seed of its own. `benchmarks.embedded_open` measures every row on 3,000 documents; this is 60."""
    assert model.mixture is not None
    states, found = draw_readings(model, model.mixture, 60, seed=991), interval_of(model)
    assert found is not None
    reach = found.reach(states.found)
    after = states.row < len(NAMES)
    assert 0.88 < (states.apart <= reach)[after].mean() < 0.995
    closed, still_open = after & (states.row == 0), after & (states.row >= 2)
    assert np.median(reach[still_open]) > 3 * np.median(reach[closed])
    assert (reach[still_open] >= states.apart[still_open]).mean() > 0.8


def test_features_are_of_the_reading_alone() -> None:
    weights = np.array([[0.5, 0.3, 0.2, 0.0], [1.0, 0.0, 0.0, 0.0]])
    before = np.array([[0.2, 0.2, 0.0, 0.0], [0.1, 0.1, 0.1, 0.1]])
    found = features(weights, before, np.array([0.1, 0.0]), np.array([2, 9]), instructed=True)
    entropy = -sum(p * np.log(p) for p in (0.5, 0.3, 0.2))
    first = [np.log(entropy + 1e-3), np.log(0.101), 0.5, 0.3, 0.2, 2, 1, 0.5, np.log(2)]
    np.testing.assert_allclose(found[0], first)
    np.testing.assert_allclose(found[1], [np.log(1e-3), np.log(1e-3), 1, 0, 0, MOST, 1, 0.25, np.log(4)], atol=1e-12)


def test_the_fit_covers_every_row_of_a_made_up_error(model: LanguageModel) -> None:
    """Errors whose size the features show, and in one row larger than they show; new states nearly as well."""
    assert model.mixture is not None

    def made(seed: int) -> IntervalStates:
        rng = np.random.default_rng(seed)
        row = rng.integers(0, len(NAMES) + 1, 6_000)
        found = rng.normal(size=(6_000, 9))
        found[:, 0] += 1.5 * row
        size = np.exp(0.3 * found[:, 0] - 3 + 0.1 * (row == 2))
        return IntervalStates(found, size * np.abs(rng.normal(size=6_000)), row, np.arange(6_000))

    given, fresh = made(0), made(1)
    learned = fit(given, model, model.mixture)
    for states, off in ((given, 0.03), (fresh, 0.06)):
        holds = states.apart <= learned.reach(states.found)
        for row in range(len(NAMES) + 1):
            assert abs(holds[states.row == row].mean() - LEVEL) < off
