"""Near to the query and unlike each other: maximal marginal relevance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import similarities
from core.embeddings.unit_vectors import cosines, unit_vectors
from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


@selections.register(
    "mmr",
    title="MMR",
    help="near to the query and unlike those already chosen, in the balance that λ sets",
    reads=("pool", "k", "encoder", "mmr_lambda", "shortlist"),
    place=41,
    scores="λ · cos(x, xᵢ) − (1 − λ) · largest cos(xᵢ, one already chosen), for a chosen one when it was taken, for "
    "another in the next place",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """`marginal_relevance` (Carbonell & Goldstein 1998) among the `study.shortlist` inputs nearest to the query.

    The score of a chosen one is its value when it was chosen, of another its value for the next place.
    """
    near, relevance, similarity = near_the_query(study, model)
    picked, values = marginal_relevance(relevance, similarity, min(study.k, len(near)), study.mmr_lambda)
    scores = np.full(len(study.pool), np.nan)
    scores[near] = values
    return [near[i] for i in picked], scores


def near_the_query(study: Study, model: LanguageModel) -> tuple[list[int], Floats, Floats]:
    """The candidates nearest to the query, `study.shortlist` of them and no fewer than k, in the pool's order.

    Returns:
        Their (n) places, their (n,) cosines with the query, and their (n, n) cosines with each other.
    """
    free = candidates(study)
    if not free or not study.k:
        return [], np.zeros(0), np.zeros((0, 0))
    nearness = similarities(study, model, study.pool, free)
    best = np.argsort(-np.round(nearness, 6), kind="stable")[: max(study.shortlist, study.k)]
    kept = np.sort(best)
    near = [free[i] for i in kept]
    vectors = unit_vectors(study.encoder, model, [study.pool[i].input for i in near])
    return near, nearness[kept], cosines(vectors)


def marginal_relevance(relevance: Floats, similarity: Floats, k: int, balance: float) -> tuple[list[int], Floats]:
    """Choose argmax_i λ · rel_i − (1 − λ) · max_{j chosen} sim_ij, k times; the maximum over none is 0.

    Ties go to the lowest index.

    Args:
        relevance: (n,) sim(q, x_i).
        similarity: (n, n) sim(x_i, x_j).
        k: at most n.
        balance: λ in [0, 1].

    Returns:
        The k places in the order chosen, and (n,) values as they stood when a place was chosen, or at the end.
    """
    likest = np.zeros(len(relevance))
    values = balance * relevance
    picked: list[int] = []
    open_ = np.ones(len(relevance), dtype=bool)
    for _ in range(k):
        values[open_] = (balance * relevance - (1 - balance) * likest)[open_]
        best = int(np.argmax(np.where(open_, np.round(values, 6), -np.inf)))
        open_[best] = False
        likest = similarity[best].copy() if not picked else np.maximum(likest, similarity[best])
        picked.append(best)
    values[open_] = (balance * relevance - (1 - balance) * likest)[open_]
    return picked, values
