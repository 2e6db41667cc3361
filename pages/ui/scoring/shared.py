"""What the views of the Scoring page share: every way to score, what their results depend on, and what they cost."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from core.analysis.scoring.grid import Combination, combinations
from core.scoring import scorers
from core.scoring.calibration import calibrations
from pages.ui.jobs.analysis import ANSWERS
from pages.ui.jobs.price import price
from pages.ui.jobs.run import outcome
from pages.ui.session import state

if TYPE_CHECKING:
    from core.models import LanguageModel

P = "scoring_"
FREE = 6_000  # texts scored unasked on a model other than the embedded one


def by_key() -> dict[str, Combination]:
    """Every combination by its key, in menu order."""
    return _by_key(scorers.names(), calibrations.names())


@lru_cache(maxsize=2)
def _by_key(scorers_: tuple[str, ...], calibrations_: tuple[str, ...]) -> dict[str, Combination]:
    return {combination.key: combination for combination in combinations()}


def fields_read() -> frozenset[str]:
    """What decides these views: all that decides an answer but the way to score, since they go through every way."""
    return ANSWERS - {field for combination in by_key().values() for field in combination.changes}


def take(key: str) -> None:
    """Score the study that way."""
    state.edit(**by_key()[key].changes)


def cost(texts: int, model: LanguageModel) -> str:
    """A sentence on what work costs where it should be asked for, else ""."""
    return "" if model.mixture is not None else price(texts, model, FREE, labels=len(outcome().answer.labels))
