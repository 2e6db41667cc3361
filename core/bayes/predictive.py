"""What exact Bayes answers to the query after every demonstration, computed once for all who ask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, singledispatch
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.probing import said_of, seen_labels, urn
from core.statistics.distributions import softmax

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

Floats = NDArray[np.float64]
Pairs = Sequence[tuple[str, str]]


@singledispatch
def predictive(mixture: Mixture, pairs: Pairs, query: str, labels: Sequence[str], instruction: str = "") -> Floats:
    """p(y | x, D_n) = Σ_t P(t | D_n, x) p(y | x, t, D_n) over latents t, read at the labels: (k + 1, L), read only.

    The number that `Mixture.predictive` gives, for all n at once: what a task answers does not move with n, nor does a
    codebook's answer to an input that was not shown, and p(x | codebook, D_n) moves as its urn says.
    """
    return _predictive(mixture, tuple(pairs), query, tuple(labels), instruction)


@lru_cache(maxsize=32)
def _predictive(
    mixture: Mixture, pairs: tuple[tuple[str, str], ...], query: str, labels: tuple[str, ...], instruction: str
) -> Floats:
    if not labels:
        nothing = np.zeros((len(pairs) + 1, 0))
        nothing.setflags(write=False)
        return nothing
    log_any = mixture.anything.log_text(query)
    anything = np.exp([mixture.anything.log_text(y) for y in labels])
    logs = mixture.log_joint(pairs, instruction).copy()  # (k + 1, latents)
    answers = np.zeros((logs.shape[1], len(labels)))  # p(y | x, t), for n = 0
    seen = seen_labels(pairs, query)
    for block in mixture.blocks:
        tasks = slice(0, block.first_codebook - block.start)
        logs[:, block.tasks] += block.log_inputs(query, (), log_any)[tasks]
        answers[block.tasks] = block.label_probabilities(query, labels, (), anything)
        for i, book in enumerate(block.codebooks):
            logs[:, block.codebook(i)] += np.log(urn(book, query, seen))
            answers[block.codebook(i)] = said_of(book, query, (), labels)
    weights = softmax(logs)
    found: Floats = weights @ answers
    if seen[-1]:  # a code that was shown is no longer a fresh one
        for block in mixture.blocks:
            for i, book in enumerate(block.codebooks):
                latent = block.codebook(i)
                moved = np.array([said_of(book, query, shown, labels) for shown in seen]) - answers[latent]
                found += weights[:, latent, None] * moved
    found.setflags(write=False)
    return found
