"""Steps before the answer: chain of thought."""

from __future__ import annotations

from collections.abc import Sequence

from core.reasoning import end_of, extend, reasonings
from core.reasoning.forms import chained
from core.reasoning.none import answer_plainly
from core.reasoning.rationales import NO_STEPS, ended, never_closed, with_rationales, without_steps
from core.study.demonstrations import Demonstration, Step
from core.study.reasoned import Ask, Reasoned, Reasoning, cut_off
from core.study.study import Study

CLOSING = "So the answer is"


@reasonings.register(
    "steps",
    title="Steps (chain of thought)",
    help="the demonstrations' steps before their labels, and steps of the model's own before its answer",
    reads=("longest",),
    place=10,
    short="Steps",
)
def reason(study: Study, shown: Sequence[Demonstration]) -> Reasoning:
    """Chain of thought (Wei et al. 2022, arXiv 2201.11903), in two stages.

    After the label prefix a demonstration reads "2 + 3 = 5, 5 + 4 = 9. So the answer is 9": its steps in chained form,
    comma by comma, the closing words, and its label. Reason: the model writes up to the closing words. Answer: it
    writes on after them, up to the template's end. Demonstrations without steps are written plainly.
    """
    if not any(row.steps for row in shown):
        return (yield from answer_plainly("steps", study, shown, NO_STEPS))
    prompt = with_rationales(study, shown, rationale)
    notes = without_steps(shown)
    thought = yield Ask("Reason", prompt, (CLOSING, end_of(study)))
    if thought.ended != CLOSING:
        final = extend(prompt, f"{ended(thought.written)} {CLOSING}".strip())
        return Reasoned("steps", (thought,), final, None, (*notes, *cut_off(thought), never_closed(CLOSING)))
    final = extend(prompt, f"{thought.written} {CLOSING}".strip())
    answer = yield Ask("Answer", final, (end_of(study),))
    return Reasoned("steps", (thought, answer), final, answer, (*notes, *cut_off(answer)))


def rationale(row: Demonstration) -> str:
    """What stands before the label of a demonstration with steps."""
    return f"{ended(_join([_say(step) for step in chained(row.steps)]))} {CLOSING}"


def _say(step: Step) -> str:
    return f"{step.question} = {step.answer}" if step.question else step.answer


def _join(pieces: Sequence[str]) -> str:
    """Comma by comma; after a sentence that has its own full stop a space is enough."""
    said = ""
    for piece in pieces:
        said += ("" if not said else " " if said[-1] in ".?!" else ", ") + piece
    return said
