"""The examples that the model is least sure of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import PromptTooLong, StudyError
from core.runtime.progress import Stop
from core.scoring.direct import label_probabilities
from core.scoring.labels import task_labels
from core.selection import Selected, candidates, selections, top
from core.statistics.distributions import entropy
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "entropy",
    title="Entropy",
    help="the k inputs of the pool that leave the model least sure of its label",
    reads=("pool", "k"),
    place=30,
    reads_pool=True,
    scores="H(p) = −Σ p ln p in nats of the model's own label distribution for the row without demonstrations: 0 is "
    "sure, ln L undecided among L labels",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k largest H(p(· | I, x_i)) in nats, p the model's zero-shot label distribution (docs/methods.md §4.5).

    p is the direct scorer's: joint probability of each label's tokens after the instruction and x_i, normalised over
    the study's labels (all those of the pool where the study names none). Ties to the lowest index.

    Raises:
        StudyError: an input of the pool alone is longer than the model's context, or there are no labels.
    """
    free = candidates(study)
    if not free or not study.k:
        return [], None
    labels = task_labels(study)
    try:
        p = label_probabilities(study, model, [((), study.pool[i].input) for i in free], labels, stop)  # (n, L)
    except PromptTooLong as error:
        raise StudyError(
            f"An input of the pool takes {error.tokens:,} tokens and this model reads {error.context:,}; "
            "exclude it, or choose another selection than “entropy”."
        ) from None
    return top(study, free, entropy(p))
