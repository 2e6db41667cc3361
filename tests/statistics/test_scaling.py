"""Curves over k: laws fitted to data that the law itself made, and where a known curve stops rising."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.crossed import Crossed
from core.statistics.scaling import (
    bayes_curve,
    bayesian_law,
    monotone,
    power_law,
    resampled_means,
    saturation,
)

KS = [0, 1, 2, 4, 8, 16, 32]


def curve_of(means: np.ndarray, spread: float, seed: int = 0, sets: int = 6, questions: int = 40) -> list[Crossed]:
    """Outcomes with these means, and effects of sets and questions that are the same at every k."""
    rng = np.random.default_rng(seed)
    places = np.indices((sets, questions)).reshape(2, -1)
    shared = spread * (rng.normal(size=sets)[places[0]] + rng.normal(size=questions)[places[1]])
    factors = {"demonstrations": places[0], "question": places[1]}
    return [Crossed(m + shared + spread * rng.normal(size=places.shape[1]), factors) for m in means]


def test_the_mean_of_a_resample_counts_every_level_as_often_as_it_was_drawn() -> None:
    from core.statistics.bootstrap import resamples

    outcomes = curve_of(np.array([0.2, 0.5]), 0.3, sets=3, questions=5)
    outcomes[1] = outcomes[1].take(np.arange(15) != 7)
    means, found = resampled_means(outcomes, 50, seed=4)
    rng = np.random.default_rng(4)
    by_set, by_question = resamples(3, rng, 50), resamples(5, rng, 50)
    assert means == pytest.approx([one.values.mean() for one in outcomes])
    for b in range(50):
        for k, one in enumerate(outcomes):
            weight = by_set[b][one.factors["demonstrations"]] * by_question[b][one.factors["question"]]
            assert found[b, k] == pytest.approx((weight * one.values).sum() / weight.sum())


def test_three_factors_are_resampled_as_two_are() -> None:
    rng = np.random.default_rng(5)
    places = np.indices((3, 4, 2)).reshape(3, -1)
    one = Crossed(rng.normal(size=24), dict(zip("abc", places, strict=True)))
    means, found = resampled_means([one, one], 400, seed=1)
    assert found[:, 0] == pytest.approx(found[:, 1])
    assert found[:, 0].mean() == pytest.approx(means[0], abs=0.1)


def test_monotone_by_hand() -> None:
    assert monotone([1.0, 3.0, 2.0, 4.0]).tolist() == [1.0, 2.5, 2.5, 4.0]


def test_a_curve_that_stops_rising_stops_there() -> None:
    found = saturation(KS, curve_of(np.array([0.5, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8]), 0.005))
    assert found.k == 4
    assert found.low <= 4 <= found.high
    assert not found.rising
    losses = saturation(KS, curve_of(np.array([2.0, 1.5, 1.0, 1.0, 1.0, 1.0, 1.0]), 0.005), larger=False)
    assert losses.k == 2


def test_a_curve_that_rises_to_the_end_may_go_on_and_ks_may_come_in_any_order() -> None:
    means = np.linspace(0.2, 0.8, 7)
    outcomes = curve_of(means, 0.005)
    found = saturation(KS[::-1], outcomes[::-1])
    assert found.rising
    assert found.k == found.low == found.high == 32
    assert found.ks.tolist() == KS


def test_the_interval_of_that_k_holds_it() -> None:
    means = np.array([0.5, 0.6, 0.68, 0.74, 0.78, 0.78, 0.78])
    held = 0
    for seed in range(60):
        found = saturation(KS, curve_of(means, 0.08, seed), margin=0.01, seed=seed)
        held += found.low <= 8 <= found.high
    assert held >= 54


def test_a_curve_needs_two_ks() -> None:
    with pytest.raises(ValueError, match="two numbers of demonstrations"):
        saturation([4], curve_of(np.array([0.5]), 0.1))
    with pytest.raises(ValueError, match="each once"):
        saturation([4, 4], curve_of(np.array([0.5, 0.5]), 0.1))


def test_a_power_law_is_found_again() -> None:
    true = 0.4 + 1.2 * (np.array(KS) + 1.0) ** -0.7
    exact = power_law(KS, curve_of(true, 0.0))
    assert [exact.parameters[name][0] for name in ("end", "gap", "rate")] == pytest.approx([0.4, 1.2, 0.7], rel=1e-4)
    assert exact.error < 1e-6
    assert exact.determined
    noisy = power_law(KS, curve_of(true, 0.1))
    for name, value in (("gap", 1.2), ("rate", 0.7)):
        _, low, high = noisy.parameters[name]
        assert low < value < high
        assert high - low < 1.5


def test_the_bayesian_law_is_its_formula() -> None:
    prior, chance, speed = np.array([0.1, 0.9]), np.array([0.95, 0.3]), 0.6
    for k, value in zip(KS, bayes_curve(prior, chance, speed, np.array(KS, float)), strict=True):
        over = (prior * chance ** (speed * k + 1)).sum()
        assert value == pytest.approx(over / (prior * chance ** (speed * k)).sum())


def test_the_bayesian_law_is_found_again() -> None:
    ks = [0, 1, 2, 3, 4, 6, 8, 12, 16, 32]
    true = bayes_curve(np.array([0.05, 0.95]), np.array([0.95, 0.35]), 0.8, np.array(ks, float))
    found = bayesian_law(ks, curve_of(true, 0.0))
    expected = {"prior 1": 0.05, "prior 2": 0.95, "p 1": 0.95, "p 2": 0.35, "efficiency": 0.8}
    assert {name: value for name, (value, _, _) in found.parameters.items()} == pytest.approx(expected, rel=0.02)
    assert found.error < 1e-5


def test_a_reader_that_is_exact_has_the_prior_that_it_has() -> None:
    """Demonstrations to each of which task m gives probability p_m, one after the other: the predictive is the law with
    efficiency 1."""
    prior, chance = np.array([0.2, 0.8]), np.array([0.9, 0.5])
    ks = np.arange(9)
    exact, posterior = [], prior
    for _ in ks:
        exact.append(float(posterior @ chance))
        posterior = posterior * chance / exact[-1]
    found = bayesian_law(ks.tolist(), curve_of(np.array(exact), 0.0))
    assert found.parameters["prior 1"][0] == pytest.approx(0.2, abs=0.01)
    assert found.parameters["efficiency"][0] == pytest.approx(1.0, abs=0.03)


def test_a_curve_through_as_many_points_as_parameters_is_said_to_be_one() -> None:
    assert not power_law([0, 1, 2], curve_of(np.array([1.0, 0.7, 0.6]), 0.0)).determined
