"""Taking a scorer's own bias for some labels out of its answer: one way a file, each names inputs that decide nothing.

    p_cf(y) = mean over those inputs of the label's raw probability, then normalised over the labels
    q(y) ∝ p(y) / p_cf(y)

Averaged first and normalised after, as Zhao et al. 2021 do. Works with any scorer: raw is exp(score) where a score is
a log-probability (direct, summed), the probability over the candidates elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop
from core.runtime.registry import Registry
from core.statistics.distributions import softmax
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Inputs = Callable[[Study, Sequence[Demonstration]], Sequence[str]]

calibrations: Registry[Inputs] = Registry("calibration", __name__)

TINY = 1e-12  # a label that is never probable on any input is not divided by zero


def calibrate(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    answer: Answer,
    stop: Stop | None = None,
) -> Answer:
    """The answer with the study's calibration; its `bias` is p_cf, its scores are log p − log p_cf in nats.

    Raises:
        StudyError: no such calibration, or it needs a pool and there is none.
        PromptTooLong: a prompt with one of its inputs is longer than the model's context.
    """
    inputs = calibrations.find(study.calibration).function(study, shown)
    if not inputs:
        return answer
    from core.scoring.together import score_together

    plain = study.model_copy(update={"calibration": "none"})
    requests = [(plain.model_copy(update={"query": text}), shown, labels) for text in inputs]
    answers = score_together(requests, model, stop)
    return divided(answer, bias_of([raw(study, one) for one in answers]), raw(study, answer))


def raw(study: Study, answer: Answer) -> Floats:
    """What is averaged: exp(score) for summed log-probabilities, else the probability over the candidates, (L,)."""
    if study.scoring == "direct" and study.normalisation == "sum":
        return np.exp(answer.scores)
    return answer.probabilities


def bias_of(rows: Sequence[Floats]) -> Floats:
    """p_cf: the mean of the rows, normalised, (L,)."""
    mean = np.mean(np.asarray(rows, dtype=np.float64), axis=0) + TINY
    bias: Floats = mean / mean.sum()
    return bias


def divided(answer: Answer, bias: Floats, p: Floats) -> Answer:
    """q ∝ p / p_cf."""
    scores = np.log(p + np.finfo(np.float64).tiny) - np.log(bias)
    return replace(answer, scores=scores, probabilities=softmax(scores), bias=bias)
