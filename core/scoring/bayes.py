"""What exact Bayes answers, where the mixture that the model was trained on is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.demonstrations import Demonstration
from core.outcome import Answer
from core.statistics import softmax
from core.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


def bayes_answer(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str]
) -> Answer | None:
    """Exact Bayes beside the model's answer; None without a mixture, or where no label has any probability.

    Forward scorers: p(y | x, D) = Σ_T P(T | D) p(y | x, T); scores are its log, probabilities are renormalised over
    the labels, `outside` is what the rest of the vocabulary holds. Channel: scores are log p(x | y, D) in nats,
    probabilities their softmax (uniform P(y)).
    """
    if model.mixture is None:
        return None
    pairs = [(row.input, row.label) for row in shown]
    if study.scoring == "channel":
        scores = np.asarray(model.mixture.channel(pairs, study.query, labels, study.instruction), dtype=np.float64)
        if not np.any(np.isfinite(scores)):
            return None
        return Answer(tuple(labels), scores, softmax(scores))
    p = np.asarray(model.mixture.predictive(pairs, study.query, labels, study.instruction), dtype=np.float64)[-1]
    inside = float(np.sum(p))
    if not inside > 0:
        return None
    with np.errstate(divide="ignore"):
        scores = np.log(p)
    return Answer(tuple(labels), scores, p / inside, outside=max(0.0, 1.0 - inside))
