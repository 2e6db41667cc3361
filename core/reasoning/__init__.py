"""What the model writes before it answers: steps, follow-up questions, sub-questions. One method a file.

A method is a generator: it yields what is to be written next (`Ask`), is sent what came of it (`Stage`), and returns
`Reasoned`. So one method serves one question on a page, and two hundred whose texts are written together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.reasoning.matching import matches
from core.runtime.progress import Stop, check, counting
from core.runtime.registry import Entry, Registry
from core.scoring import scorers
from core.scoring.alike import score_alike
from core.scoring.calibration import calibrations
from core.scoring.direct import answer_from, label_pairs
from core.scoring.together import score
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer
from core.study.prompts import Prompt
from core.study.prompts import end_of as template_end
from core.study.question import Question
from core.study.reasoned import Ask, Reasoned, Reasoning, Stage, Written, extend
from core.study.study import Study
from core.study.verbalisers import as_written

if TYPE_CHECKING:
    from core.models import LanguageModel

__all__ = [
    "Ask",
    "Reason",
    "Reasoned",
    "Reasoning",
    "Stage",
    "Written",
    "after_reasoning",
    "answer_with",
    "answers_after",
    "end_of",
    "extend",
    "notes_of",
    "opening",
    "reason",
    "reason_together",
    "reasonings",
    "reasons",
    "writes",
    "written_by",
]

Reason = Callable[[Study, Sequence[Demonstration]], Reasoning]
"""A method's function: of a study and the demonstrations shown, in order, whose labels are written as they are."""
Request = tuple[Study, Sequence[Demonstration]]


@dataclass(frozen=True)
class ReasoningMethod(Entry[Reason]):
    """A method of reasoning, and what other code asks of it.

    Attributes:
        short: a title for narrow places, such as a row of buttons; the title where it is "".
    """

    _: KW_ONLY
    short: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.short:
            object.__setattr__(self, "short", self.title)


reasonings = Registry("reasoning", ReasoningMethod, __name__, plain="none")


def reasons(study: Study) -> bool:
    """Whether a rationale stands before the answer."""
    return study.reasoning != reasonings.plain


def writes(study: Study) -> bool:
    """Whether the model writes anything: a rationale, or an answer in its own words."""
    return study.open_ended or reasons(study)


def reason(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], stop: Stop | None = None
) -> Reasoned | None:
    """What the model writes by the study's method; None where it is to write nothing.

    Raises:
        StudyError: no such method.
        PromptTooLong: a stage's prompt is longer than the model's context.
        Cancelled: `stop` said so.
    """
    if not writes(study):
        return None
    return reason_together([(study, shown)], model, stop=stop)[0]


def after_reasoning(
    question: Question, model: LanguageModel, stop: Stop | None = None
) -> tuple[Question, Reasoned | None]:
    """The question with the prompt on which its answer is read, as it was where nothing is written; what was written.

    Raises:
        StudyError, PromptTooLong, Cancelled: as `reason` does.
    """
    reasoned = reason(question.written.study, model, question.written.shown, stop)
    return (question, None) if reasoned is None else (question.after(reasoned.final), reasoned)


def opening(study: Study, shown: Sequence[Demonstration]) -> Prompt:
    """The prompt of the study's first stage.

    Raises:
        StudyError: no such method.
    """
    written, rows, _ = as_written(study, shown, ())
    return next(reasonings.find(study.reasoning).function(written, rows)).prompt


def reason_together(
    requests: Sequence[Request],
    model: LanguageModel,
    *,
    stop: Stop | None = None,
) -> list[Reasoned]:
    """`reason` for every request (a study without a method writes its answer alone), the texts of a round together.

    Args:
        requests: N (study, demonstrations shown in order).

    Raises:
        StudyError, PromptTooLong, Cancelled: as `reason` does.
    """
    check(stop)
    written = [as_written(study, shown, ())[:2] for study, shown in requests]
    running = [reasonings.find(study.reasoning).function(study, shown) for study, shown in written]
    results: dict[int, Reasoned] = {}
    asks: dict[int, Ask] = {}
    _step(running, dict.fromkeys(range(len(running))), asks, results)
    with counting(len(requests), "rationales") as advance:
        while asks:
            stages = _write(model, written, asks, stop)
            asks = {}
            _step(running, stages, asks, results)
            advance(len(results))
    return [results[place] for place in range(len(requests))]


