"""What a run will ask its model for, so that it is asked once: the stages share their passes."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from core.embeddings.vector_cache import keep_vectors, unknown
from core.errors import PromptTooLong
from core.kernels import kernels
from core.posterior.evidence import ask
from core.posterior.instruction import answer_pairs, demonstration_pairs
from core.runtime.progress import Stop
from core.scoring import scorers
from core.scoring.shared import SharedPasses
from core.study.question import Question

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair


def shared_passes(question: Question, model: LanguageModel, stop: Stop | None = None) -> SharedPasses:
    """The model, with what the stages will ask it (`foreseen`) answered from the same passes.

    Raises:
        Cancelled: `stop` said so.
    """
    shared = SharedPasses(model)
    pairs, texts = foreseen(question, model)
    prompt = question.prompt.text  # attention is read after it
    shared.want(pairs, [*texts, prompt], look=prompt if question.study.token_head is None else None)
    shared.carry(unread(question, model), partial(keep_vectors, model))
    shared.try_fetch(stop)
    return shared


def foreseen(question: Question, model: LanguageModel) -> tuple[list[Pair], list[str]]:
    """Pairs that will be scored and texts whose next token will be asked for.

    What the scorer scores, where all of it stands after the prompt itself; the hypotheses' likelihoods and answers; and
    the query after n = 0 … k demonstrations, which the implicit posterior asks for: its other probes go through the
    model apart. So what shares a pass depends on the study alone and not on what was run before, and an answer is the
    same to the last digit each time.
    """
    study, prompt = question.study, question.prompt
    pairs: list[Pair] = []
    texts: list[str] = []
    scored = scorers.find(study.scoring).pairs(study, prompt, question.shown, question.labels)
    if all(before == prompt.text for before, _ in scored):
        pairs += scored
    if "instruction" in study.posteriors and study.hypotheses:
        pairs += [*demonstration_pairs(question), *answer_pairs(question)]
    if "implicit" in study.posteriors and model.mixture is not None:
        with suppress(PromptTooLong):
            texts += ask(question, model, [question.query]).texts()
    return pairs, texts


def unread(question: Question, model: LanguageModel) -> list[str]:
    """Texts whose last hidden states a kernel of every run will read, each alone, and that are not known yet.

    On models that keep nothing of what they read, scores share no pass with them, so an answer does not depend on which
    those are.
    """
    study = question.study
    last = study.hidden_layer in (-1, model.layers)
    if not last or not question.shown or not kernels.find("hidden").every_run:
        return []
    return unknown(model, [study.query, *(d.input for d in question.shown)])
