"""`run(study, model)`: the only way a result comes about."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from core.bayes.answer import bayes_answer
from core.errors import PromptTooLong, StudyError
from core.ordering import order
from core.pipeline.context_window import drop_earliest, with_fits
from core.pipeline.notes import notes_on
from core.pipeline.prefetch import foreseen
from core.reasoning import after_reasoning, answer_with, notes_of, written_by
from core.runtime.progress import Stop, check, part
from core.scoring.labels import candidate_labels
from core.selection import rows_of, select
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Attention, Kernel, Outcome, Posterior
from core.study.prompts import Prompt, render
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
        StudyError: the study cannot be run as it stands: no query, no candidate label, nothing in the pool, a
            strategy or encoder that does not exist.
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
        labels, label_notes = candidate_labels(study, model, shown)
    try:
        with clock("order"):
            chosen = order(study, model, chosen, stop)
            shown = rows_of(study, chosen)
        with clock("render"):
            prompt = render(shown, study.query, study.template, study.instruction)
        with clock("reason"):
            prompt, reasoned = after_reasoning(study, model, shown, prompt, stop)
        with ExitStack() as shared:
            with clock("score"):
                shared.enter_context(model.together(*foreseen(study, model, shown, labels, prompt), stop=stop))
                answer = answer_with(study, model, shown, labels, reasoned, stop)
                bayes = bayes_answer(study, model, shown, labels)
            posteriors, kernels, attention = explain(study, model, shown, labels, prompt, clock, stop)
    except PromptTooLong as error:
        raise with_fits(error, study, model, shown, labels) from None
    return Outcome(
        study=given,
        model=model.name,
        fingerprint=model.fingerprint,
        chosen=chosen,
        demonstrations=shown,
        prompt=prompt,
        answer=answer,
        bayes=bayes,
        posteriors=posteriors,
        kernels=kernels,
        attention=attention,
        reasoning=reasoned,
        written=written_by(study, model, reasoned),
        notes=(*notes_of(study, reasoned), *notes_on(study, model, chosen, shown, prompt, answer), *label_notes),
        timings=clock.seconds,
    )


def check_query(study: Study, model: LanguageModel) -> None:
    """Refuse a query that could not be answered even alone, before anything is computed from it.

    Raises:
        StudyError: it is blank.
        PromptTooLong: it is longer than the model's context.
    """
    if not study.query:
        raise StudyError("There is no query; type an input to be answered.")
    tokens = len(model.encode(study.query).ids)
    if tokens > model.context_length:
        raise PromptTooLong(tokens, model.context_length, 0)


def explain(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    prompt: Prompt,
    clock: Stopwatch,
    stop: Stop | None,
) -> tuple[dict[str, Posterior], dict[str, Kernel], Attention | None]:
    """Posteriors over tasks, attention, and the kernels that read it."""
    from core.attention import read_attention
    from core.kernels import compute_kernels
    from core.posterior import compute_posteriors

    check(stop)
    with clock("posteriors"):
        posteriors = compute_posteriors(study, model, shown, labels, stop=stop)
    check(stop)
    with clock("attention"):
        reading, attention = read_attention(study, model, prompt)
    check(stop)
    with clock("kernels"):
        kernels = compute_kernels(study, model, prompt, shown, labels, reading, attention)
    return posteriors, kernels, attention
