"""The longest inputs of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections, top
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "longest",
    title="Longest",
    help="the k longest inputs of the pool",
    reads=("pool", "k"),
    scores="the number of characters of the input",
    baseline=True,
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k longest inputs, by characters."""
    free = candidates(study)
    return top(study, free, np.array([len(study.pool[i].input) for i in free], dtype=np.float64))
