"""Sub-questions solved in order before the question itself: least-to-most."""

from __future__ import annotations

from collections.abc import Sequence

from core.reasoning import end_of, reasonings
from core.reasoning.forms import questions_in, same
from core.reasoning.none import answer_plainly
from core.reasoning.rationales import NO_STEPS, without_steps
from core.study.demonstrations import Demonstration
from core.study.prompts import Part, Prompt, render
from core.study.reasoned import Ask, Reasoned, Reasoning, Stage, cut_off
from core.study.study import Study

BETWEEN = "; "
MOST = 8
"""Sub-questions that are solved, the question itself among them."""


@reasonings.register(
    "least-to-most",
    title="Least-to-most",
    help="sub-questions that the model decomposes the question into, solved one after another",
    reads=("longest",),
    place=30,
)
def reason(study: Study, shown: Sequence[Demonstration]) -> Reasoning:
    """Least-to-most (Zhou et al. 2023, arXiv 2205.10625).

    Decompose: the demonstrations show x and, after the label prefix, the questions of their steps in growing form with
    x itself last, "2 + 3; 2 + 3 + 4"; the model writes the same for the query. Solve: the plain demonstrations, then
    every sub-question before with the answer that the model gave, as one demonstration more each, then the next
    sub-question; the last one is the query, and the answer is read there. A decomposition that does not end with the
    query has it put last.
    """
    if not any(row.steps for row in shown):
        return (yield from answer_plainly("least-to-most", study, shown, NO_STEPS))
    rows = [row.model_copy(update={"label": BETWEEN.join(questions_in(row))}) for row in shown]
    prompt = render(rows, study.query, study.template, study.instruction)
    first = yield Ask("Decompose", prompt, (end_of(study),))
    questions, notes = decomposed(first, study.query)
    notes = [*without_steps(shown), *notes]
    stages, solved = [first], list[Demonstration]()
    for question in questions:
        stage = yield Ask(f"Solve {question}", _prompt(study, shown, solved, question), (end_of(study),))
        stages.append(stage)
        notes += cut_off(stage)
        if stage.written:
            solved.append(Demonstration(input=question, label=stage.written))
        else:
            notes.append(f"The model wrote nothing for “{question}”, which was left out.")
    final = _prompt(study, shown, solved, study.query)
    answer = yield Ask("Answer", final, (end_of(study),))
    return Reasoned("least-to-most", (*stages, answer), final, answer, tuple(dict.fromkeys((*notes, *cut_off(answer)))))


def decomposed(stage: Stage, query: str) -> tuple[list[str], list[str]]:
    """The sub-questions before the query, and notes."""
    notes = list(cut_off(stage))
    asked = [" ".join(piece.split()) for piece in stage.written.split(BETWEEN.strip())]
    asked = list(dict.fromkeys(piece for piece in asked if piece))
    place = next((i for i, piece in enumerate(asked) if same(piece, query)), None)
    if place is None:
        notes.append("The model's decomposition does not end with the question itself, which was put last.")
        if not stage.finished:
            asked = asked[:-1]  # its last piece may be half a question
    elif place + 1 < len(asked):
        notes.append("The model's decomposition goes on after the question itself; what follows was left out.")
    questions = asked[:place]
    if len(questions) > MOST - 1:
        notes.append(f"The model wrote {len(questions)} sub-questions; the first {MOST - 1} are solved.")
    return questions[: MOST - 1], notes


def _prompt(study: Study, shown: Sequence[Demonstration], solved: Sequence[Demonstration], question: str) -> Prompt:
    """The plain demonstrations, what was solved already as one part of kind "steps", and the question."""
    prompt = render([*shown, *solved], question, study.template, study.instruction)
    if not solved:
        return prompt
    added = [part for part in prompt.parts if part.demonstration is not None and part.demonstration >= len(shown)]
    own = Part("steps", None, added[0].start, added[-1].end)
    at = prompt.parts.index(added[0])
    parts = (*prompt.parts[:at], own, *prompt.parts[at + len(added) :])
    return Prompt(prompt.text, prompt.gap, parts)
