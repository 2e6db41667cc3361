"""log p(y | D, x)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop
from core.scoring import scorers
from core.scoring.alike import score_alike
from core.statistics.distributions import softmax
from core.study.cleaning import shorten
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, ScoredText
from core.study.prompts import Prompt, render
from core.study.study import Normalisation, Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Scored

Floats = NDArray[np.float64]
TOGETHER = 1 << 16
"""Texts scored in one call: they share their prefixes, and each is held in memory until all are scored."""


def label_pairs(
    study: Study, prompt: Prompt, shown: Sequence[Demonstration], labels: Sequence[str]
) -> list[tuple[str, str]]:
    """(L,) what `LanguageModel.score` is asked about a prompt."""
    return [(prompt.text, prompt.gap + study.template.word(label)) for label in labels]


def length(study: Study, text: ScoredText) -> tuple[int, str]:
    """1, tokens, characters or UTF-8 bytes of the label alone, as the study's normalisation says."""
    if study.normalisation == "sum":
        return 1, ""
    label = text.text.lstrip()  # the gap before the label is the template's
    lengths = {"token": len(text.logprobs), "character": len(label), "byte": len(label.encode())}
    return max(1, lengths[study.normalisation]), f"{study.normalisation}s"


def notes(study: Study, answer: Answer) -> Iterable[str]:
    """Labels of which one begins with the other."""
    tokens = [text.tokens for text in answer.scored]
    for short, name in zip(tokens, answer.labels, strict=True):
        longer = [y for y, t in zip(answer.labels, tokens, strict=True) if t != short and t[: len(short)] == short]
        if longer and short:
            yield (
                f"“{shorten(longer[0])}” begins with the tokens of “{shorten(name)}”, "
                "whose score counts every text that begins so."
            )


@scorers.register(
    "direct",
    title="Direct",
    help="how probable the label is after the prompt",
    reads=("normalisation",),
    place=0,
    pairs=label_pairs,
    texts=("the label, after the prompt",),
    length=length,
    logprob=lambda study: study.normalisation == "sum",
    notes=notes,
)
def score(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str], stop: Stop | None
) -> Answer:
    """s(y) = log p(y | D, x), summed over the label's tokens; options per token, per character, per byte. Where the
    template has a word for y, it is the word's tokens, characters and bytes. Where a token joins the prompt to some of
    the labels, all are scored from its beginning (`score_alike`).

    The label's own tokens are scored, with nothing after them: of two labels where one begins with the other, the
    shorter's probability contains the longer's. `outside` counts such mass once. Probabilities are softmax(s): p over
    the candidates for the sum, a tempered version of it for the means (lm-eval's acc_norm is the mean per character).
    """
    prompt = render(shown, study.query, study.template, study.instruction)
    pairs = label_pairs(study, prompt, shown, labels)
    return answer_from(study, prompt, labels, score_alike(model, pairs, [0] * len(pairs), stop))


def answer_from(study: Study, prompt: Prompt, labels: Sequence[str], scored: Sequence[Scored]) -> Answer:
    """The answer by what the model said of `label_pairs`, (L,)."""
    words = [study.template.word(label) for label in labels]
    totals = np.array([np.sum(s.logprobs) for s in scored], dtype=np.float64)  # (L,)
    scores = np.array(
        [
            normalise(total, len(s.logprobs), word, study.normalisation)
            for total, s, word in zip(totals, scored, words, strict=True)
        ]
    )
    return Answer(
        labels=tuple(labels),
        scores=scores,
        probabilities=softmax(scores),
        outside=mass_outside(totals, [s.ids or s.tokens for s in scored]),
        scored=tuple(
            ScoredText(prompt.gap + word, tuple(s.tokens), s.logprobs) for word, s in zip(words, scored, strict=True)
        ),
    )


def normalise(total: float, tokens: int, label: str, how: Normalisation) -> float:
    """A label's log-probability divided by its length: 1, tokens, characters or UTF-8 bytes of the label alone."""
    lengths = {"sum": 1, "token": tokens, "character": len(label), "byte": len(label.encode())}
    return float(total) / max(1, lengths[how])


def mass_outside(totals: Floats, tokens: Sequence[tuple[str | int, ...]]) -> float:
    """1 − Σ_y p(y | D, x) over the candidates, a label that continues another one counted within it."""
    whole = set(tokens)
    inside = {
        sequence: float(np.exp(total))
        for total, sequence in zip(totals, tokens, strict=True)
        if not any(sequence[:n] in whole for n in range(1, len(sequence)))
    }
    return float(np.clip(1.0 - sum(inside.values()), 0.0, 1.0))


def label_probabilities(
    study: Study,
    model: LanguageModel,
    prompts: Sequence[tuple[Sequence[Demonstration], str]],
    labels: Sequence[str],
    stop: Stop | None = None,
) -> Floats:
    """p(y | D, x) normalised over the labels, (N, L), rows sum to one: softmax of `label_scores`."""
    return softmax(label_scores(study, model, prompts, labels, stop))


def label_scores(
    study: Study,
    model: LanguageModel,
    prompts: Sequence[tuple[Sequence[Demonstration], str]],
    labels: Sequence[str],
    stop: Stop | None = None,
) -> Floats:
    """log p(y | D, x) for many prompts in one call, or a few where labels and prompts are very many.

    Args:
        prompts: (N) pairs of demonstrations shown and input.

    Returns:
        (N, L) nats, not normalised over the labels.
    """
    step = max(1, TOGETHER // max(1, len(labels)))
    found = [_scores_of(study, model, prompts[i : i + step], labels, stop) for i in range(0, len(prompts), step)]
    return np.concatenate(found) if found else np.empty((0, len(labels)))


def _scores_of(
    study: Study,
    model: LanguageModel,
    prompts: Sequence[tuple[Sequence[Demonstration], str]],
    labels: Sequence[str],
    stop: Stop | None,
) -> Floats:
    """(N, L) `label_scores`, in one call."""
    pairs = []
    for shown, text in prompts:
        prompt = render(shown, text, study.template, study.instruction)
        pairs += [(prompt.text, prompt.gap + study.template.word(label)) for label in labels]
    groups = [place // len(labels) for place in range(len(pairs))]
    scored = score_alike(model, pairs, groups, stop)
    totals = np.array([np.sum(s.logprobs) for s in scored], dtype=np.float64)
    return totals.reshape(len(prompts), len(labels))
