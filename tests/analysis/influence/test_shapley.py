"""Shapley values against Captum, against the sum over permutations, and against the axioms that define them."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np
import pytest
import torch
from captum.attr import ShapleyValues
from hypothesis import given
from hypothesis import strategies as st

from core import StudyError
from core.analysis.influence import influence, question
from core.analysis.influence.shapley import antithetic, exact, prefixes, sampled
from core.models import LanguageModel
from tests.analysis.influence.conftest import REVIEW, WORDS, answer_of, log_odds
from tests.tiny import ARCHITECTURES, tiny

GAMES = st.integers(1, 5).flatmap(lambda n: st.lists(st.floats(-5, 5), min_size=1 << n, max_size=1 << n))


def by_permutations(values: np.ndarray) -> np.ndarray:
    """The mean marginal contribution over all n! orders."""
    n = len(values).bit_length() - 1
    total = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        mask = 0
        for player in order:
            total[player] += values[mask | 1 << player] - values[mask]
            mask |= 1 << player
    return total / len(orders)


def by_captum(v, n: int) -> np.ndarray:
    """Captum's exact values of a function of a row of zeros and ones; it walks all permutations, in float32."""
    once = lru_cache(v)
    method = ShapleyValues(lambda masks: torch.tensor([once(tuple(row.tolist())) for row in masks]))
    ones = torch.ones(1, n, dtype=torch.float64)
    return method.attribute(ones, baselines=torch.zeros_like(ones)).numpy()[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_captum_on_four_demonstrations(architecture: str) -> None:
    model = tiny(architecture)
    asked = question(REVIEW, model)

    def v(row: tuple[float, ...]) -> float:
        shown = [d for d, taken in zip(REVIEW.demonstrations, row, strict=True) if taken]
        return log_odds(answer_of(REVIEW, model, shown), asked.label)

    found = influence(asked, model)
    assert found.model.shapley is not None
    np.testing.assert_allclose(found.model.shapley.values, by_captum(v, 4), atol=2e-6)


def test_captum_on_the_embedded_model_and_exact_bayes(embedded: LanguageModel) -> None:
    asked = question(WORDS, embedded)
    found = influence(asked, embedded)
    assert found.bayes is not None
    for removal, bayes, tolerance in ((found.model, False, 5e-6), (found.bayes, True, 2e-6)):

        def v(row: tuple[float, ...], bayes: bool = bayes) -> float:
            shown = [d for d, taken in zip(WORDS.demonstrations, row, strict=True) if taken]
            return log_odds(answer_of(WORDS, embedded, shown, bayes), asked.label)

        assert removal.shapley is not None
        np.testing.assert_allclose(removal.shapley.values, by_captum(v, 4), atol=tolerance)


@given(GAMES)
def test_exact_is_the_mean_over_all_orders(game: list[float]) -> None:
    values = np.array(game)
    found = exact(values)
    np.testing.assert_allclose(found.values, by_permutations(values), atol=1e-9)
    assert found.residual == pytest.approx(0, abs=1e-9)
    assert found.errors is None
    assert found.coalitions == len(values)


@given(GAMES, GAMES)
def test_linear(one: list[float], other: list[float]) -> None:
    size = min(len(one), len(other))
    a, b = np.array(one[:size]), np.array(other[:size])
    np.testing.assert_allclose(exact(2 * a - b).values, 2 * exact(a).values - exact(b).values, atol=1e-9)


@given(GAMES)
def test_a_null_player_gets_nothing_and_others_what_they_had(game: list[float]) -> None:
    values = np.array(game)
    with_null = np.concatenate([values, values])  # the new highest bit changes nothing
    found = exact(with_null).values
    assert found[-1] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found[:-1], exact(values).values, atol=1e-9)


