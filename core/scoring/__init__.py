"""From a prompt to a distribution over labels: one scorer a file; each file registers itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.demonstrations import Demonstration
from core.outcome import Answer
from core.registry import Registry
from core.statistics import softmax
from core.study import Study
from core.tidy import Stop, check
from core.verbalisers import check_words

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Score = Callable[[Study, "LanguageModel", Sequence[Demonstration], Sequence[str], Stop | None], Answer]

scorers: Registry[Score] = Registry("scoring", __name__)


def score(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    stop: Stop | None = None,
) -> Answer:
    """The study's scorer over `labels` after `shown`, in the order given, with the study's calibration.

    Raises:
        StudyError: no such scorer or calibration, one that needs a pool where there is none, or a template that writes
            two labels alike.
        PromptTooLong: the prompt and a label are longer than the model's context.
    """
    check(stop)
    check_words(study.template, (*labels, *(row.label for row in shown)))
    answer = scorers.find(study.scoring).function(study, model, shown, labels, stop)
    if study.calibration == "none":
        return answer
    from core.calibration import calibrate

    return calibrate(study, model, shown, labels, answer, stop)


def posterior_of_means(means: Floats, counts: Floats) -> Floats:
    """softmax(N̄ · mean), N̄ the average number of scored tokens over the candidates.

    A mean log-probability per token is a tempered score: its own softmax is almost flat on a long text. Times one
    common N̄ it keeps the ranking, and where every candidate has the same number of tokens it is the softmax of joint
    log-probabilities, which is what Bayes's rule with a uniform prior asks for.

    Args:
        means: (L,) log-probability per token, nats.
        counts: (L,) tokens behind each.
    """
    return softmax(means * float(np.mean(counts)))
