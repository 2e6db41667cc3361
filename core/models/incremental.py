"""Texts that grow by a token a step: every token read once, kept in the cache of keys and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from core.models.packing import Limits
from core.models.passes import Passes
from core.models.trie import Ints, shared

if TYPE_CHECKING:
    pass

Floats = NDArray[np.float64]
Until = str | Sequence[str]


class Growing:
    """Texts of one number of tokens, which take a token each at a time.

    Args:
        passes: of the model, whose lock the caller holds whenever it asks for log-probabilities.
        ids: (B, n ≥ 1) the texts so far.
        places: (B,) of the texts in the caller's list.
        cache: keys and values of the first tokens, which all B share, for one row; None where the architecture keeps
            none, so that every step reads the whole texts.
    """

    def __init__(self, passes: Passes, ids: Ints, places: Sequence[int], cache: DynamicCache | None) -> None:
        self._passes, self._ids, self.places = passes, ids, tuple(places)
        self._cache = cache if cache is None or not cache.layers else _rows(cache, [0] * len(ids))

    def __len__(self) -> int:
        return int(self._ids.shape[1])

    def logprobs(self) -> NDArray[np.float32]:
        """(B, V) log p(next | text so far)."""
        device, front = self._passes.model.device, 0
        inputs: dict[str, Any] = {"use_cache": self._cache is not None}
        if self._cache is not None:
            front = self._cache.get_seq_length() if self._cache.layers else 0
            # ALiBi counts its distances from the mask, which must cover what the cache holds.
            mask = torch.ones(self._ids.shape, dtype=torch.int64, device=device)
            inputs |= {"past_key_values": self._cache, "attention_mask": mask}
        inputs["input_ids"] = torch.from_numpy(np.ascontiguousarray(self._ids[:, front:])).to(device)
        logits = self._passes.last(inputs).logits[:, -1]
        values: NDArray[np.float32] = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
        return values

    def take(self, tokens: Sequence[int]) -> None:
        """Append a token to every text."""
        self._ids = np.concatenate([self._ids, np.array(tokens, dtype=np.int64)[:, None]], axis=1)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone."""
        self._ids = self._ids[list(rows)]
        if self._cache is not None:
            self._cache = _rows(self._cache, rows)


def growing(
    passes: Passes, sequences: Sequence[Ints], *, cacheable: bool, vocabulary: int, limits: Limits
) -> Iterator[Growing]:
    """The sequences as batches that grow together; the caller holds the model's lock while it asks for the next one.

    Args:
        sequences: token ids, each of at least one token.
        cacheable: whether keys and values may be kept from step to step.
        vocabulary: size of a row of logits.
        limits: what a pass may hold.
    """
    if not len(sequences):
        return
    front = min(min(shared(sequences[0], other) for other in sequences), min(map(len, sequences)) - 1)
    trunk = None
    if cacheable and len(sequences) > 1 and front >= limits.shortest_trunk:
        trunk = passes.cache(sequences[0][:front])
    lengths = np.array([len(sequence) for sequence in sequences])
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length).tolist()
        read = length - front if trunk is not None else length
        most = max(1, min(limits.tokens // read, 16 * limits.tokens // length, limits.logits // (vocabulary * read)))
        for start in range(0, len(places), most):
            rows = places[start : start + most]
            cache = DynamicCache() if cacheable and trunk is None else trunk
            yield Growing(passes, np.stack([sequences[place] for place in rows]), rows, cache)


def _rows(cache: DynamicCache, rows: Sequence[int]) -> DynamicCache:
    """A copy of some rows of a cache, which may grow without touching the original."""
    layers: list[Any] = list(cache.layers)
    index = list(rows)
    return DynamicCache([(layer.keys[index], layer.values[index]) for layer in layers])
