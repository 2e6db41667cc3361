"""GINC, the generative in-context learning data set (Xie et al. 2022; docs/methods.md §1.16), by our own code.

A hidden state is a value v and a slot s, h = v · slots + s, and emits the word memory[v, s] for certain; slot 0 of
every value is the delimiter. Two words may be equal. A concept is a hidden Markov model over these states:

    transition = value_T ⊗ slot_T,    start = softmax((U − .5) / 10)
    slot_T  = Σ_k softmax((U − .5) / .1)_k Perm_k     over as many random permutations as there are slots, by concept
    value_T = .1 Σ_k softmax((U − .5) / .1)_k Perm_k + .9 I     the same for all concepts

with U uniform on [0, 1]. A prompt shows examples of k words, the last of them y, with a delimiter after each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import StudyError
from core.hidden_markov.forward import sample
from core.hidden_markov.model import Floats, HMMMixture, Ints
from core.statistics.distributions import softmax

VALUES, SLOTS, CONCEPTS = 10, 10, 5
VOCABULARIES = (50, 100, 150)
EXAMPLE_LENGTHS = (3, 5, 8, 10)
DELIMITER = 0
FLOOR = 1e-6  # without one, whole prompts have no likelihood under any concept
STAY = 0.9  # weight of the identity in value_T
TRANSITION, START = 0.1, 10.0  # temperatures


@dataclass(frozen=True, eq=False)
class Ginc:
    """One data set.

    Attributes:
        memory: (values, slots) the word of every value and slot; column 0 is the delimiter.
        seen: the concepts of the pretraining mixture, with uniform P(concept).
        unseen: as many concepts more, which no pretraining document came from.
    """

    memory: Ints
    seen: HMMMixture
    unseen: HMMMixture


@dataclass(frozen=True, eq=False)
class Prompts:
    """Prompts of one data set: the first n examples of a row, and the x of the next, are a prompt for every n.

    Attributes:
        words: (B, E, k) examples, y last.
        labels: (B, E) what each example's y would be if its own concept were known: the answer that counts as right.
        concepts: (B,) which concept each prompt is of.
    """

    words: Ints
    labels: Ints
    concepts: Ints


def ginc(vocabulary: int = 50, seed: int = 0) -> Ginc:
    """A data set with words 0 (the delimiter) … vocabulary − 1.

    Every part has its own source of chance, so that the concepts of one seed are the same for every vocabulary.

    Raises:
        StudyError: a vocabulary of fewer than two words.
    """
    if vocabulary < 2:
        raise StudyError("GINC needs a delimiter and at least one more word.")
    words, values, concepts = np.random.default_rng(seed).spawn(3)
    memory = words.integers(1, vocabulary, size=(VALUES, SLOTS))
    memory[:, 0] = DELIMITER
    emission = np.eye(vocabulary)[memory.ravel()]  # (values · slots, vocabulary)
    stay = (1 - STAY) * mixed_permutations(VALUES, values) + STAY * np.eye(VALUES)
    halves = []
    for _ in range(2):
        starts, transitions = [], []
        for _ in range(CONCEPTS):
            starts.append(softmax((concepts.random(VALUES * SLOTS) - 0.5) / START))
            transitions.append(np.kron(stay, mixed_permutations(SLOTS, concepts)))
        shared = np.broadcast_to(emission, (CONCEPTS, *emission.shape))
        uniform = np.full(CONCEPTS, 1 / CONCEPTS)
        halves.append(HMMMixture(np.stack(starts), np.stack(transitions), shared, uniform))
    return Ginc(memory, *halves)


def mixed_permutations(size: int, generator: np.random.Generator) -> Floats:
    """Σ_k softmax((U − .5) / .1)_k Perm_k over `size` random permutations, (size, size), doubly stochastic."""
    weights = softmax((generator.random(size) - 0.5) / TRANSITION)
    permutations = np.stack([np.eye(size)[generator.permutation(size)] for _ in range(size)])
    mixed: Floats = np.tensordot(weights, permutations, axes=1)
    return mixed


def with_floor(mixture: HMMMixture, floor: float = FLOOR) -> HMMMixture:
    """The mixture with no transition probability below the floor; rows are brought back to one."""
    raised = np.maximum(mixture.transition, floor)
    raised /= raised.sum(axis=2, keepdims=True)
    return HMMMixture(mixture.initial, raised, mixture.emission, mixture.prior)


def draw_prompts(
    world: Ginc, kind: str, length: int, examples: int, count: int, generator: np.random.Generator
) -> Prompts:
    """Prompts as the paper draws them.

    "seen": a concept of the mixture and one slot other than the delimiter's for the whole prompt; every example starts
    there, at a value of its own, and goes on by the concept's transitions. Its right answer is the likeliest next word
    given x, the concept and the slot. "unseen": a concept outside the mixture gives the right answer; every example has
    a value of its own and random slots, which no concept makes.

    Args:
        kind: "seen" or "unseen".
        length: words k of an example, y included.
        examples: examples E of a prompt, the query's among them.
        count: prompts B.

    Raises:
        StudyError: an example of fewer than two words.
    """
    if length < 2:
        raise StudyError("An example needs at least one word and an answer: take a length of 2 or more.")
    concepts = generator.integers(CONCEPTS, size=count)
    values = generator.integers(VALUES, size=(count, examples))
    if kind == "seen":
        slot = generator.integers(1, SLOTS, size=count)
        first = values * SLOTS + slot[:, None]
        words, _ = sample(world.seen, np.repeat(concepts, examples), length, generator, first.ravel())
        words = words.reshape(count, examples, length)
        starts = np.zeros((count, VALUES, SLOTS))
        starts[np.arange(count), :, slot] = 1 / VALUES
        truth = world.seen
    else:
        slots = generator.integers(1, SLOTS, size=(count, examples, length))
        words = world.memory[values[..., None], slots]
        starts = np.full((count, VALUES, SLOTS), 1 / (VALUES * SLOTS))
        truth = world.unseen
    return Prompts(words, answers(truth, words[..., :-1], concepts, starts.reshape(count, -1)), concepts)


def answers(truth: HMMMixture, inputs: Ints, concepts: Ints, starts: Floats) -> Ints:
    """argmax_y P(y | x, concept, start), (B, E), ties to the lowest word.

    With the floor on transitions, so that an x which the concept cannot make has a likeliest continuation too.

    Args:
        inputs: (B, E, k − 1).
        concepts: (B,).
        starts: (B, states) P(h_1).
    """
    floored = with_floor(truth).transition[concepts]  # (B, S, S)
    emission = truth.emission[0]
    ahead = np.repeat(starts[:, None], inputs.shape[1], axis=1)  # (B, E, S)
    for t in range(inputs.shape[2]):
        joint = ahead * emission.T[inputs[:, :, t]]
        total = joint.sum(axis=2, keepdims=True)
        ahead = np.divide(joint, total, out=np.zeros_like(joint), where=total > 0) @ floored
    likeliest: Ints = (ahead @ emission).argmax(axis=2)
    return likeliest
