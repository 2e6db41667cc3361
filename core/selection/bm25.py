"""The pool's inputs that share the query's rare words (BM25)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import remark_where_nothing_is_alike
from core.embeddings.segmentation import words
from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections, top
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
K1, B = 1.5, 0.75


@selections.register(
    "bm25",
    title="BM25",
    help="the k inputs of the pool that share most words with the query, rare words counting more",
    reads=("pool", "k"),
    place=21,
    baseline=True,
    scores="Σ over the query's words w of idf(w) · tf / (tf + 1.5 · (0.25 + 0.75 · |xᵢ| / mean |x|)), tf how often w "
    "stands in the row, rare words having the larger idf",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k largest `relevance` of a candidate to the query, among the candidates. Ties to the lowest index."""
    free = candidates(study)
    if not free or not study.k:
        return [], None
    values = relevance([study.pool[i].input for i in free], [study.query])[0]
    remark_where_nothing_is_alike(values)
    return top(study, free, values)


def relevance(corpus: Sequence[str], queries: Sequence[str]) -> Floats:
    """BM25(x, x_i) = Σ_{w in x} idf_w · tf_w(x_i) / (tf_w(x_i) + k1 · (1 − b + b · |x_i| / mean |x|)).

    idf_w = ln(1 + (N − df_w + ½) / (df_w + ½)), as in Lucene: never negative, so that a word which most of a small
    pool has still counts for it and not against it (Robertson's own is, and rank_bm25 floors it at a quarter of the
    mean idf). k1 = 1.5, b = 0.75. A word that stands twice in the query counts twice. Words are those of
    `core.embeddings.segmentation`, as for TF-IDF.

    Args:
        corpus: (N ≥ 1) texts that are searched.
        queries: (Q) texts.

    Returns:
        (Q, N), not negative.
    """
    index = _index(tuple(corpus))
    asked = [words(query) for query in queries]
    nothing = np.zeros(len(corpus))
    return np.stack([nothing if index is None or not query else index.get_scores(query) for query in asked])


@lru_cache(maxsize=4)
def _index(corpus: tuple[str, ...]) -> Any:
    """Kept, as a new query must not count a whole pool again; None where there is not one word."""
    from bm25s import BM25

    tokens = [words(text) for text in corpus]
    if not any(tokens):
        return None
    index = BM25(k1=K1, b=B, method="lucene", dtype="float64")
    index.index(tokens, show_progress=False)
    return index
