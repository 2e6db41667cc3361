"""Follow-up questions before the answer: self-ask."""

from __future__ import annotations

from collections.abc import Sequence

from core.reasoning import end_of, extend, reasonings
from core.reasoning.forms import chained
from core.reasoning.none import answer_plainly
from core.reasoning.rationales import NO_STEPS, never_closed, with_rationales, without_steps
from core.study.demonstrations import Demonstration
from core.study.prompts import Prompt
from core.study.reasoned import Ask, Reasoned, Reasoning, Stage, cut_off
from core.study.study import Study

FOLLOW_UP = "Follow up:"
INTERMEDIATE = "Intermediate answer:"
CLOSING = "So the final answer is"
MOST = 8
"""Follow-up questions that a model may ask itself."""


@reasonings.register(
    "self-ask",
    title="Self-ask",
    help="follow-up questions that the model asks itself, and answers, before its final answer",
    reads=("longest",),
    place=20,
)
def reason(study: Study, shown: Sequence[Demonstration]) -> Reasoning:
    """Self-ask (Press et al. 2023, arXiv 2210.03350), a stage for every question and every intermediate answer.

    After the label prefix a demonstration reads "Follow up: 2 + 3 Intermediate answer: 5 Follow up: 5 + 4 Intermediate
    answer: 9 So the final answer is 9". The model writes a question up to "Intermediate answer:", its answer up to the
    next "Follow up:", and so on until it writes the closing words; then its final answer. Read from left to right the
    stages are one text that the model could have written in one go; cutting it shows what each part rests on.
    Reference differs: the paper's prompts open with "Are follow up questions needed here:" and put a line for each.
    """
    if not any(row.steps for row in shown):
        return (yield from answer_plainly("self-ask", study, shown, NO_STEPS))
    start = with_rationales(study, shown, rationale)
    notes = without_steps(shown)
    end = end_of(study)
    stages: list[Stage] = []
    said = ""  # what follows the query so far
    for number in range(1, MOST + 1):
        question = yield Ask(f"Follow up {number}", _after(start, said), (INTERMEDIATE, CLOSING, end))
        stages.append(question)
        said = _add(said, question.written)
        if question.ended != INTERMEDIATE:
            break
        said = _add(said, INTERMEDIATE)
        found = yield Ask(f"Intermediate answer {number}", _after(start, said), (FOLLOW_UP, CLOSING, end))
        stages.append(found)
        said = _add(said, found.written)
        if found.ended != FOLLOW_UP or number == MOST:
            break
        said = _add(said, FOLLOW_UP)
    final = extend(start, _add(said, CLOSING))
    last = stages[-1]
    if last.ended != CLOSING:
        many = (f"The model asked itself {MOST} questions and was stopped.",) if last.ended == FOLLOW_UP else ()
        return Reasoned("self-ask", tuple(stages), final, None, (*notes, *many, *cut_off(last), never_closed(CLOSING)))
    answer = yield Ask("Final answer", final, (end,))
    return Reasoned("self-ask", (*stages, answer), final, answer, (*notes, *cut_off(answer)))


def rationale(row: Demonstration) -> str:
    """What stands before the label of a demonstration with steps; a step without a question asks nothing."""
    pieces = []
    for step in chained(row.steps):
        pieces += [FOLLOW_UP, step.question] if step.question else []
        pieces += [INTERMEDIATE, step.answer]
    return " ".join([*filter(None, pieces), CLOSING])


def _after(start: Prompt, said: str) -> Prompt:
    return extend(start, said) if said else start


def _add(said: str, more: str) -> str:
    return " ".join(filter(None, (said, more)))
