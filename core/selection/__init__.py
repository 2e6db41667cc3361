"""Which demonstrations are shown.

A selection returns a set: places in its source, without an order (the literature's conventions conflict,
docs/methods.md §4.1),
and a score for every place of the source where it ranks. One strategy a file; each file registers itself.

Where the pool has no more than k candidates there is nothing to choose, and most strategies show them all unasked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError
from core.runtime.cost import metered
from core.runtime.progress import Stop, check
from core.runtime.registry import Entry, Registry
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


class Picked(NamedTuple):
    """What a strategy found.

    Attributes:
        indices: places in its source, or in `rows` where it has rows of its own.
        scores: (N,) a score for every place of the source, NaN where there is none; None where nothing is ranked.
        notes: what a reader must know, one sentence each.
        rows: demonstrations that are in no table, because the model wrote them.
    """

    indices: list[int]
    scores: Floats | None = None
    notes: tuple[str, ...] = ()
    rows: tuple[Demonstration, ...] = ()


Selected = Picked | tuple[list[int], Floats | None]
"""A strategy with nothing more to say returns places and scores alone."""
Select = Callable[[Study, "LanguageModel", Stop | None], Selected]

Source = Literal["demonstrations", "pool"]


@dataclass(frozen=True)
class Selection(Entry[Select]):
    """A selection, and what other code asks of it.

    Attributes:
        sampled: True where the demonstrations remain independent draws from the pool, so that exact Bayes stays well
            specified.
        scores: what a score is, one sentence with the formula; "" where nothing is ranked.
        unranked: why nothing is, one sentence, where that is so.
        at_once: True where what is chosen is chosen as one set, so that none of it comes first.
        reads_pool: True where it puts every row of the pool through the model each time: a page that shows all
            selections runs it on request where the pool is large.
        baseline: True for what others are usually held against: a page that compares selections begins with these.
    """

    _: KW_ONLY
    sampled: bool = False
    scores: str = ""
    unranked: str = ""
    at_once: bool = False
    reads_pool: bool = False
    baseline: bool = False

    @property
    def source(self) -> Source:
        """Which table it chooses from."""
        return "demonstrations" if "demonstrations" in self.reads else "pool"


selections = Registry("selection", Selection, __name__, plain="hand-picked")


def select(study: Study, model: LanguageModel, stop: Stop | None = None) -> Chosen:
    """The study's own choice, in the order in which the demonstrations stand in their source.

    Raises:
        StudyError: no such selection, or nothing in the pool to choose from.
    """
    check(stop)
    strategy = selections.find(study.selection)
    with metered() as meter:
        found = Picked(*strategy.function(study, model, stop))
    return Chosen(
        source="generated" if found.rows else source_of(study),
        indices=tuple(sorted(found.indices)),
        scores=found.scores,
        generated=found.rows,
        notes=(*found.notes, *dict.fromkeys(meter.remarks)),
        cost=meter.spent,
        learned=meter.learned,
        taken=tuple(found.indices),
    )


def source_of(study: Study) -> Source:
    """Which table the study's selection reads."""
    return selections.find(study.selection).source


def table_of(study: Study, chosen: Chosen) -> tuple[Demonstration, ...]:
    """Where the indices of `chosen` point: the table, the pool, or what the model wrote."""
    if chosen.source == "generated":
        return chosen.generated
    return study.demonstrations if chosen.source == "demonstrations" else study.pool


def rows_of(study: Study, chosen: Chosen) -> tuple[Demonstration, ...]:
    """The demonstrations that `chosen` points at, in its order."""
    source = table_of(study, chosen)
    return tuple(source[i] for i in chosen.indices)


def rows_chosen(study: Study, chosen: Chosen) -> tuple[Demonstration, ...]:
    """Those shown, and after them those that `study.shots` leaves out: candidate labels come from all of them."""
    source = table_of(study, chosen)
    return tuple(source[i] for i in (*chosen.indices, *chosen.left_out))


def candidates(study: Study) -> list[int]:
    """Places in the pool that may be chosen: usable rows whose input is not the query (its label would leak).

    Raises:
        StudyError: k is above 0 and there is nothing to choose from.
    """
    places = [i for i, row in enumerate(study.pool) if usable(row)]
    if not places and study.k:
        raise StudyError(
            f"The pool is empty, so “{study.selection}” has nothing to choose from; "
            "add examples to the pool or pick demonstrations by hand."
        )
    free = [i for i in places if study.pool[i].input.strip() != study.query.strip()]
    if not free and study.k:
        raise StudyError("The pool holds nothing but the query itself; add other examples to the pool.")
    return free


def top(study: Study, places: list[int], values: Floats) -> Selected:
    """The k places of highest value (ties to the lowest index), and the values spread over the whole pool.

    Args:
        places: (n,) places in the pool.
        values: (n,) their values.

    Returns:
        The places chosen, and (N,) values with NaN where the pool's row was no candidate.
    """
    scores = np.full(len(study.pool), np.nan)
    scores[places] = values
    # Packed passes move a value by about 1e-7: rounding keeps equal texts tied.
    best = np.argsort(-np.round(values, 6), kind="stable")[: study.k]
    return [places[i] for i in best], scores
