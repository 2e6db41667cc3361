"""k of the pool, at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "random",
    title="Random",
    help="k of the pool, uniformly without replacement",
    reads=("pool", "k", "selection_seed"),
    sampled=True,
    unranked="Chance ranks nothing: every row of the pool is as likely.",
    baseline=True,
    place=10,
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The first k candidates of one seeded shuffle of the pool.

    The whole pool is shuffled, so a larger k adds to the set and another query (which may itself stand in the pool)
    leaves the rest as it was.
    """
    free = set(candidates(study))
    shuffled = np.random.default_rng(study.selection_seed).permutation(len(study.pool))
    return [int(i) for i in shuffled if int(i) in free][: study.k], None
