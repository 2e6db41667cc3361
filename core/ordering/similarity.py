"""By nearness to the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.embeddings.encoders import similarities
from core.ordering import Ordered, orderings
from core.runtime.progress import Stop
from core.selection import table_of
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@orderings.register(
    "nearest-last",
    title="Nearest last",
    help="the most similar next to the query",
    reads=("encoder",),
    place=20,
    reverse="nearest-first",
)
def nearest_last(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """cos(e(x), e(x_i)) ascending; the reverse of nearest first, ties included."""
    return nearest_first(study, model, chosen, stop)[0][::-1], None


@orderings.register(
    "nearest-first",
    title="Nearest first",
    help="the most similar farthest from the query",
    reads=("encoder",),
    place=21,
    reverse="nearest-last",
)
def nearest_first(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """cos(e(x), e(x_i)) descending, ties to the lowest index."""
    source = table_of(study, chosen)
    nearness = similarities(study, model, source, chosen.indices)
    return [chosen.indices[i] for i in np.argsort(-np.round(nearness, 6), kind="stable")], None
