"""What a model says: scored continuations, and the inside of one forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pair = tuple[str | None, str]
"""(context, continuation); None for the token that the model starts from, where its tokenizer puts none in front."""


@dataclass(frozen=True)
class Scored:
    """The scored tokens of one continuation.

    Attributes:
        tokens: (t,) as text.
        logprobs: (t,) natural log p(token | everything before it).
        ids: (t,) their numbers.
        begins: character of the text where the first token that ends in the continuation begins.
        overlap: characters of the context that this token holds as well.
        left_out: number of that token where it is the text's first and so has no log-probability, else None.
    """

    tokens: tuple[str, ...]
    logprobs: NDArray[np.float64]
    ids: tuple[int, ...] = ()
    begins: int = 0
    overlap: int = 0
    left_out: int | None = None


class Answers(NamedTuple):
    """What came of asking several things in the same passes.

    Attributes:
        scores: for each (context, continuation) that was scored.
        rows: (N, V) natural log p(next token | text).
        reading: of the text that was looked at, its last token's attention; None where it could not be had in passing.
        vectors: (d,) `embed` of the texts that came along; those that could not be had in passing are missing.
    """

    scores: list[Scored]
    rows: NDArray[np.float32]
    reading: Reading | None = None
    vectors: Mapping[str, NDArray[np.float32]] = MappingProxyType({})


@dataclass(frozen=True)
class Reading:
    """One forward pass over one text of t tokens.

    Attributes:
        ids, texts: (t,) tokens as numbers and as text; BOS counts where the tokenizer adds it.
        starts, ends: (t,) character span of each token in the text; a token that the tokenizer added has (0, 0).
        attention: (layers, heads, rows, t) attention of the query rows asked for; every row sums to one. None where
            the architecture has no attention weights to give.
        hidden: (layers + 1, t, d) hidden states, the embedding first, or None when not asked for.
        map: (t, t) attention of the head asked for, rows are "from", or None.
        logprobs: (V,) natural log p(next token | text).
    """

    ids: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    texts: tuple[str, ...]
    attention: NDArray[np.float32] | None
    hidden: NDArray[np.float32] | None
    map: NDArray[np.float32] | None
    logprobs: NDArray[np.float32]
