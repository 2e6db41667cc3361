"""The user's own choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.runtime.progress import Stop
from core.selection import Selected, selections
from core.study.cleaning import usable
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "hand-picked",
    title="Hand-picked",
    help="every demonstration in the table that isn't excluded",
    reads=("demonstrations",),
    sampled=True,  # the user's table is taken at its word
    place=0,
    at_once=True,
    unranked="You chose these; nothing was ranked.",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """All usable rows of `study.demonstrations`; k is not read."""
    return [i for i, row in enumerate(study.demonstrations) if usable(row)], None
