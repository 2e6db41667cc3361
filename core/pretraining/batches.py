"""Batches of documents, each drawn from (seed, step) alone."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.pretraining.documents import Writer, draw_document
from core.pretraining.mixture import Mixture

GIVEN_SHARE = 0.1  # share of the given tokens (not answers) that carry a loss

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Group:
    """Documents of like length, padded to one.

    Attributes:
        tokens: (documents, longest) ids.
        scored: (n,) flat places whose next token carries a loss.
        targets: (n,) those next tokens.
    """

    tokens: Ints
    scored: Ints
    targets: Ints


def draw_batch(
    mixture: Mixture, writer: Writer, seed: int, step: int, documents: int, groups: int, codebooks: float = 0.0
) -> list[Group]:
    """The batch of a step. A share `codebooks` of its documents are codebooks, the rest the true mixture."""
    rng = random.Random(f"{seed}/{step}")
    books = [family.name for family in mixture.details if family.kind == "codebook"]
    written = []
    for _ in range(documents):
        family = rng.choice(books) if codebooks and rng.random() < codebooks else None
        written.append(writer.write(draw_document(mixture, rng, family=family)))
    written.sort(key=lambda pair: len(pair[0]))
    out = []
    for g in range(groups):
        some = written[g * documents // groups : (g + 1) * documents // groups]
        longest = len(some[-1][0])
        tokens = np.zeros((len(some), longest), np.int64)
        places: list[int] = []
        for row, (ids, spans) in enumerate(some):
            tokens[row, : len(ids)] = ids
            answers = {place for start, end in spans for place in range(start - 1, end - 1)}
            places += [
                row * longest + place for place in range(len(ids) - 1) if place in answers or rng.random() < GIVEN_SHARE
            ]
        scored = np.array(places)
        out.append(Group(tokens, scored, tokens.ravel()[scored + 1]))
    return out
