"""Many prompts through any scorer in as few forward passes as it allows: all texts of a round share one trie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from core.runtime.progress import Stop, check
from core.scoring import scorers
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.study import Study
from core.study.verbalisers import check_words

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Scored

Pair = tuple[str, str]
Request = tuple[Study, Sequence[Demonstration], Sequence[str]]
"""What `score` takes besides the model: study, demonstrations in order, candidate labels."""


class _Missing(Exception):
    """A scorer asked for texts that have not been scored yet; they have been noted."""


class _Memory:
    """A model whose `score` answers from memory and notes what it lacks; everything else is the model's own."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._known: dict[Pair, Scored] = {}
        self._wanted: dict[Pair, None] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def score(self, pairs: Sequence[Pair], *, stop: Stop | None = None) -> list[Scored]:
        missing = [pair for pair in pairs if pair not in self._known]
        if missing:
            self._wanted.update(dict.fromkeys(missing))
            raise _Missing
        return [self._known[pair] for pair in pairs]

    def fetch(self, stop: Stop | None) -> None:
        """Score what was noted, in one call."""
        wanted = list(self._wanted)
        self._wanted.clear()
        self._known.update(zip(wanted, self._model.score(wanted, stop=stop), strict=True))


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
    memory = _Memory(model)
    answers: dict[int, Answer] = {}
    waiting = list(range(len(requests)))
    while waiting:
        check(stop)
        unanswered = []
        for place in waiting:
            study, shown, labels = requests[place]
            try:
                answers[place] = score(study, cast("LanguageModel", memory), shown, labels)
            except _Missing:
                unanswered.append(place)
        if unanswered:
            memory.fetch(stop)
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
