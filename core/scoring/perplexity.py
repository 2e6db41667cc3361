"""The label whose whole text the model finds least surprising."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.scoring import per_token, posterior_of_means, scorers
from core.scoring.alike import score_alike
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.prompts import Prompt, render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


def whole_texts(
    study: Study, prompt: Prompt, shown: Sequence[Demonstration], labels: Sequence[str]
) -> list[tuple[str, str]]:
    """(L,) the prompt and a label as one text, with nothing before it."""
    return [("", prompt.text + prompt.gap + study.template.word(label)) for label in labels]


def notes(study: Study, answer: Answer) -> Iterable[str]:
    """Where it ranks as direct scoring does."""
    if len({len(text.tokens) for text in answer.scored}) == 1:
        yield "All labels have the same number of tokens, so perplexity ranks them exactly as direct scoring does."


@scorers.register(
    "perplexity",
    title="Perplexity",
    help="how little the whole text surprises the model, prompt and label together",
    place=10,
    pairs=whole_texts,
    texts=("the whole text: demonstrations, query, label",),
    length=per_token,
    sharpened=True,
    notes=notes,
)
def score(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str], stop: Stop | None
) -> Answer:
    """s(y) = −(1/N) Σ_t −log p(t | earlier), over all N tokens of D, x, y that have something before them.

    argmax s is argmin exp(mean cross-entropy) (docs/methods.md §3.3). With labels of one length this ranks as `direct`
    does; a
    longer label dilutes the surprise of the same prompt over more tokens. Probabilities are softmax(N̄ · s).

    Reference differs: OpenICL divides by the number of tokens N where N − 1 are predicted, and takes no exponential.
    """
    prompt = render(shown, study.query, study.template, study.instruction)
    pairs = whole_texts(study, prompt, shown, labels)
    scored = score_alike(model, pairs, [0] * len(pairs), stop)
    counts = np.array([max(1, len(s.logprobs)) for s in scored], dtype=np.float64)
    scores = np.array([np.sum(s.logprobs) for s in scored], dtype=np.float64) / counts
    texts = tuple(ScoredText(text, tuple(s.tokens), s.logprobs) for (_, text), s in zip(pairs, scored, strict=True))
    return Answer(tuple(labels), scores, posterior_of_means(scores, counts), scored=texts)
