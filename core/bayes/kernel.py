"""The exact kernel: the probability that two inputs share a label under the exact posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from typing import TYPE_CHECKING

import numpy as np

from core.mixture.codebook import CodebookState
from core.mixture.domain import IN_RANGE, NOISE, Floats, Ints

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

NEGLIGIBLE = 1e-9


@singledispatch
def exact_kernel(
    mixture: Mixture,
    demonstrations: Sequence[tuple[str, str]],
    query: str,
    instruction: str = "",
    log_factors: Floats | None = None,
) -> Floats:
    """K(x, x_i) = Σ_T P(T|D) Σ_y p(y|x,T) p(y|x_i,T), (k,).

    Our definition (docs/methods.md §2.6): the operator kernel of an HMM mixture does not apply here. Symmetric and
    positive
    semidefinite in (x, x_i). In Σ_y u_T(y)² the squares of p_any are left out: together they are under 1e-5.

    Args:
        log_factors: (F,) log π'_T/π_T of another prior than the mixture's.
    """
    weights = mixture.latent_posterior(demonstrations, instruction, log_factors)
    states = mixture.states_after(demonstrations, instruction)
    inputs = [x for x, _ in demonstrations]
    out = np.zeros(len(demonstrations))
    place = 0
    for number, block in enumerate(mixture.blocks):
        tasks = weights[block.tasks]
        if tasks.sum() > NEGLIGIBLE:
            shares = {x: tasks @ _share_of_tasks(mixture, number, query, x) for x in dict.fromkeys(inputs)}
            out += [shares[x] for x in inputs]
        for b in range(len(block.codebooks)):
            weight = float(weights[block.codebook(b)])
            if weight > NEGLIGIBLE:
                out += weight * np.array([_share_of_codebook(states[place], query, x) for x in inputs])
            place += 1
    return out


@dataclass(frozen=True)
class _Side:
    """What a domain's tasks answer to one text.

    Attributes:
        clean, rest: weights of the task's own answers and of noise, which sum to one.
        answers: (T, S) the answers, as numbers that stand for the same word everywhere (`_number`).
        share: (T, S) the probability of each.
        noisy: (T,) Σ_s share u_T(answer).
    """

    clean: float
    rest: float
    answers: Ints
    share: Floats
    noisy: Floats


@lru_cache(maxsize=1024)
def _side(mixture: Mixture, number: int, text: str) -> _Side:
    """One text in one of the mixture's domains; a text that no task of it can read is answered by noise alone."""
    domain = mixture.blocks[number].domain
    tasks = len(domain.log_prior)
    if not domain.knows(text):
        return _Side(0.0, 1.0, np.zeros((tasks, 0), np.int64), np.zeros((tasks, 0)), np.zeros(tasks))
    answers = domain.answers(text)
    anything = np.exp([mixture.anything.log_text(word) for word in answers.words])
    ranges = domain.range_shares(answers.words)
    own = np.take_along_axis(IN_RANGE * ranges + (1 - IN_RANGE) * anything, answers.index, axis=1)
    noisy = (answers.share * own).sum(axis=1)
    numbers = np.array([_number(word) for word in answers.words], dtype=np.int64)
    return _Side(1 - NOISE, NOISE, numbers[answers.index], answers.share, noisy)


_numbers: dict[str, int] = {}


def _number(word: str) -> int:
    """A number for every word that a task may answer, each its own."""
    return _numbers.setdefault(word, len(_numbers))


@lru_cache(maxsize=64)
def _square(mixture: Mixture, number: int) -> Floats:
    """Σ_y u_T(y)², (T,)."""
    return IN_RANGE**2 * mixture.blocks[number].domain.range_square()


def _share_of_tasks(mixture: Mixture, number: int, x: str, other: str) -> Floats:
    """Σ_y p(y|x,T) p(y|x',T) for every task of a domain, (T,)."""
    one, two = _side(mixture, number, x), _side(mixture, number, other)
    mine, theirs = one.answers, two.answers
    agree = np.zeros(len(mine))
    for s in range(mine.shape[1]):
        for t in range(theirs.shape[1]):
            agree += one.share[:, s] * two.share[:, t] * (mine[:, s] == theirs[:, t])
    both: Floats = one.clean * two.clean * agree + one.clean * two.rest * one.noisy + one.rest * two.clean * two.noisy
    both += one.rest * two.rest * _square(mixture, number)
    return both


def _share_of_codebook(state: CodebookState, x: str, other: str) -> float:
    """Σ_y p(y|x) p(y|x') of a codebook; one code serves both when the inputs are the same."""
    book = state.codebook
    square = IN_RANGE**2 / len(book.labels)
    if x == other:
        weights, rest = state.codes(x)
        hit = sum(w * book.noise(v) for v, w in weights.items()) + rest * IN_RANGE / len(book.labels)
        return (1 - NOISE) ** 2 + 2 * NOISE * (1 - NOISE) * hit + NOISE**2 * square
    labels = list(dict.fromkeys((*book.labels, *state.seen.get(x, ()), *state.seen.get(other, ()))))
    both = zip(state.label_probabilities(x, labels), state.label_probabilities(other, labels), strict=True)
    return sum(p * q for p, q in both)
