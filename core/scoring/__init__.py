"""From a prompt to a distribution over labels: one scorer a file; each file registers itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
Score = Callable[[Study, "LanguageModel", Sequence[Demonstration], Sequence[str], Stop | None], Answer]

scorers: Registry[Score] = Registry("scoring", __name__)


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
