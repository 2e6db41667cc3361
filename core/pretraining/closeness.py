"""How close a model is to exact Bayes on fresh documents: KL, accuracy, by family, by n and by template."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.mixture.documents import Document, draw_document
from core.pretraining.first_token import FirstToken
from core.study.demonstrations import Demonstration
from core.study.prompts import TEMPLATES, render

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel


@dataclass(frozen=True)
class Label:
    """One label of one document, as the model and as exact Bayes predict it.

    Attributes:
        family: of the document's task.
        template: it was written in.
        n: demonstrations before it.
        kl: KL(Bayes‖model) in nats; over first tokens, plus log p_Bayes − log p_model of the rest of the label that
            was drawn where that has more tokens, which is the same in expectation.
        right, bayes_right: whether each one's likeliest first token is the label's.
    """

    family: str
    template: str
    n: int
    kl: float
    right: bool
    bayes_right: bool


def compare(model: LanguageModel, mixture: Mixture, document: Document, first: FirstToken) -> list[Label]:
    """Every label of a forward document."""
    pairs = document.pairs
    shown = [Demonstration(input=x, label=y) for x, y in pairs]
    prompts = [render(shown[:n], x, document.template, document.instruction) for n, (x, _) in enumerate(pairs)]
    fits = [len(model.encode(prompt.text).ids) < model.context_length - 8 for prompt in prompts]
    pairs, prompts = pairs[: sum(fits)], prompts[: sum(fits)]
    logs = model.next_logprobs([prompt.text for prompt in prompts]).astype(np.float64)
    exact = first.predictive(pairs[:-1], [x for x, _ in pairs], document.instruction)
    divergence = (exact * (np.log(exact + 1e-300) - logs)).sum(axis=1)
    long = [n for n, (_, y) in enumerate(pairs) if len(first.tokens_of(y)) > 1]
    if long:
        scored = model.score([(prompts[n].text, prompts[n].gap + pairs[n][1]) for n in long])
        for n, score in zip(long, scored, strict=True):
            y = pairs[n][1]
            whole = mixture.predictive(pairs[:n], pairs[n][0], [y], document.instruction)[-1, 0]
            divergence[n] += math.log(whole / exact[n, first.first(y)]) - float(score.logprobs[1:].sum())
    family = mixture.families[mixture.family_of[document.latent]]
    return [
        Label(
            family,
            document.template.name,
            n,
            float(divergence[n]),
            int(logs[n].argmax()) == first.first(y),
            int(exact[n].argmax()) == first.first(y),
        )
        for n, (_, y) in enumerate(pairs)
    ]


def fresh_documents(mixture: Mixture, count: int, seed: int) -> list[Document]:
    """Forward documents of the mixture, drawn as in training but from a seed of their own."""
    rng = random.Random(f"evaluation/{seed}")
    return [draw_document(mixture, rng, reversed_share=0.0) for _ in range(count)]


def over_templates(
    model: LanguageModel, mixture: Mixture, documents: Sequence[Document], first: FirstToken
) -> list[Label]:
    """The same documents written in every template, so that templates are compared on the same labels."""
    return [
        label
        for template in TEMPLATES.values()
        for document in documents
        for label in compare(model, mixture, replace(document, template=template), first)
    ]
