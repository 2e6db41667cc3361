"""k of the pool at random, the labels as even as they can be."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "balanced",
    title="Random, balanced",
    help="k of the pool at random, with labels as even as the pool allows",
    reads=("pool", "k", "selection_seed"),
    place=11,
    unranked="Chance ranks nothing: within a label every row is as likely.",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """Deal one seeded shuffle of the pool into piles by label, then take from the piles in turn.

    Counts of any two labels differ by at most one, unless the pool has too few of a label.
    """
    free = set(candidates(study))
    piles: dict[str, list[int]] = {}
    for i in np.random.default_rng(study.selection_seed).permutation(len(study.pool)):
        if int(i) in free:
            piles.setdefault(study.pool[i].label, []).append(int(i))
    dealt = chain.from_iterable(zip_longest(*piles.values()))
    return [i for i in dealt if i is not None][: study.k], None
