"""Steps of a demonstration in the two forms that methods need, and the steps of a sum.

    chained: each step starts from the answer before it     2 + 3 = 5; 5 + 4 = 9
    growing: each question holds the one before it whole    2 + 3 = 5; 2 + 3 + 4 = 9

Where questions nest, either form follows from the other by exchanging an answer for its question at the beginning of
the next question; a question that begins with neither stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.study.demonstrations import Demonstration, Step

_SUM = re.compile(r"\s*-?\d+(?:\s*[+-]\s*\d+)+\s*")
_TERM = re.compile(r"(?:([+-])\s*+)?(\d+)")  # a run of blanks is crossed once, from its sign
LONGEST = 4_000
"""Characters of a sum at most, fewer than Python reads as one number."""


def chained(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, each question that begins with the one before it beginning with that one's answer instead."""
    found = []
    before: Step | None = None
    for step in steps:
        question = step.question if before is None else _exchange(step.question, before.question, before.answer)
        found.append(Step(question=question, answer=step.answer))
        before = step
    return tuple(found)


def growing(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, each question that begins with the answer before it beginning with that answer's question instead."""
    found: list[Step] = []
    for step in steps:
        question = step.question
        if found and not _begins(question, found[-1].question):
            question = _exchange(question, found[-1].answer, found[-1].question)
        found.append(Step(question=question, answer=step.answer))
    return tuple(found)


def questions_in(row: Demonstration) -> tuple[str, ...]:
    """What the input decomposes into: the questions of its steps in growing form, the input itself last."""
    questions = [step.question for step in growing(row.steps) if step.question]
    kept = list(dict.fromkeys(question for question in questions if not same(question, row.input)))
    return (*kept, row.input)


def sum_steps(text: str) -> tuple[Step, ...]:
    """The steps of a sum such as "2 + 3 + 4" by exact arithmetic, chained; none for any other text.

    Whole numbers between plus and minus signs, from left to right: "2 + 3 = 5; 5 + 4 = 9".
    """
    if len(text) > LONGEST or not _SUM.fullmatch(text):
        return ()
    terms = _TERM.findall(text)
    total = int(terms[0][0] + terms[0][1])
    found = []
    for sign, number in terms[1:]:
        result = total + int(sign + number)
        found.append(Step(question=f"{total} {sign} {number}", answer=str(result)))
        total = result
    return tuple(found)


def same(one: str, other: str) -> bool:
    """Whether two texts are one but for white space, which tokenizers may put around signs."""
    return "".join(one.split()) == "".join(other.split())


def _begins(text: str, beginning: str) -> bool:
    """Whether a text begins with these words, and they end there."""
    rest = text[len(beginning) :]
    return bool(beginning) and text.startswith(beginning) and (not rest or not rest[0].isalnum())


def _exchange(text: str, beginning: str, other: str) -> str:
    return other + text[len(beginning) :] if other and _begins(text, beginning) else text
