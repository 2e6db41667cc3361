"""Many prompts through any scorer in as few forward passes as it allows: all texts of a round share one trie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.runtime.progress import Stop, check
from core.scoring import scorers
from core.scoring.calibration import calibrations, divided, log_bias_of, log_raw
from core.scoring.shared import Missing, SharedPasses
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study
from core.study.verbalisers import check_words

if TYPE_CHECKING:
    from core.models import LanguageModel

Request = tuple[Study, Sequence[Demonstration], Sequence[str]]
"""What `score` takes besides the model: study, demonstrations in order, candidate labels."""


def score_together(requests: Sequence[Request], model: LanguageModel, stop: Stop | None = None) -> list[Answer]:
    """`score(study, model, shown, labels)` for every request, in order.

    Each scorer runs until it asks the model for texts, all texts asked for are scored in one `model.score` call, each
    distinct one once, and the scorers run again with what they wanted. A scorer that asks once costs one call in all;
    one that asks again after seeing its first answers costs two, and so on.

    Args:
        requests: N (study, shown, labels).

    Raises:
        StudyError, PromptTooLong, Cancelled: as `score` does.
    """
    shared = SharedPasses(model, dry=True)
    answers: dict[int, Answer] = {}
    waiting = list(range(len(requests)))
    while waiting:
        check(stop)
        unanswered = []
        for place in waiting:
            study, shown, labels = requests[place]
            try:
                answers[place] = score(study, shared.as_model, shown, labels)
            except Missing:
                unanswered.append(place)
        if unanswered:
            shared.fetch(stop)
        waiting = unanswered
    return [answers[place] for place in range(len(requests))]


def score(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    stop: Stop | None = None,
) -> Answer:
    """The study's scorer over `labels` after `shown`, in the order given, with the study's calibration.

    Raises:
        StudyError: no such scorer or calibration, one that needs a pool where there is none, or a template that writes
            two labels alike.
        PromptTooLong: the prompt and a label are longer than the model's context.
    """
    check(stop)
    check_words(study.template, (*labels, *(row.label for row in shown)))
    answer = scorers.find(study.scoring).function(study, model, shown, labels, stop)
    return calibrate(study, model, shown, labels, answer, stop)


def calibrate(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    answer: Answer,
    stop: Stop | None = None,
) -> Answer:
    """The answer with the study's calibration; its `bias` is p_cf, its scores are log p − log p_cf in nats.

    Raises:
        StudyError: no such calibration, or it needs a pool and there is none.
        PromptTooLong: a prompt with one of its inputs is longer than the model's context.
    """
    inputs = calibrations.find(study.calibration).function(study, shown)
    if not inputs:
        return answer
    plain = study.model_copy(update={"calibration": calibrations.plain})
    requests = [(plain.model_copy(update={"query": text}), shown, labels) for text in inputs]
    answers = score_together(requests, model, stop)
    return divided(answer, log_bias_of([log_raw(study, one) for one in answers]), log_raw(study, answer))
