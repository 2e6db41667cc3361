"""What exact Bayes answers, where the mixture that the model was trained on is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.statistics.distributions import softmax
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study
from core.study.verbalisers import as_written

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Pairs = Sequence[tuple[str, str]]


def bayes_answer(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str]
) -> Answer | None:
    """Exact Bayes beside the model's answer; None without a mixture, or where no label has any probability.

    Forward scorers: p(y | x, D) = Σ_T P(T | D) p(y | x, T); scores are its log, probabilities are renormalised over
    the labels, `outside` is what the rest of the vocabulary holds. Channel: scores are log p(x | y, D) in nats,
    probabilities their softmax (uniform P(y)). It reads labels as the template writes them, as the model does. The
    tasks have the prior of the study, where it has one of its own.

    Raises:
        StudyError: the study's prior rules every task out.
    """
    if model.mixture is None:
        return None
    names = tuple(labels)
    study, shown, labels = as_written(study, shown, labels)
    pairs = [(row.input, row.label) for row in shown]
    if study.scoring == "channel":
        scores = _channel(study, model.mixture, pairs, labels)
        if not np.any(np.isfinite(scores)):
            return None
        return Answer(names, scores, softmax(scores))
    p = _predictive(study, model.mixture, pairs, labels)
    inside = float(np.sum(p))
    if not inside > 0:
        return None
    with np.errstate(divide="ignore"):
        scores = np.log(p)
    return Answer(names, scores, p / inside, outside=max(0.0, 1.0 - inside))


def _predictive(study: Study, mixture: Mixture, pairs: Pairs, labels: Sequence[str]) -> Floats:
    """p(y | x, D), (L,)."""
    if not study.prior:
        from core.bayes.predictive import predictive

        last: Floats = predictive(mixture, pairs, study.query, labels, study.instruction)[-1]
        return last
    from core.bayes.by_family import by_family
    from core.bayes.prior import log_factors

    said = by_family(mixture, pairs, study.query, labels, study.instruction)
    p: Floats = said.shares(said.posterior(log_factors(mixture, study.prior))).sum(1)[-1]
    return p


def _channel(study: Study, mixture: Mixture, pairs: Pairs, labels: Sequence[str]) -> Floats:
    """log p(x | y, D) = log Σ_T P(T|D) p(x,y|T) − log Σ_T P(T|D) p(y|T), (L,)."""
    if not study.prior:
        plain: Floats = np.asarray(mixture.channel(pairs, study.query, labels, study.instruction), dtype=np.float64)
        return plain
    from core.bayes.prior import log_factors

    states = mixture.states_after(pairs, study.instruction)
    factors = log_factors(mixture, study.prior)[mixture.family_of]
    weights = softmax(mixture.log_joint(pairs, study.instruction)[-1] + factors)  # (latents,)
    inputs = np.exp(mixture.log_inputs(study.query, states))
    both = (weights * inputs) @ mixture.label_probabilities(study.query, labels, states)
    ratio: Floats = np.log(both) - np.log(weights @ mixture.label_marginals(labels, states))
    return ratio
