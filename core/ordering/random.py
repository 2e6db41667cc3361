"""At random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.ordering import Ordered, orderings
from core.runtime.progress import Stop
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@orderings.register("random", title="Random", help="a seeded shuffle", reads=("ordering_seed",), place=10)
def order(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """A uniform permutation drawn with `ordering_seed`."""
    shuffled = np.random.default_rng(study.ordering_seed).permutation(len(chosen.indices))
    return [chosen.indices[i] for i in shuffled], None
