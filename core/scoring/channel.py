"""log p(x | D, y): the label that best explains the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.scoring import per_token, posterior_of_means, scorers
from core.scoring.alike import score_alike
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.prompts import render_channel
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


def query_pairs(study: Study, shown: Sequence[Demonstration], labels: Sequence[str]) -> list[tuple[str, str]]:
    """(L,) the query after each label, demonstrations label first."""
    prompts = [render_channel(shown, label, study.template, study.instruction) for label in labels]
    return [(one.text, one.gap + study.query) for one in prompts]


@scorers.register(
    "channel",
    title="Channel",
    help="how well the label explains the input: demonstrations are shown label first",
    reads=("label_prior",),
    place=20,
    pairs=lambda study, prompt, shown, labels: query_pairs(study, shown, labels),
    direction="channel",
    texts=("the query, after demonstrations label first and this label",),
    length=per_token,
    sharpened=True,
    adds="log P(y) ÷ tokens",
)
def score(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str], stop: Stop | None
) -> Answer:
    """s(y) = (1/T) Σ_t log p(x_t | D in y → x order, y, x_<t), mean over the T tokens of x (Min et al. 2022).

    Probabilities are softmax(T̄ · s) = P(y | x, D) by Bayes's rule with uniform P(y): x has the same tokens under every
    label, so the mean changes no ranking. With `label_prior` "shown", log P(y) / T̄ is added, P(y) the labels' shares
    among the demonstrations shown with one added to each (Laplace), so that probabilities follow Bayes's rule with it.
    """
    pairs = query_pairs(study, shown, labels)
    scored = score_alike(model, pairs, [0] * len(pairs), stop)
    counts = np.array([max(1, len(s.logprobs)) for s in scored], dtype=np.float64)
    scores = np.array([np.sum(s.logprobs) for s in scored], dtype=np.float64) / counts
    if study.label_prior == "shown":
        seen = np.array([1.0 + sum(row.label == label for row in shown) for label in labels])
        scores = scores + np.log(seen / seen.sum()) / np.mean(counts)
    texts = tuple(ScoredText(text, tuple(s.tokens), s.logprobs) for (_, text), s in zip(pairs, scored, strict=True))
    return Answer(tuple(labels), scores, posterior_of_means(scores, counts), scored=texts)
