"""GINC against the paper's description, and exact Bayes on it against the general forward algorithm."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from core.errors import Cancelled, StudyError
from core.hidden_markov import HMMMixture, log_likelihood, posterior, predictive
from core.hidden_markov.ginc import (
    CONCEPTS,
    DELIMITER,
    FLOOR,
    SLOTS,
    VALUES,
    Ginc,
    Prompts,
    draw_prompts,
    ginc,
    mixed_permutations,
    with_floor,
)
from core.hidden_markov.ginc_bayes import NUMBERS, GincAccuracy, ginc_accuracy, predict
from tests.listening import listening


@cache
def world() -> Ginc:
    return ginc(50, seed=1)


@cache
def prompts(kind: str = "seen", length: int = 4) -> Prompts:
    return draw_prompts(world(), kind, length, 5, 6, np.random.default_rng(0))


@cache
def accuracy(length: int, kind: str = "seen", examples: int = 16) -> GincAccuracy:
    numbers = tuple(n for n in NUMBERS if n <= examples)
    return ginc_accuracy(50, length, kind, prompts=60, worlds=4, numbers=numbers)


def test_the_states_of_a_concept() -> None:
    found = world()
    assert found.memory.shape == (VALUES, SLOTS)
    assert (found.memory[:, 0] == DELIMITER).all()
    assert found.memory[:, 1:].min() > DELIMITER
    assert found.seen.components == found.unseen.components == CONCEPTS
    for mixture in (found.seen, found.unseen):
        for v in range(VALUES):
            for s in range(SLOTS):
                assert mixture.emission[2, v * SLOTS + s, found.memory[v, s]] == 1
        np.testing.assert_allclose(mixture.initial.max() / mixture.initial.min(), 1.0, atol=0.11)  # exp(1 / 10)


def test_transitions_are_values_times_slots_and_all_concepts_share_the_values() -> None:
    both = np.concatenate([world().seen.transition, world().unseen.transition])
    parts = both.reshape(-1, VALUES, SLOTS, VALUES, SLOTS)
    values = parts.sum(axis=4)[:, :, 0]
    slots = parts.sum(axis=3)[:, 0]
    np.testing.assert_allclose(values, np.broadcast_to(values[0], values.shape))
    assert np.diagonal(values, axis1=1, axis2=2).min() > 0.9 - 1e-12
    for concept in range(2 * CONCEPTS):
        np.testing.assert_allclose(both[concept], np.kron(values[concept], slots[concept]))
        np.testing.assert_allclose(slots[concept].sum(axis=0), 1.0)
    assert not np.allclose(slots[0], slots[1])


def test_a_mixture_of_permutations() -> None:
    found = mixed_permutations(6, np.random.default_rng(0))
    np.testing.assert_allclose(found.sum(axis=0), 1)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    # six weights between exp(-5) and exp(5): a few permutations hold nearly all of it
    assert np.sort(found, axis=1)[:, -2:].sum(axis=1).mean() > 0.6


def test_concepts_do_not_change_with_the_vocabulary() -> None:
    np.testing.assert_array_equal(ginc(50, 3).seen.transition, ginc(150, 3).seen.transition)
    assert not np.allclose(ginc(50, 3).seen.transition, ginc(50, 4).seen.transition)
    assert ginc(150, 3).memory.max() > 50


def test_the_floor() -> None:
    found = with_floor(world().seen)
    assert world().seen.transition.min() == 0
    assert found.transition.min() == pytest.approx(FLOOR, rel=1e-3)
    np.testing.assert_allclose(found.transition, world().seen.transition, atol=2e-4)


def test_prompts_of_a_seen_concept() -> None:
    drawn = prompts()
    assert drawn.words.shape == (6, 5, 4)
    chances = log_likelihood(_from_any_start(world().seen), drawn.words.reshape(-1, 4)).reshape(CONCEPTS, 6, 5)
    own = chances[drawn.concepts, np.arange(6)]
    assert np.isfinite(own).all()  # its own concept can make every example, transitions without a floor
    # one slot for all examples of a prompt, so that few words can come first
    for b in range(6):
        firsts = set(drawn.words[b, :, 0].tolist())
        assert any(firsts <= set(world().memory[:, s].tolist()) for s in range(1, SLOTS))


def _from_any_start(mixture: HMMMixture) -> HMMMixture:
    states = mixture.states
    return HMMMixture(
        np.full((CONCEPTS, states), 1 / states), mixture.transition, mixture.emission, np.full(CONCEPTS, 1 / CONCEPTS)
    )


def test_prompts_of_unseen_concepts_keep_one_value_an_example() -> None:
    drawn = prompts("unseen")
    for example in drawn.words.reshape(-1, 4):
        assert any(set(example.tolist()) <= set(world().memory[v, 1:].tolist()) for v in range(VALUES))


@pytest.mark.parametrize("kind", ["seen", "unseen"])
def test_the_right_answer_is_the_concepts_likeliest_word(kind: str) -> None:
    drawn = prompts(kind)
    truth = with_floor(world().seen if kind == "seen" else world().unseen)
    for b, concept in enumerate(drawn.concepts):
        slots = [s for s in range(1, SLOTS) if set(drawn.words[b, :, 0]) <= set(world().memory[:, s])]
        for e in range(5):
            right = []
            for s in slots if kind == "seen" else [None]:
                start = np.zeros((VALUES, SLOTS))
                start[:, slice(None) if s is None else s] = 1
                model = HMMMixture(
                    (start.ravel() / start.sum())[None],
                    truth.transition[[concept]],
                    truth.emission[[concept]],
                    np.ones(1),
                )
                right.append(int(predictive(model, drawn.words[b, e, :-1][None]).argmax()))
            assert drawn.labels[b, e] in right


def chain_of(words: np.ndarray, n: int) -> list[int]:
    """The prompt of n examples and a query, as one sequence."""
    sequence: list[int] = []
    for example in words[:n]:
        sequence += [*example.tolist(), DELIMITER]
    return sequence + words[n, :-1].tolist()


@pytest.mark.parametrize("kind", ["seen", "unseen"])
def test_one_chain_is_the_forward_algorithm(kind: str) -> None:
    drawn, mixture = prompts(kind), with_floor(world().seen)
    found = predict(world().seen, drawn.words, "pretraining")
    for place, n in enumerate((0, 1, 2, 4)):
        for b, words in enumerate(drawn.words):
            sequence = [chain_of(words, n)]
            np.testing.assert_allclose(found.posterior[b, place], posterior(mixture, sequence)[0, -1], atol=1e-9)
            assert found.words[b, place] == predictive(mixture, sequence)[0].argmax()
            chance = np.logaddexp.reduce(log_likelihood(mixture, sequence)[:, 0] + np.log(mixture.prior))
            assert found.log_likelihood[b, place] == pytest.approx(chance, rel=1e-9)


@pytest.mark.parametrize("kind", ["seen", "unseen"])
def test_starting_anew_is_bayes_over_concept_and_slot(kind: str) -> None:
    """45 models, one a concept and slot, read every example from its beginning."""
    drawn, floored = prompts(kind), with_floor(world().seen)
    starts = np.full((SLOTS - 1, VALUES, SLOTS), FLOOR)
    for s in range(1, SLOTS):
        starts[s - 1, :, s] = 1 / VALUES
    starts = starts.reshape(SLOTS - 1, -1) / starts.sum(axis=(1, 2))[:, None]
    every = HMMMixture(
        np.tile(starts, (CONCEPTS, 1)),
        np.repeat(floored.transition, SLOTS - 1, axis=0),
        np.repeat(floored.emission, SLOTS - 1, axis=0),
        np.full(45, 1 / 45),
    )
    found = predict(world().seen, drawn.words, "prompt-aware")
    for place, n in enumerate((0, 1, 2, 4)):
        for b, words in enumerate(drawn.words):
            joint = np.log(every.prior) + log_likelihood(every, words[n : n + 1, :-1])[:, 0]
            if n:
                joint = joint + log_likelihood(every, words[:n]).sum(axis=1)
            weights = np.exp(joint - np.logaddexp.reduce(joint))
            by_concept = weights.reshape(CONCEPTS, -1).sum(axis=1)
            np.testing.assert_allclose(found.posterior[b, place], by_concept, atol=1e-7)
            query = HMMMixture(every.initial, every.transition, every.emission, _after_examples(every, words[:n]))
            assert found.words[b, place] == predictive(query, words[n : n + 1, :-1])[0].argmax()
            assert found.log_likelihood[b, place] == pytest.approx(np.logaddexp.reduce(joint), rel=1e-6)


def _after_examples(every: HMMMixture, shown: np.ndarray) -> np.ndarray:
    """P(m | examples)."""
    joint = np.log(every.prior) + (log_likelihood(every, shown).sum(axis=1) if len(shown) else 0.0)
    weights: np.ndarray = np.exp(joint - np.logaddexp.reduce(joint))
    return weights / weights.sum()


def test_accuracy_rises_with_examples() -> None:
    chain, aware = accuracy(3).accuracy
    assert aware.mean[-1] > 0.95
    assert aware.mean[-1] > aware.mean[0] + 0.25
    assert chain.mean[-2:].mean() > chain.mean[:2].mean()
    assert accuracy(3).certainty[1].mean[-1] > 0.95


def test_accuracy_rises_with_their_length() -> None:
    by_length = [accuracy(length, examples=1).accuracy[0].mean[0] for length in (3, 5, 8)]
    assert by_length[0] < by_length[1] <= by_length[2]


def test_unseen_concepts_stay_flat_and_low() -> None:
    for curve in accuracy(5, "unseen").accuracy:
        assert curve.mean.max() < 0.25
        assert abs(curve.mean[-1] - curve.mean[0]) < 0.1


def test_without_a_floor_many_prompts_are_impossible() -> None:
    """docs/methods.md §1.16: 20 % of prompts with one example and 71 % of those with four, at k = 10."""
    found = accuracy(10, examples=4).impossible.mean
    assert found[0] == 0
    assert found[1] == pytest.approx(0.20, abs=0.1)
    assert found[3] == pytest.approx(0.71, abs=0.12)


def test_what_makes_no_data_is_refused() -> None:
    with pytest.raises(StudyError, match="at least one more word"):
        ginc(1)
    with pytest.raises(StudyError, match="length of 2"):
        draw_prompts(world(), "seen", 1, 2, 2, np.random.default_rng(0))
    for numbers in ((0, 2), (0, 1, 3), (1, 2)):
        with pytest.raises(StudyError, match="without a gap"):
            ginc_accuracy(50, 3, numbers=numbers, worlds=1, prompts=1)


def test_it_can_be_watched_and_stopped() -> None:
    with listening() as seen:
        ginc_accuracy(50, 3, prompts=2, worlds=2, numbers=(0, 1))
    assert seen == [0.5, 1.0]
    with pytest.raises(Cancelled):
        ginc_accuracy(50, 3, prompts=2, worlds=2, numbers=(0, 1), stop=lambda: True)
