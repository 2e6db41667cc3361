"""In which order the demonstrations are shown: one strategy a file (or two that differ in a sign).

An ordering gets places in the order in which they stand in their source and returns the same places, the last one
next to the query; entropy orders also return what every permutation tried scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.cost import metered
from core.runtime.progress import Stop, check
from core.runtime.registry import Entry, Registry
from core.selection import selections
from core.study.demonstrations import Demonstration
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Ordered = tuple[list[int], Floats | None]
Order = Callable[[Study, "LanguageModel", Chosen, Stop | None], Ordered]


@dataclass(frozen=True)
class Ordering(Entry[Order]):
    """An ordering, and what other code asks of it.

    Attributes:
        reverse: name of the ordering that shows the same demonstrations the other way round; "" where there is none.
        tries: whether it asks the model what it answers under many orders, which takes far longer than an answer.
    """

    _: KW_ONLY
    reverse: str = ""
    tries: bool = False


orderings = Registry("ordering", Ordering, __name__, plain="given")


def as_they_stand(study: Study, rows: Sequence[Demonstration]) -> Study:
    """The study with these demonstrations in its table, all of them shown in this order."""
    update = {"demonstrations": tuple(rows), "selection": selections.plain, "ordering": orderings.plain}
    return study.model_copy(update=update)


def order(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None = None) -> Chosen:
    """`chosen` with its places in the study's order, the first `study.shots` of them where that is set.

    Demonstrations are left out last of all: a selection has picked its k and an ordering has ordered all of them, so
    that zero, one and few shots of one study are prefixes of each other.

    Raises:
        StudyError: no such ordering.
        PromptTooLong: an entropy order tries prompts longer than the model's context.
    """
    check(stop)
    strategy = orderings.find(study.ordering)
    with metered() as meter:
        indices, scores = strategy.function(study, model, chosen, stop)
    notes = tuple(dict.fromkeys((*chosen.notes, *meter.remarks)))
    ordered = replace(chosen, indices=tuple(indices), order_scores=scores, notes=notes)
    if study.shots is None or study.shots >= len(indices):
        return ordered
    kept, left_out = ordered.indices[: study.shots], ordered.indices[study.shots :]
    which = ("none", "one")[study.shots] if study.shots < 2 else f"the first {study.shots}"
    are = "is" if study.shots == 1 else "are"
    note = f"“Shots” is {study.shots}: {which} of the {len(indices)} demonstrations chosen {are} shown."
    return replace(ordered, indices=kept, left_out=left_out, notes=(*ordered.notes, note))
