"""What the mixture's leaks had to explain: inputs that no task writes, and labels that no task gives.

So that no demonstration has probability zero, x is a stray of p_any with probability `STRAY` and a label is noise with
probability `NOISE` (docs/methods.md §1.3); a codebook's code is odd with probability `ODD` (§1.5). A demonstration that
needed such a leak is one that no task explains. Far more of them than the leaks' own rates give means that the
demonstrations are not of this mixture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.mixture.codebook import ODD, CodebookState
from core.mixture.domain import IN_RANGE, NOISE

if TYPE_CHECKING:
    from core.mixture.mixture import Block, Mixture

Floats = NDArray[np.float64]
Pairs = Sequence[tuple[str, str]]
HELD = 1e-3  # of the largest weight: a latent below it is not looked at, and decides nothing


@dataclass(frozen=True)
class Leaks:
    """How probable it is that a leak made each part of the text, under the posterior over tasks.

    Attributes:
        strays: (k,) P(x_i is a stray that the task cannot write | D).
        labels: (k,) P(y_i is label noise or an odd code, x_i being none of those strays | D).
        query: P(the query is such a stray | D).
        label_rate: P(a label is noise or an odd code) before it is read, the tasks' own rates weighed by the posterior.
    """

    strays: Floats
    labels: Floats
    query: float
    label_rate: float


def find_leaks(mixture: Mixture, pairs: Pairs, query: str, weights: Floats, states: Sequence[CodebookState]) -> Leaks:
    """Weigh every latent's leaks by its posterior.

    For a task t and an input that it can write,

        P(noise | x, y, t) = NOISE u_t(y) / p(y | x, t)

    and an input that it cannot write is a stray for sure. A codebook's label is no leak where it is the code of its
    input, drawn from the book's labels, and not noise; of an input shown before, an odd code counts once.

    Args:
        pairs: (k) demonstrations as (input, label), in order.
        weights: (T,) P(t | D, x) over all latents.
        states: the codebooks' states after the last demonstration, in the order of the latents.
    """
    strays, labels = np.zeros(len(pairs)), np.zeros(len(pairs))
    rate, at_query, total, place = 0.0, 0.0, 0.0, 0
    least = HELD * float(weights.max())
    for block in mixture.blocks:
        tasks = np.flatnonzero(weights[block.tasks] >= least)
        if len(tasks):
            some = weights[block.tasks][tasks]
            for i, (x, y) in enumerate(pairs):
                written, noise = _of_tasks(mixture, block, x, y, tasks)
                strays[i] += (1 - written) * some.sum()
                labels[i] += written * float(some @ noise)
            at_query += float(some.sum()) * (not block.domain.writes(query))
            rate, total = rate + NOISE * float(some.sum()), total + float(some.sum())
        for book in range(len(block.codebooks)):
            weight, state = float(weights[block.codebook(book)]), states[place]
            place += 1
            if weight < least:
                continue
            foreign, odd = _of_codebook(state, pairs)
            strays += weight * foreign
            labels += weight * (1 - foreign) * odd
            at_query += weight * (query not in state.seen and not block.domain.writes(query))
            rate, total = rate + weight * (1 - (1 - NOISE) * (1 - ODD)), total + weight
    return Leaks(strays / total, labels / total, at_query / total, rate / total)


def _of_tasks(mixture: Mixture, block: Block, x: str, y: str, tasks: NDArray[np.intp]) -> tuple[bool, Floats]:
    """Whether the domain writes x, and P(noise | x, y, t) of some of its tasks."""
    domain = block.domain
    written = domain.writes(x)
    if not domain.knows(x):
        return written, np.ones(len(tasks))
    anything = float(np.exp(mixture.anything.log_text(y)))
    noise = NOISE * (IN_RANGE * domain.range_share(y)[tasks] + (1 - IN_RANGE) * anything)
    answers = domain.answers(x)
    clean = np.zeros(len(tasks))
    if y in answers.words:
        given = answers.index[tasks] == answers.words.index(y)
        clean = (1 - NOISE) * (given * answers.share[tasks]).sum(axis=1)
    share: Floats = noise / (noise + clean)
    return written, share


def _of_codebook(state: CodebookState, pairs: Pairs) -> tuple[Floats, Floats]:
    """P(stray) and P(label noise, or an odd code that was not shown before), (k,) each."""
    book, before = state.codebook, set[str]()
    strays, odd = np.zeros(len(pairs)), np.zeros(len(pairs))
    for i, (x, y) in enumerate(pairs):
        codes, _ = state.codes(x)
        noise = NOISE * book.noise(y)
        clean = codes[y] * (1 - NOISE) / (1 - NOISE + noise)
        if x not in before:
            strays[i] = float(not book.domain.writes(x))
            clean *= book.from_labels(y)
        odd[i] = 1 - clean
        before.add(x)
    return strays, odd
