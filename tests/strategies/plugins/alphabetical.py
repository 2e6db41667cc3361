"""In the order of the alphabet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.ordering import Ordered, orderings
from core.runtime.progress import Stop
from core.selection import rows_of
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@orderings.register("alphabetical", title="Alphabetical", help="by the alphabet, the last one next to the query")
def order(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """Places sorted by their input; nothing is scored."""
    places = zip(rows_of(study, chosen), chosen.indices, strict=True)
    return [place for _, place in sorted(places, key=lambda pair: pair[0].input)], None
