"""Distances between posteriors and the gains of demonstrations, against plain loops and a library."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from core.mixture.mixture import load_mixture
from core.posterior.comparing import FLOORS, compare, gains
from core.statistics.divergences import divergence, total_variation
from core.study.outcome import Posterior


def posterior(kind: str, tasks: tuple[str, ...], rows: list[list[float]]) -> Posterior:
    return Posterior(kind, tasks, np.array(rows, dtype=np.float64))  # type: ignore[arg-type]


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_divergences_are_the_librarys(seed: int, tasks: int) -> None:
    p, q = np.random.default_rng(seed).dirichlet(np.ones(tasks), size=2)
    assert divergence(p[None], q[None])[0] == pytest.approx(scipy_entropy(p, q), abs=1e-3 + 1e-2 * scipy_entropy(p, q))
    assert divergence(p[None], q[None], smoothing=0.0)[0] == pytest.approx(scipy_entropy(p, q), abs=1e-12)
    by_event = max(
        abs(sum((p - q)[[i for i in range(tasks) if event >> i & 1]])) for event in range(2**tasks)
    )  # the definition: the largest difference on any event
    assert total_variation(p, q) == pytest.approx(by_event)


def test_a_task_ruled_out_costs_much_and_not_everything() -> None:
    found = divergence(np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))[0]
    assert found == pytest.approx(0.5 * math.log(0.5) + 0.5 * math.log(0.5 / 5e-7), rel=1e-5)
    assert divergence(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]]))[0] == pytest.approx(math.log(2))


def test_pairs_are_compared_over_the_tasks_that_both_name() -> None:
    exact = posterior("exact", ("a", "b", "c"), [[0.5, 0.25, 0.25], [0.8, 0.2, 0.0]])
    implicit = posterior("implicit", ("a", "b", "c"), [[0.5, 0.25, 0.25], [0.6, 0.2, 0.2]])
    written = posterior("instruction", ("b", "mine", "a"), [[0.2, 0.6, 0.2], [0.0, 1.0, 0.0]])
    first, second, third = compare({"exact": exact, "implicit": implicit, "instruction": written})
    assert (first.first, first.second, first.whole) == ("exact", "implicit", True)
    np.testing.assert_allclose(first.total_variation, [0.0, 0.2])
    np.testing.assert_allclose(first.backward[0], 0.0, atol=1e-12)
    assert (second.tasks, second.whole) == (("a", "b"), False)
    assert second.total_variation[0] == pytest.approx(abs(0.5 / 0.75 - 0.5))
    assert np.isnan([second.total_variation[1], second.forward[1], second.backward[1]]).all(), "nothing held in common"
    assert third.second == "instruction"


def test_posteriors_without_common_tasks_are_not_compared() -> None:
    assert compare({"exact": posterior("exact", ("a", "b"), [[1, 0]])}) == ()
    pair = {
        "exact": posterior("exact", ("a", "b"), [[0.5, 0.5]]),
        "instruction": posterior("instruction", ("b", "c"), [[0.5, 0.5]]),
    }
    assert compare(pair) == ()


PAIRS = [("lion", "lion"), ("cat", "chat"), ("bread", "pain"), ("cat", "cats")]


def test_gains_of_exact_bayes_are_differences_of_likelihoods() -> None:
    """log p(x_i, y_i | T, D_<i) against the mixture's average, latent by latent from the mixture's own likelihoods."""
    mixture = load_mixture()
    weights, _ = mixture.posterior(PAIRS)
    found = gains(weights)
    names = ("French", "copy", "plural", "nouns: codebook")
    for i, (x, y) in enumerate(PAIRS):
        states = mixture.states_after(PAIRS[:i])
        latent = mixture.latent_posterior(PAIRS[:i])
        likelihood = np.exp(mixture.log_inputs(x, states)) * mixture.label_probabilities(x, [y], states)[:, 0]
        average = math.log(float(latent @ likelihood))
        for name in names:
            f = mixture.families.index(name)
            inside = np.flatnonzero(mixture.family_of == f)
            own = sum(latent[t] * likelihood[t] for t in inside) / sum(latent[t] for t in inside)
            assert found[i, f] == pytest.approx(math.log(own) - average, abs=1e-8), (i, name)


@given(st.integers(0, 10_000), st.sampled_from(["average", "rest"]), st.integers(2, 8))
def test_gains_sum_to_the_total_change(seed: int, against: str, tasks: int) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.full(tasks, 0.3), size=6)
    found = gains(weights, against, FLOORS["implicit"])  # type: ignore[arg-type]
    for t in range(tasks):

        def value(n: int, t: int = t) -> float:
            own = math.log(max(weights[n, t], FLOORS["implicit"]))
            others = sum(weights[n, s] for s in range(tasks) if s != t)
            return own - (math.log(max(others, FLOORS["implicit"])) if against == "rest" else 0.0)

        assert found[:, t].sum() == pytest.approx(value(5) - value(0), abs=1e-9)


def test_gains_of_nothing() -> None:
    assert gains(np.array([[0.5, 0.5]])).shape == (0, 2)
    certain = gains(np.array([[0.5, 0.5], [1.0, 0.0], [1.0, 0.0]]))
    assert np.isfinite(certain).all()
    assert certain[1].tolist() == [0.0, 0.0]
