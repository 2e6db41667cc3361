"""`run(study, model)`: the only way a result comes about."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.attention import read_attention
from core.bayes.exact import ExactBayes, exact_bayes
from core.errors import PromptTooLong, StudyError
from core.kernels import compute_kernels
from core.ordering import order
from core.pipeline.bayes import with_bayes
from core.pipeline.context_window import drop_earliest, with_fits
from core.pipeline.notes import notes_on
from core.pipeline.prefetch import shared_passes
from core.posterior import compute_posteriors
from core.reasoning import after_reasoning, answer_with, notes_of, written_by
from core.runtime.progress import Stop, check, part
from core.scoring.labels import candidates_of
from core.scoring.shared import model_of
from core.selection import rows_of, select
from core.study.cleaning import tidied
from core.study.outcome import Attention, Kernel, Outcome, Posterior
from core.study.question import Question
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

__all__ = ["drop_earliest", "run"]


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


def run(study: Study, model: LanguageModel, *, stop: Stop | None = None) -> Outcome:
    """Select, order, render, score, explain.

    White space around the study's texts is not read, and rows without an input or a label are not shown.

    Args:
        study: what to do.
        model: a loaded model; `study.model` is not read here, so that one loaded model serves many studies.
        stop: asked between stages and between passes; the work ends where it answers True.

    Returns:
        An `Outcome`; its `study` is the one given.

    Raises:
        StudyError: there is no query, no candidate label, nothing in the pool, no such strategy or encoder.
        PromptTooLong: the prompt does not fit; `fits` says how many of the last demonstrations would.
        Cancelled: `stop` answered True.
    """
    given, study = study, tidied(study)
    check_query(study, model)
    clock = Stopwatch()
    with clock("select"):
        with part(0.0, 0.9):  # what learns first takes far longer than the answer
            chosen = select(study, model, stop)
        shown = rows_of(study, chosen)
        labels, label_notes, labels_found = candidates_of(study, model, shown)
    try:
        with clock("order"):
            chosen = order(study, model, chosen, stop)
            shown = rows_of(study, chosen)
        with clock("render"):
            question = Question.of(study, shown, labels)
        with clock("reason"):
            question, reasoned = after_reasoning(question, model, stop)
        with clock("score"):
            shared = shared_passes(question, model, stop).as_model
            answer = answer_with(question, shared, reasoned, stop)
            bayes = exact_bayes(question, model)
        posteriors, kernels, attention = explain(question, shared, bayes, clock, stop)
    except PromptTooLong as error:
        raise with_fits(error, study, model, shown, labels) from None
    outcome = Outcome(
        study=given,
        model=model.name,
        fingerprint=model.fingerprint,
        chosen=chosen,
        demonstrations=shown,
        prompt=question.prompt,
        answer=answer,
        bayes=None,
        posteriors=posteriors,
        kernels=kernels,
        attention=attention,
        reasoning=reasoned,
        written=written_by(study, model, reasoned),
        labels_found=labels_found,
        notes=(*notes_of(study, reasoned), *notes_on(question, model, chosen, answer), *label_notes),
        timings=clock.seconds,
    )
    return with_bayes(outcome, model, bayes)


def check_query(study: Study, model: LanguageModel) -> None:
    """Refuse a query that could not be answered even alone, before anything is computed from it.

    Raises:
        StudyError: it is blank, or asked through another model's chat template.
        PromptTooLong: it is longer than the model's context.
    """
    if not study.query:
        raise StudyError("There is no query; type an input to be answered.")
    chat = study.template.chat
    if chat is not None and (model.chat is None or chat.key != model.chat.key):
        raise StudyError(
            "This study is asked through another model's chat template: choose under “Chat” how this one is asked."
        )
    tokens = len(model.encode(study.query).ids)
    if tokens > model.context_length:
        raise PromptTooLong(tokens, model.context_length, 0)


def explain(
    question: Question, model: LanguageModel, bayes: ExactBayes | None, clock: Stopwatch, stop: Stop | None
) -> tuple[dict[str, Posterior], dict[str, Kernel], Attention | None]:
    """Posteriors over tasks, attention, and the kernels that read it."""
    check(stop)
    with clock("posteriors"):
        posteriors = compute_posteriors(question, model, bayes, stop=stop)
    check(stop)
    with clock("attention"):
        reading, attention = read_attention(question.study, model, question.prompt)
    check(stop)
    with clock("kernels"):
        kernels = compute_kernels(question, model_of(model), reading, attention, bayes)
    return posteriors, kernels, attention
