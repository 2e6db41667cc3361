"""Vectors of inputs, kept while their model lives: a new query must not embed a whole pool again."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from core.runtime.lru import LRU, RowsByText

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
MAX_BYTES = 64 * 2**20
"""Kept for one model; the texts asked for longest ago go first."""


class Embeds(Protocol):
    """A model that gives a vector for a text: a language model or a sentence encoder."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, d) a row for every text."""
        ...


MANY = 256
"""Texts of which the unit vectors are kept as one matrix too, so that a query takes one product."""
MATRICES = 4
"""Such matrices kept for one model."""

_kept = RowsByText()
_matrices: WeakKeyDictionary[Embeds, LRU[tuple[str, ...], Floats]] = WeakKeyDictionary()
_lock = threading.Lock()


def input_vectors(model: Embeds, texts: Sequence[str]) -> Vectors:
    """(N, d) `model.embed(texts)`, of which only what was not asked for lately is computed.

    Raises:
        PromptTooLong: a text is longer than the model's context.
    """
    return _kept.rows(model, texts, model.embed, MAX_BYTES)


def unknown(model: Embeds, texts: Sequence[str]) -> list[str]:
    """Those of these texts, each once, that `input_vectors` would compute."""
    return _kept.missing(model, texts)


def keep_vectors(model: Embeds, vectors: Mapping[str, Vectors]) -> None:
    """Keep (d,) vectors by text, at least one, that the model gave otherwise than by `embed`."""
    _kept.rows(model, list(vectors), lambda missing: np.stack([vectors[text] for text in missing]), MAX_BYTES)


def unit_rows(model: Embeds, texts: Sequence[str]) -> Floats:
    """(N, d) e / ‖e‖ for every text, zero where e is. Nobody writes into it.

    Raises:
        PromptTooLong: a text is longer than the model's context.
    """
    key = tuple(texts)
    found = _matrix(model, key)
    if found is None:
        found = _unit(input_vectors(model, texts))
        _keep_matrix(model, key, found)
    return found


def query_cosines(model: Embeds, query: str, texts: Sequence[str]) -> Floats:
    """(N,) cos(e(query), e(text)), 0 where a vector is zero.

    Raises:
        PromptTooLong: a text or the query is longer than the model's context.
    """
    key = tuple(texts)
    rows = _matrix(model, key)
    if rows is None:
        both = _unit(input_vectors(model, [query, *texts]))  # in one pass where nothing is known yet
        asked, rows = both[0], both[1:]
        _keep_matrix(model, key, rows)
    else:
        asked = _unit(input_vectors(model, [query]))[0]
    cosine: Floats = rows @ asked
    return cosine


def _unit(vectors: Vectors) -> Floats:
    wide = vectors.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: Floats = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)
    return unit


def _matrix(model: Embeds, key: tuple[str, ...]) -> Floats | None:
    with _lock:
        kept = _matrices.get(model)
    return None if kept is None else kept.get(key)


def _keep_matrix(model: Embeds, key: tuple[str, ...], rows: Floats) -> None:
    if len(key) < MANY or rows.nbytes > MAX_BYTES:
        return
    with _lock:
        kept = _matrices.setdefault(model, LRU(MATRICES))
    kept.put(key, rows)
