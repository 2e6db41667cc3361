"""As the demonstrations stand in their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.ordering import Ordered, orderings
from core.runtime.progress import Stop
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@orderings.register("given", title="As given", help="as they stand in the table or the pool", place=0)
def order(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """The order of the source."""
    return list(chosen.indices), None
