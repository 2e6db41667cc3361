"""The demonstrations that say most of the task, where the task is learned as a few new tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop, part
from core.selection import Selected, candidates, selections, top
from core.selection.learning.splits import learn_once
from core.study.prompts import closing, render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
STEPS = 150


@selections.register(
    "latent-concept",
    title="Latent concept",
    help="the k demonstrations that best predict tokens which were learned to stand for the pool's task",
    reads=("pool", "k", "concept_tokens", "selection_seed"),
    place=51,
    slow=True,
    scores="log p(θ | xᵢ, yᵢ) in nats: how strongly the row leads the model to expect the tokens θ that were learned "
    "to stand for the pool's task",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k largest log p(θ | x_i, y_i), θ learned on the pool (Wang et al. 2023). Ties to the lowest index.

    θ are `study.concept_tokens` new tokens whose vectors minimise −log p(y_i | θ, x_i) over the candidates, with the
    model frozen: 150 steps of Adam at rate 10⁻² on batches of eight. Then each demonstration is written as the
    template has it and log p(θ | x_i, y_i) read off, the new tokens taking part in the softmax. The paper's
    temperature changes no rank, so the score is the log-probability itself, nats. What is learned does not depend on
    the query, and is kept.

    Raises:
        StudyError: a demonstration with θ is longer than the model's context.
    """
    free = candidates(study)
    if len(free) <= study.k or not study.k:
        return free[: study.k], None
    fields = ("concept_tokens", "selection_seed")
    values = learn_once(study, model, free, fields, lambda: expectations(study, model, free, stop), stop)
    return top(study, free, values)


def expectations(study: Study, model: LanguageModel, places: list[int], stop: Stop | None) -> Floats:
    """(n,) log p(θ | x_i, y_i) in nats, θ learned on the rows at these places."""
    from core.models.soft_tokens import learn_tokens, surprise  # late: loads torch

    rows = [study.pool[i] for i in places]
    prompts = [render([], row.input, study.template, study.instruction) for row in rows]
    words = [study.template.word(row.label) for row in rows]
    pairs = [(prompt.text, prompt.gap + word) for prompt, word in zip(prompts, words, strict=True)]
    count, seed = study.concept_tokens, study.selection_seed
    with part(0.0, 0.9):
        vectors, _ = learn_tokens(model, pairs, count, steps=STEPS, seed=seed, stop=stop)
    # Equal texts are read once, so that ties are ties whatever a batch does to the last digit.
    texts = [context + continuation + closing(study.template) for context, continuation in pairs]
    distinct = list(dict.fromkeys(texts))
    with part(0.9, 1.0):
        value = dict(zip(distinct, -surprise(model, distinct, vectors, stop), strict=True))
    return np.array([value[text] for text in texts])
