"""The forward algorithm against every path, hmmlearn, and the worked example of docs/methods.md §9."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given
from hypothesis import strategies as st

from core.errors import StudyError
from core.hidden_markov import HMM, HMMMixture, log_likelihood, mixture_of, posterior, predictive, sample
from core.hidden_markov.forward import draw, read
from tests.hidden_markov.worlds import random_mixture, random_model, worked_example


def by_paths(model: HMM, sequence: tuple[int, ...]) -> float:
    """P(o_1 … o_L), every path of states summed."""
    total = 0.0
    for path in product(range(model.states), repeat=len(sequence)):
        chance = model.initial[path[0]]
        for t, (state, token) in enumerate(zip(path, sequence, strict=True)):
            chance *= model.transition[path[t - 1], state] if t else 1.0
            chance *= model.emission[state, token]
        total += float(chance)
    return total


@given(seed=st.integers(0, 999), length=st.integers(1, 4))
def test_likelihood_is_the_sum_over_paths(seed: int, length: int) -> None:
    mixture = random_mixture(seed)
    sequences = np.random.default_rng(seed).integers(0, 4, size=(3, length))
    found = log_likelihood(mixture, sequences)
    for m in range(mixture.components):
        expected = [np.log(by_paths(mixture.component(m), tuple(row))) for row in sequences]
        np.testing.assert_allclose(found[m], expected, rtol=1e-10)


@given(seed=st.integers(0, 999))
def test_likelihood_is_hmmlearns(seed: int) -> None:
    model = random_model(np.random.default_rng(seed), states=5, observations=7)
    sequence = np.random.default_rng(seed + 1).integers(0, 7, size=60)
    theirs = CategoricalHMM(n_components=5, n_features=7)
    theirs.startprob_, theirs.transmat_, theirs.emissionprob_ = model.initial, model.transition, model.emission
    ours = log_likelihood(mixture_of([model]), sequence[None])[0, 0]
    np.testing.assert_allclose(ours, theirs.score(sequence[:, None]), rtol=1e-10)
    ahead = theirs.predict_proba(sequence[:, None])[-1] @ model.transition @ model.emission
    np.testing.assert_allclose(predictive(mixture_of([model]), sequence[None])[0], ahead, rtol=1e-8)


def test_nothing_underflows_in_a_long_sequence() -> None:
    mixture = random_mixture(3, states=4, observations=20)
    tokens, _ = sample(mixture, [0, 1], 5_000, np.random.default_rng(0))
    weights = posterior(mixture, tokens)
    assert np.isfinite(log_likelihood(mixture, tokens)).all()
    np.testing.assert_allclose(weights[:, -1], np.eye(2), atol=1e-6)


def test_the_worked_posterior() -> None:
    eye = np.eye(2)
    a = HMM(np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.1, 0.9]]), eye)
    b = HMM(np.array([0.5, 0.5]), np.array([[0.1, 0.9], [0.9, 0.1]]), eye)
    mixture = mixture_of([a, b])
    for sequence, expected in (([0, 0], 0.9), ([0, 0, 1], 0.5), ([0, 1, 1, 1], 0.9)):
        np.testing.assert_allclose(posterior(mixture, [sequence])[0, -1, 0], expected, rtol=1e-12)


@given(seed=st.integers(0, 999))
def test_posterior_and_prediction_are_bayes_rule_over_paths(seed: int) -> None:
    mixture = random_mixture(seed, components=3)
    sequence = tuple(np.random.default_rng(seed).integers(0, 4, size=3))
    rows = posterior(mixture, [sequence])[0]
    np.testing.assert_allclose(rows[0], mixture.prior)
    joint = np.array([mixture.prior[m] * by_paths(mixture.component(m), sequence) for m in range(3)])
    np.testing.assert_allclose(rows[-1], joint / joint.sum(), rtol=1e-9)
    longer = [
        sum(mixture.prior[m] * by_paths(mixture.component(m), (*sequence, o)) for m in range(3)) for o in range(4)
    ]
    np.testing.assert_allclose(predictive(mixture, [sequence])[0], np.array(longer) / joint.sum(), rtol=1e-9)


def test_the_joined_model_says_the_same() -> None:
    mixture = random_mixture(8, components=3)
    sequences = np.random.default_rng(0).integers(0, 4, size=(6, 5))
    joined = mixture_of([mixture.joined()])
    ours = np.log(mixture.prior @ np.exp(log_likelihood(mixture, sequences)))
    np.testing.assert_allclose(log_likelihood(joined, sequences)[0], ours)
    np.testing.assert_allclose(predictive(joined, sequences), predictive(mixture, sequences))


def test_a_sequence_that_no_model_can_say_leaves_the_prior() -> None:
    stays = HMM(np.array([1.0, 0.0]), np.eye(2), np.eye(2))
    mixture = mixture_of([stays, stays], [0.3, 0.7])
    state = read(mixture, [[0, 1]])
    assert np.isneginf(state.log_likelihood).all()
    np.testing.assert_allclose(state.posterior(mixture.prior), [[0.3, 0.7]])
    np.testing.assert_allclose(state.predictive(mixture), 0.0)


def test_samples_follow_the_model() -> None:
    model = worked_example()
    tokens, states = sample(mixture_of([model]), np.zeros(40_000, dtype=int), 2, np.random.default_rng(0))
    shares = np.bincount(tokens @ [2, 1], minlength=4) / len(tokens)
    np.testing.assert_allclose(shares, [0.44, 0.193333, 0.193333, 0.173333], atol=0.01)
    moves = np.bincount(states @ [2, 1], minlength=4) / len(states)
    np.testing.assert_allclose(moves, [0.6, 2 / 30, 2 / 30, 0.8 / 3], atol=0.01)


def test_samples_start_where_they_are_told_and_never_do_the_impossible() -> None:
    mixture = random_mixture(0)
    _, states = sample(mixture, [0, 1, 1], 4, np.random.default_rng(0), start=[2, 0, 1])
    assert states[:, 0].tolist() == [2, 0, 1]
    rows = np.tile([0.0, 0.4, 0.0, 0.6, 0.0], (2_000, 1))
    assert set(draw(rows, np.random.default_rng(0)).tolist()) == {1, 3}


@pytest.mark.parametrize(
    ("initial", "transition", "emission", "says"),
    [
        ([0.5, 0.6], np.eye(2), np.eye(2), "sum to 1"),
        ([1.5, -0.5], np.eye(2), np.eye(2), "at least 0"),
        ([np.nan, 1.0], np.eye(2), np.eye(2), "at least 0"),
        ([0.5, 0.5], np.eye(3), np.eye(2), "2 × 2"),
        ([0.5, 0.5], np.eye(2), np.eye(3), "one row"),
        ([], np.eye(2), np.eye(2), "empty"),
    ],
)
def test_what_is_no_model_is_refused(initial, transition, emission, says: str) -> None:
    with pytest.raises(StudyError, match=says):
        HMM(initial, transition, emission)


def test_what_is_no_mixture_or_sequence_is_refused() -> None:
    small, large = random_model(np.random.default_rng(0)), random_model(np.random.default_rng(0), states=5)
    with pytest.raises(StudyError, match="same states"):
        mixture_of([small, large])
    with pytest.raises(StudyError, match="same states"):
        mixture_of([])
    with pytest.raises(StudyError, match="prior of M"):
        mixture_of([small, small], [0.2, 0.3, 0.5])
    with pytest.raises(StudyError, match="M × S"):
        HMMMixture(small.initial, small.transition, small.emission, np.ones(1))
    mixture = mixture_of([small])
    for sequences in ([[4]], [[-1]]):
        with pytest.raises(StudyError, match="0 to 3"):
            predictive(mixture, sequences)
    with pytest.raises(StudyError, match="table"):
        predictive(mixture, [0, 1])


def test_models_cannot_be_written_into() -> None:
    model = worked_example()
    with pytest.raises(ValueError, match="read-only"):
        model.initial[0] = 1.0