def _step(
    running: Sequence[Reasoning],
    stages: dict[int, Stage] | dict[int, None],
    asks: dict[int, Ask],
    results: dict[int, Reasoned],
) -> None:
    """Send each its stage (None to begin); note what it asks for next, or what it has come to."""
    for place, stage in stages.items():
        try:
            asks[place] = next(running[place]) if stage is None else running[place].send(stage)
        except StopIteration as done:
            results[place] = done.value


def _write(
    model: LanguageModel, requests: Sequence[Request], asks: dict[int, Ask], stop: Stop | None
) -> dict[int, Stage]:
    """What the model writes for each that asks; those with the same end and length in one call."""
    from core.models.generation import generate  # late: loads torch

    alike: defaultdict[tuple[tuple[str, ...], int], list[int]] = defaultdict(list)
    for place, ask in asks.items():
        alike[ask.until, requests[place][0].longest].append(place)
    stages: dict[int, Stage] = {}
    for (until, most), places in alike.items():
        texts = [asks[place].prompt.text for place in places]
        for place, one in zip(places, generate(model, texts, until=until, most=most, stop=stop), strict=True):
            ask = asks[place]
            stages[place] = Stage(ask.name, ask.prompt, one.text, one.tokens, one.logprobs, one.finished, one.ended)
    return stages


def answers_after(
    requests: Sequence[tuple[Study, Reasoned, Sequence[str]]], model: LanguageModel, stop: Stop | None = None
) -> list[Answer]:
    """p(y | D with steps, x, the model's own rationale) for every candidate y, by direct scoring.

    Args:
        requests: N (study, what was written, candidate labels); all are scored in one call.

    Raises:
        PromptTooLong, Cancelled: as scoring does.
    """
    pairs = [label_pairs(study, reasoned.final, (), labels) for study, reasoned, labels in requests]
    groups = [place for place, own in enumerate(pairs) for _ in own]
    scored = iter(score_alike(model, [pair for own in pairs for pair in own], groups, stop))
    return [
        answer_from(study, reasoned.final, labels, [next(scored) for _ in labels])
        for study, reasoned, labels in requests
    ]


def written_by(study: Study, model: LanguageModel, reasoned: Reasoned | None) -> Written | None:
    """The answer in the model's own words, held against gold as the template writes it; None where none was written."""
    if reasoned is None:
        return None
    stage, gold = reasoned.answer, study.gold
    text = stage.written if stage is not None else ""
    right = None
    if gold is not None:
        word = study.template.word(gold)
        # Some tokenizers put spaces around signs, so gold is also put as this one would say it.
        said = model.encoder.decode(model.encode(word).ids)
        right = matches(text, word, study.matching) or matches(text, said, study.matching)
    return Written(
        text=text,
        tokens=stage.tokens if stage is not None else (),
        logprobs=stage.logprobs if stage is not None else np.empty(0),
        finished=stage is not None and stage.finished,
        gold=gold,
        right=right,
        matching=study.matching,
    )


def end_of(study: Study) -> str:
    """What ends an answer in the study's template."""
    return template_end(study.template)


def answer_with(
    question: Question, model: LanguageModel, reasoned: Reasoned | None, stop: Stop | None = None
) -> Answer:
    """The study's answer over the candidates: after the model's rationale where it wrote one, else by its scorer."""
    if reasoned is None or reasoned.method == reasonings.plain:
        return score(question.study, model, question.shown, question.labels, stop)
    return answers_after([(question.study, reasoned, question.labels)], model, stop)[0]


def notes_of(study: Study, reasoned: Reasoned | None) -> tuple[str, ...]:
    """What a reader must know of the rationale and of the answer read after it."""
    if reasoned is None:
        return ()
    plainly = study.scoring == scorers.plain and study.calibration == calibrations.plain
    if reasoned.method == reasonings.plain or plainly:
        return reasoned.notes
    return (*reasoned.notes, "After a rationale labels are scored directly; the study's scorer and calibration rest.")
