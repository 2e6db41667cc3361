"""The operator kernel against docs/methods.md §9, brute force over all strings, and numpy's pseudo-inverse."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Cancelled, StudyError
from core.hidden_markov import (
    HMMMixture,
    features,
    log_likelihood,
    mixture_of,
    operator_kernel,
    operators,
    second_moment,
)
from core.hidden_markov.model import Floats
from core.hidden_markov.operators import check_size, exact_kernel, kernel_on_inputs, second_moment_of
from tests.hidden_markov.worlds import random_mixture, worked_example
from tests.listening import listening


def strings(mixture: HMMMixture, length: int) -> tuple[list[tuple[int, ...]], Floats]:
    """All strings and their probabilities."""
    every = list(product(range(mixture.observations), repeat=length))
    return every, mixture.prior @ np.exp(log_likelihood(mixture, every))


@pytest.mark.parametrize(
    ("length", "chances", "kernel"),
    [
        (2, [0.44, 0.193333, 0.193333, 0.173333], [2.272727, 5.172414, 5.172414, 5.769231]),
        (1, None, [1.578947, 2.727273]),
    ],
)
def test_the_worked_example(length: int, chances: list[float] | None, kernel: list[float]) -> None:
    mixture = mixture_of([worked_example()])
    every, p = strings(mixture, length)
    if chances:
        np.testing.assert_allclose(p, chances, atol=1e-6)
    vectors = features(mixture, every)
    for moment in (second_moment(mixture, length), second_moment_of(vectors, p)):
        found = operator_kernel(moment)(vectors, vectors)
        np.testing.assert_allclose(found, np.diag(kernel), atol=2e-6)


def test_an_operator_is_the_product_as_written() -> None:
    mixture = random_mixture(1)
    x = (3, 0, 2)
    for m in range(mixture.components):
        product_ = np.eye(3)
        for o in x:
            product_ = product_ @ np.diag(mixture.emission[m, :, o]) @ mixture.transition[m]
        np.testing.assert_allclose(operators(mixture, [x])[0, m], product_)
        chance = mixture.initial[m] @ product_ @ np.ones(3)
        np.testing.assert_allclose(np.log(chance), log_likelihood(mixture, [x])[m, 0])


@settings(max_examples=25)
@given(seed=st.integers(0, 999), length=st.integers(1, 4), components=st.integers(1, 3))
def test_the_second_moment_is_the_sum_over_all_strings(seed: int, length: int, components: int) -> None:
    mixture = random_mixture(seed, components=components, observations=3)
    every, p = strings(mixture, length)
    expected = second_moment_of(features(mixture, every), p)
    np.testing.assert_allclose(second_moment(mixture, length), expected, rtol=1e-9, atol=1e-15)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), length=st.integers(1, 4), components=st.integers(1, 2))
def test_the_mean_of_k_is_the_rank(seed: int, length: int, components: int) -> None:
    mixture = random_mixture(seed, components=components, states=2, observations=3)
    every, p = strings(mixture, length)
    vectors, moment = features(mixture, every), second_moment(mixture, length)
    kernel = operator_kernel(moment)
    assert kernel.rank == np.linalg.matrix_rank(moment, rtol=1e-10, hermitian=True)
    np.testing.assert_allclose(p @ np.diag(kernel(vectors, vectors)), kernel.rank, rtol=1e-6)


def test_the_kernel_is_the_pseudo_inverse() -> None:
    mixture = random_mixture(4, observations=6)
    every, _ = strings(mixture, 2)
    vectors, moment = features(mixture, every), second_moment(mixture, 2)
    expected = vectors @ np.linalg.pinv(moment, rtol=1e-10, hermitian=True) @ vectors.T
    np.testing.assert_allclose(operator_kernel(moment)(vectors, vectors), expected, atol=1e-6)


def test_the_joined_model_has_the_same_kernel() -> None:
    """Block by block is not an approximation: the entries left out are zero for every input."""
    mixture = random_mixture(6)
    joined = mixture_of([mixture.joined()])
    every, _ = strings(mixture, 2)
    blocks = operator_kernel(second_moment(mixture, 2))
    whole = operator_kernel(second_moment(joined, 2))
    assert blocks.rank == whole.rank
    ours, theirs = features(mixture, every), features(joined, every)
    np.testing.assert_allclose(blocks(ours, ours), whole(theirs, theirs), atol=1e-6)


def test_a_large_mixture_can_be_cancelled_and_tells_how_far_it_is() -> None:
    mixture = random_mixture(0, components=3)
    with listening() as seen:
        second_moment(mixture, 2)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    with pytest.raises(Cancelled):
        second_moment(mixture, 2, stop=lambda: True)


@pytest.mark.parametrize("length", [1, 2])
def test_a_finite_set_of_inputs_gives_the_same_kernel(length: int) -> None:
    mixture = random_mixture(9, components=3, observations=5)
    every, p = strings(mixture, length)
    vectors = features(mixture, every)
    by_moment = operator_kernel(second_moment(mixture, length))
    for listed in (kernel_on_inputs(vectors, p), exact_kernel(mixture, length)):
        assert listed.rank == by_moment.rank
        np.testing.assert_allclose(listed(vectors, vectors), by_moment(vectors, vectors), rtol=1e-5, atol=1e-5)


def test_many_inputs_of_small_operators_and_the_other_way_round() -> None:
    long = exact_kernel(random_mixture(2, components=2, states=2, observations=4), 8)  # 65,536 strings of 8 entries
    assert long.rank == 8
    wide = random_mixture(2, components=1, states=60, observations=7)  # 3,600 entries, 7 strings
    every, p = strings(wide, 1)
    vectors = features(wide, every)
    np.testing.assert_allclose(exact_kernel(wide, 1)(vectors, vectors), np.diag(1 / p), rtol=1e-6, atol=1e-6)


def test_what_cannot_be_inverted_is_refused() -> None:
    with pytest.raises(StudyError, match="51,200 entries and there are 10,000 different"):
        check_size(10_000, 51_200)
    check_size(100, 51_200)
    check_size(10_000, 800)
    with pytest.raises(StudyError, match="fewer states"):
        second_moment(random_mixture(0, components=1, states=51, observations=2), 1)
    for moment in (np.zeros((2, 2)), np.full((2, 2), np.nan)):
        with pytest.raises(StudyError, match="no inverse"):
            operator_kernel(moment)
