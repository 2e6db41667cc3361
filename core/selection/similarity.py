"""The pool's nearest neighbours of the query (KATE)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.embeddings.encoders import similarities
from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections, top
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "similarity",
    title="Similarity",
    help="the k inputs of the pool nearest to the query",
    reads=("pool", "k", "encoder"),
    place=20,
    baseline=True,
    scores="cos(e(x), e(xᵢ)): how nearly the row's input and the query point the same way, by the encoder",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k largest cos(e(x), e(x_i)) for the study's encoder e (Liu et al. 2022). Ties to the lowest index."""
    free = candidates(study)
    if not free or not study.k:
        return [], None
    return top(study, free, similarities(study, model, study.pool, free))
