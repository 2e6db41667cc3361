"""log p(y | D, x), as a mean over the label's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.scoring import per_token, scorers
from core.scoring.direct import label_pairs
from core.statistics.distributions import softmax
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.prompts import render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@scorers.register(
    "mean-direct",
    title="Mean direct",
    help="how probable each token of the label is after the prompt, on average",
    pairs=label_pairs,
    texts=("the label, after the prompt",),
    length=per_token,
)
def score(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str], stop: Stop | None
) -> Answer:
    """s(y) = (1/T) Σ_t log p(y_t | D, x, y_<t), nats a token; probabilities are softmax(s)."""
    pairs = label_pairs(study, render(shown, study.query, study.template, study.instruction), shown, labels)
    scored = model.score(pairs, stop=stop)
    scores = np.array([np.mean(one.logprobs) for one in scored], dtype=np.float64)
    texts = [ScoredText(text, tuple(one.tokens), one.logprobs) for (_, text), one in zip(pairs, scored, strict=True)]
    return Answer(tuple(labels), scores, softmax(scores), scored=tuple(texts))
