"""An outcome under another right answer: what the model said stays, what it is held against changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.reasoning import written_by
from core.scoring.labels import candidate_labels
from core.study.cleaning import tidied
from core.study.outcome import Outcome
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


def with_gold(outcome: Outcome, model: LanguageModel, gold: str | None) -> Outcome | None:
    """The outcome of the same study with another right answer, without a model pass.

    Args:
        outcome: of `run(study, model)`.
        model: that it came of.
        gold: the other right answer, None where it is not known.

    Returns:
        What `run` would return, `timings` apart; None where the right answer is, or was, a candidate that nothing else
        names, since the other candidates' probabilities then depend on it.
    """
    study = outcome.study.model_copy(update={"gold": gold})
    if _candidates(study, model, outcome) != _candidates(outcome.study, model, outcome):
        return None
    return replace(outcome, study=study, written=written_by(tidied(study), model, outcome.reasoning))


def _candidates(study: Study, model: LanguageModel, outcome: Outcome) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The candidates of a study that shows what the outcome shows, and the notes on them."""
    return candidate_labels(tidied(study), model, outcome.demonstrations)
