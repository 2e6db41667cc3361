"""Kernel regression comes near Bayes as demonstrations are added; both against plain loops."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from core.errors import Cancelled, StudyError
from core.hidden_markov import features, log_likelihood, operator_kernel, sample, second_moment
from core.hidden_markov.convergence import (
    NORMS,
    NUMBERS,
    PUBLISHED,
    Convergence,
    MappedKernel,
    World,
    bayes,
    compare,
    convergence,
    kernel_weights,
    random_tasks,
    regressions,
)
from tests.hidden_markov.test_forward import by_paths
from tests.hidden_markov.worlds import random_mixture
from tests.listening import listening

SMALL = World(tasks=3, states=9, observations=12, prompts=24, seeds=3)


@pytest.fixture(scope="module")
def small() -> Convergence:
    return convergence(SMALL)


def test_regression_is_the_formula() -> None:
    generator = np.random.default_rng(0)
    weights, answers = generator.normal(size=(4, 9)), generator.integers(0, 5, size=(4, 9))
    weights[2] = 0  # nothing like the query: the labels' frequencies
    found = regressions(weights, answers, 5)
    for p in range(4):
        for n in range(1, 10):
            k = weights[p, :n] if p != 2 else np.ones(n)
            expected = np.zeros(5)
            for i in range(n):
                expected[answers[p, i]] += k[i] / k.sum()
            np.testing.assert_allclose(found[p, n - 1], expected)


def test_bayes_is_the_sum_over_tasks_and_paths() -> None:
    mixture = random_mixture(5, components=3)
    tokens, _ = sample(mixture, np.repeat([1], 129), 3, np.random.default_rng(0))
    weights, answers = bayes(mixture, tokens.reshape(1, 129, 3))
    for place, n in enumerate(NUMBERS[:5]):
        joint = np.log(mixture.prior)
        for m in range(3):
            model = mixture.component(m)
            joint[m] += sum(np.log(by_paths(model, tuple(row))) for row in tokens[:n])
            joint[m] += np.log(by_paths(model, tuple(tokens[-1, :2])))
        expected = np.exp(joint - joint.max())
        expected /= expected.sum()
        np.testing.assert_allclose(weights[0, place], expected, rtol=1e-7)
        chances = [
            sum(
                expected[m]
                * by_paths(mixture.component(m), (*tokens[-1, :2], o))
                / by_paths(mixture.component(m), tuple(tokens[-1, :2]))
                for m in range(3)
            )
            for o in range(4)
        ]
        np.testing.assert_allclose(answers[0, place], chances, rtol=1e-7)


def test_distances_are_those_of_a_plain_loop() -> None:
    mixture = random_mixture(7)
    kernel = operator_kernel(second_moment(mixture, 2))
    tasks = np.array([0, 1])
    found = compare(mixture, MappedKernel(mixture, kernel), tasks, 2, np.random.default_rng(3))
    tokens, _ = sample(mixture, np.repeat(tasks, 129), 3, np.random.default_rng(3))
    prompts = tokens.reshape(2, 129, 3)
    _, exact = bayes(mixture, prompts)
    for p, prompt in enumerate(prompts):
        vectors = features(mixture, prompt[:, :2])
        k = kernel(vectors[-1:], vectors[:-1])[0]
        assert found.own[p] == pytest.approx(kernel(vectors[-1:], vectors[-1:])[0, 0])
        for place, n in enumerate(NUMBERS):
            for way, weights in enumerate((np.maximum(k, 0), k, np.ones(128))):
                guess = np.zeros(4)
                for i in range(n):
                    guess[prompt[i, 2]] += weights[i]
                if weights[:n].sum() == 0:
                    guess = np.bincount(prompt[:n, 2], minlength=4).astype(float)
                guess /= guess.sum()
                gap = guess - exact[p, place]
                norms = [np.abs(gap).sum(), np.linalg.norm(gap), np.abs(gap).max()]
                expected = np.minimum(norms, list(NORMS.values()))
                np.testing.assert_allclose(found.distances[:, way, place, p], expected, rtol=1e-6)


def test_rounding_has_no_vote() -> None:
    """Inputs with nothing in common have K = 0; what rounding makes of that must not answer for them."""
    shown = np.array([[[1.0, 0.0, 0.0], [1e-8, 2.0, 0.0], [-1e-8, 0.0, 3.0]]])
    np.testing.assert_array_equal(kernel_weights(shown, np.array([[2.0, 0.0, 0.0]])), [[2.0, 0.0, 0.0]])
    world = World(tasks=8, states=80, prompts=1)
    mixture, _ = random_tasks(world, np.random.default_rng(2))
    moment = second_moment(mixture, 2)
    noise = np.random.default_rng(0).normal(size=moment.shape) * 1e-17
    found = [
        compare(
            mixture, MappedKernel(mixture, operator_kernel(sigma)), np.arange(8), 2, np.random.default_rng(5)
        ).distances
        for sigma in (moment, moment + noise + noise.T)
    ]
    np.testing.assert_allclose(found[0][:, 0], found[1][:, 0], atol=1e-5)


def test_the_distance_falls_with_n_and_only_with_the_kernel(small: Convergence) -> None:
    for norm in NORMS:
        kernel, signed, flat = small.distances[norm]
        assert kernel.mean[-1] < 0.25 * kernel.mean[0]
        assert signed.mean[-1] < 0.25 * signed.mean[0]
        assert kernel.mean[-1] < 0.5 * flat.mean[-1]
    every_second = small.distances["L1"][0].mean[::2]
    assert all(later < earlier for earlier, later in pairwise(every_second))
    assert small.certainty.mean[-1] > 0.99
    assert small.agreement[0].mean[-1] > small.agreement[0].mean[0]


def test_with_one_demonstration_every_kernel_repeats_its_label(small: Convergence) -> None:
    kernel, signed, flat = small.distances["L1"]
    np.testing.assert_allclose(kernel.mean[0], flat.mean[0])
    np.testing.assert_allclose(signed.mean[0], flat.mean[0])


def test_the_mean_of_k_is_near_the_rank(small: Convergence) -> None:
    many = convergence(World(tasks=2, states=4, observations=6, prompts=400, seeds=2, transition=0.5, emission=0.5))
    np.testing.assert_allclose(many.mean_k.mean(), many.ranks.mean(), rtol=0.25)
    assert (small.ranks <= 27).all()


def test_seeds_decide_everything(small: Convergence) -> None:
    again = convergence(SMALL)
    np.testing.assert_array_equal(again.distances["L1"][0].values, small.distances["L1"][0].values)
    later = convergence(World(tasks=3, states=9, observations=12, prompts=24, seeds=1, first_seed=2))
    np.testing.assert_array_equal(later.distances["L1"][0].values[0], small.distances["L1"][0].values[2])


@pytest.mark.parametrize("differ", ["all", "transitions", "start"])
def test_what_tasks_share(differ) -> None:
    world = World(tasks=3, states=9, observations=12, differ=differ, length=1)
    tasks, carrier = random_tasks(world, np.random.default_rng(0))
    assert tasks.states == (9 if differ == "start" else 3)
    assert (tasks.emission[0] == tasks.emission[1]).all() == (differ != "all")
    assert (tasks.transition[0] == tasks.transition[1]).all() == (differ == "start")
    every = np.arange(12)[:, None]
    by_tasks = tasks.prior @ np.exp(log_likelihood(tasks, every))
    np.testing.assert_allclose(carrier.prior @ np.exp(log_likelihood(carrier, every)), by_tasks)


def test_tasks_that_differ_in_their_start_converge_too() -> None:
    found = convergence(World(tasks=4, states=12, observations=15, differ="start", length=1, prompts=16, seeds=2))
    assert found.distances["L1"][0].mean[-1] < 0.4 * found.distances["L1"][0].mean[0]


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({"states": 81}, "81 states cannot be shared equally by 8 tasks"),
        ({"states": 0}, "at least 1"),
        ({"prompts": 0}, "at least 1"),
        ({"first_seed": -1}, "at least"),
        ({"emission": 0.0}, "above 0"),
        ({"differ": "nothing"}, "differ in"),
        ({"states": 800}, "80,000 entries"),
        ({"differ": "start"}, "6,400 entries and there are 10,000"),
    ],
)
def test_worlds_that_cannot_be(numbers, says: str) -> None:
    with pytest.raises(StudyError, match=says):
        World(**numbers)


def test_it_can_be_watched_and_stopped() -> None:
    with listening() as seen:
        convergence(World(tasks=2, states=4, observations=5, prompts=2, seeds=2))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    with pytest.raises(Cancelled):
        convergence(SMALL, stop=lambda: True)


def test_everything_can_be_written_down(small: Convergence) -> None:
    found = json.loads(json.dumps(small.as_dict()))
    assert found["n"] == list(NUMBERS)
    assert found["published"] == list(PUBLISHED)
    assert len(found["distances"]["L1"]["operator kernel"]["mean"]) == len(NUMBERS)
