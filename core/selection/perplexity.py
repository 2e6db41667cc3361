"""The demonstrations that the model finds most natural in front of the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections, top
from core.selection.learning.splits import prompts_fit
from core.study.prompts import render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "perplexity",
    title="Lowest perplexity",
    help="the k demonstrations whose prompt with the query surprises the model least",
    reads=("pool", "k"),
    place=31,
    reads_pool=True,
    scores="mean log p of a token, in nats, of the prompt that shows the row alone and asks the query: −ln of its "
    "perplexity",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k lowest exp(−(1/T) Σ_t log p(t | earlier)) of the prompt that shows (x_i, y_i) alone and asks the query.

    T counts the tokens that have one before them; the answer is not among them (Gonen et al. 2022, who choose among
    instructions so). The score is −ln of it, nats per token. Ties to the lowest index.

    Raises:
        StudyError: such a prompt is longer than the model's context.
    """
    free = candidates(study)
    if not free or not study.k:
        return [], None
    texts = [render([study.pool[i]], study.query, study.template, study.instruction).text for i in free]
    with prompts_fit(study):
        scored = model.score([("", text) for text in texts], stop=stop)
    return top(study, free, np.array([np.mean(s.logprobs) if len(s.logprobs) else 0.0 for s in scored]))
