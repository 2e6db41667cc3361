"""log p(y | D, x) − log p(y | premise): what the prompt adds to the label's own likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.scoring import scorers
from core.scoring.alike import score_alike
from core.statistics.distributions import softmax
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.prompts import Prompt, before_answer, render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair


def label_pairs(study: Study, prompt: Prompt, shown: Sequence[Demonstration], labels: Sequence[str]) -> list[Pair]:
    """(2L,) every label after the prompt, then every label after the premise alone, or after the start token."""
    bare = study.premise or before_answer(study.template) or None
    answers = [prompt.gap + study.template.word(label) for label in labels]
    return [(before, answer) for before in (prompt.text, bare) for answer in answers]


@scorers.register(
    "pmi",
    title="PMI",
    help="how much more probable the label is after the prompt than after a bare premise",
    reads=("premise",),
    place=30,
    pairs=label_pairs,
    texts=("the label, after the prompt", "the label, after the premise alone"),
)
def score(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str], stop: Stop | None
) -> Answer:
    """s(y) = log p(y | D, x) − log p(y | premise), nats, summed over the label's tokens (Holtzman et al. 2021).

    The premise is the study's, or where that is empty the template's label prefix alone: what stands before an answer
    whatever the input. Where that is white space alone, it is the token that the model starts a text from: without one
    the label's own first token would have no probability. Probabilities are softmax(s). `scored` holds the tokens after
    the prompt, then those after the premise.
    """
    prompt = render(shown, study.query, study.template, study.instruction)
    pairs = label_pairs(study, prompt, shown, labels)
    scored = score_alike(model, pairs, [place // len(labels) for place in range(len(pairs))], stop, from_start=[1])
    totals = np.array([np.sum(s.logprobs) for s in scored], dtype=np.float64).reshape(2, len(labels))
    scores = totals[0] - totals[1]
    texts = tuple(
        ScoredText(continuation, tuple(s.tokens), s.logprobs)
        for (_, continuation), s in zip(pairs, scored, strict=True)
    )
    return Answer(tuple(labels), scores, softmax(scores), scored=texts)