def test_twins_share_alike_under_exact_bayes_which_knows_no_order(embedded: LanguageModel) -> None:
    shown = (WORDS.demonstrations[0], WORDS.demonstrations[1], WORDS.demonstrations[0])
    asked = question(WORDS.model_copy(update={"demonstrations": shown}), embedded)
    found = influence(asked, embedded)
    assert found.bayes is not None
    assert found.bayes.shapley is not None
    values = found.bayes.shapley.values
    assert values[0] == pytest.approx(values[2], abs=1e-9)
    assert values[0] != pytest.approx(values[1], abs=1e-3)
    assert values.sum() == pytest.approx(found.bayes.everything - found.bayes.nothing, abs=1e-9)


def test_not_the_values_of_a_game() -> None:
    with pytest.raises(ValueError, match="3 values"):
        exact(np.zeros(3))


def test_antithetic_orders() -> None:
    orders = antithetic(6, 10, seed=3)
    assert orders.shape == (10, 6)
    assert (np.sort(orders, axis=1) == np.arange(6)).all()
    assert (orders[::2] == orders[1::2, ::-1]).all()
    assert (antithetic(6, 10, seed=3) == orders).all()
    assert (antithetic(6, 10, seed=4) != orders).any()
    assert prefixes(np.array([[2, 0, 1]])) == [[0, 4, 5, 7]]


@pytest.mark.parametrize("count", [0, 2, 3, 7])
def test_permutations_that_cannot_be(count: int) -> None:
    with pytest.raises(StudyError, match="even number"):
        antithetic(4, count, seed=0)


def test_sampling_converges_to_exact_and_its_errors_are_honest() -> None:
    draw = np.random.default_rng(0)
    game = draw.normal(size=1 << 6) + np.array([mask.bit_count() ** 1.5 for mask in range(1 << 6)])
    truth = exact(game).values
    by_mask = dict(enumerate(game.tolist()))
    wide = [sampled(antithetic(6, 40, seed), by_mask) for seed in range(60)]
    off = np.array([np.abs(one.values - truth) for one in wide])
    assert all(one.residual == pytest.approx(0, abs=1e-9) for one in wide)
    near = np.mean([np.abs(one.values - truth) <= 2 * one.errors for one in wide])
    assert 0.88 <= near <= 0.99
    large = sampled(antithetic(6, 4_000, 0), by_mask)
    assert np.abs(large.values - truth).max() < 0.4 * off.mean()
    assert large.errors.max() < 0.25 * np.mean([one.errors.mean() for one in wide])


def test_one_antithetic_pair_is_exact_where_players_interact_in_pairs_alone() -> None:
    """What a player adds is then linear in who came before, and in an order and its reverse everybody comes once."""
    draw = np.random.default_rng(1)
    alone, together = draw.normal(size=6), np.triu(draw.normal(size=(6, 6)), 1)
    taken = np.array([[mask >> i & 1 for i in range(6)] for mask in range(1 << 6)], dtype=float)
    game = taken @ alone + np.einsum("mi,ij,mj->m", taken, together, taken)
    found = sampled(antithetic(6, 4, seed=2), dict(enumerate(game.tolist())))
    np.testing.assert_allclose(found.values, exact(game).values, atol=1e-12)
    assert found.errors is not None
    assert found.errors.max() < 1e-12


def test_sampled_on_a_model(embedded: LanguageModel) -> None:
    asked = question(WORDS, embedded)
    truth = influence(asked, embedded).model.shapley
    found = influence(asked, embedded, permutations=200, seed=1)
    assert truth is not None
    assert found.model.shapley is not None
    assert found.permutations == 200
    errors = found.model.shapley.errors
    assert errors is not None
    assert (np.abs(found.model.shapley.values - truth.values) < 4 * errors + 1e-6).all()
    assert found.model.shapley.residual == pytest.approx(0, abs=1e-9)
    again = influence(asked, embedded, permutations=200, seed=1)
    np.testing.assert_allclose(again.model.shapley.values, found.model.shapley.values, atol=1e-6)
