"""Many prompts through any scorer in as few forward passes as it allows: all texts of a round share one trie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.runtime.progress import Stop, check
from core.scoring import scorers
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
    if study.calibration == "none":
        return answer
    from core.scoring.calibration import calibrate

    return calibrate(study, model, shown, labels, answer, stop)
