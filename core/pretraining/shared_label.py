"""The exact kernel: the probability that two inputs share a label under the exact posterior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.pretraining.codebook import CodebookState
from core.pretraining.domain import IN_RANGE, NOISE, Domain, Floats

if TYPE_CHECKING:
    from core.pretraining.mixture import Mixture

NEGLIGIBLE = 1e-9


def exact_kernel(mixture: Mixture, demonstrations: Sequence[tuple[str, str]], query: str, instruction: str) -> Floats:
    """K(x, x_i) = Σ_T P(T|D) Σ_y p(y|x,T) p(y|x_i,T), (k,).

    Our definition (METHODS §2): the operator kernel of an HMM mixture does not apply here. Symmetric and positive
    semidefinite in (x, x_i). In Σ_y u_T(y)² the squares of p_any are left out: together they are under 1e-5.
    """
    weights = mixture.latent_posterior(demonstrations, instruction)
    states = mixture.states_after(demonstrations, instruction)
    out = np.zeros(len(demonstrations))
    place = 0
    for block in mixture.blocks:
        tasks = weights[block.tasks]
        if tasks.sum() > NEGLIGIBLE:
            for i, (x, _) in enumerate(demonstrations):
                out[i] += tasks @ _share_of_tasks(mixture, block.domain, query, x)
        for b in range(len(block.codebooks)):
            weight = float(weights[block.codebook(b)])
            if weight > NEGLIGIBLE:
                out += weight * np.array([_share_of_codebook(states[place], query, x) for x, _ in demonstrations])
            place += 1
    return out


def _share_of_tasks(mixture: Mixture, domain: Domain, x: str, other: str) -> Floats:
    """Σ_y p(y|x,T) p(y|x',T) for every task of a domain, (T,)."""
    square = IN_RANGE**2 * domain.range_square()

    def side(text: str) -> tuple[float, float, tuple[str, ...], Floats, Floats, Floats]:
        """Weights of clean and noise, answers by task, their shares, and Σ_s share u_T(answer)."""
        if not domain.knows(text):
            empty = np.zeros((len(square), 0))
            return 0.0, 1.0, (), empty, empty, np.zeros(len(square))
        answers = domain.answers(text)
        noise = np.stack(
            [
                IN_RANGE * domain.range_share(word) + (1 - IN_RANGE) * math.exp(mixture.anything.log_text(word))
                for word in answers.words
            ],
            axis=1,
        )
        own = np.take_along_axis(noise, answers.index, axis=1)
        return (
            1 - NOISE,
            NOISE,
            answers.words,
            answers.index.astype(np.float64),
            answers.share,
            (answers.share * own).sum(axis=1),
        )

    clean, rest, words, index, share, noisy = side(x)
    clean2, rest2, words2, index2, share2, noisy2 = side(other)
    ids = {word: i for i, word in enumerate(dict.fromkeys((*words, *words2)))}
    mine = np.array([ids[word] for word in words] or [0])[index.astype(np.int64)]
    theirs = np.array([ids[word] for word in words2] or [0])[index2.astype(np.int64)]
    agree = np.zeros(len(square))
    for s in range(mine.shape[1]):
        for t in range(theirs.shape[1]):
            agree += share[:, s] * share2[:, t] * (mine[:, s] == theirs[:, t])
    both: Floats = clean * clean2 * agree + clean * rest2 * noisy + rest * clean2 * noisy2 + rest * rest2 * square
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
