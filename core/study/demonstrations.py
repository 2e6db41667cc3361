"""A demonstration: an input, its label, and the steps between them. Files in and out live in `core.files`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.study.value import Text, Value

_SPECIAL = re.compile(r"[\\;=]")
_ESCAPED = re.compile(r"\\([\\;=])")
_TOKENS = re.compile(r"\\[\\;=]|[;=]|\\|[^\\;=]+")  # every sign of a text is in one of them


class Step(Value):
    """One step on the way from an input to its label.

    Attributes:
        question: what is worked out, such as "2 + 3"; empty for a thought that answers no question.
        answer: what comes of it, such as "5".
    """

    question: Text = ""
    answer: Text


class Demonstration(Value):
    """One labelled example (x, y).

    Attributes:
        input: x, any text.
        label: y, any text.
        excluded: kept in the table, left out of every prompt.
        steps: how y comes about from x; read where the study reasons (`Study.reasoning`), and by nothing else.
        fields: (name, text) of the columns that the input was written from by `Study.input_pattern`; none for an input
            that was typed. Everything reads the input.
    """

    input: Text
    label: Text
    excluded: bool = False
    steps: tuple[Step, ...] = ()
    fields: tuple[tuple[Text, Text], ...] = ()


def read_steps(text: str) -> tuple[Step, ...]:
    r"""Steps from text such as "2 + 3 = 5; 5 + 4 = 9": steps end at ";", a question ends at the last "=".

    A step without "=" is an answer alone. Blank steps are left out, white space around every part too. A backslash
    keeps a ";", "=" or backslash from meaning anything: "a \= b" is an answer alone.
    """
    found = []
    for piece in _cut(text, ";"):
        *question, answer = _cut(piece, "=")
        step = Step(question="=".join(question).strip(), answer=answer.strip())
        if step.question or step.answer:
            found.append(Step(question=_plain(step.question), answer=_plain(step.answer)))
    return tuple(found)


def write_steps(steps: Sequence[Step]) -> str:
    """The text that `read_steps` reads back, for steps without white space around their parts."""
    return "; ".join(_write(step) for step in steps)


def _write(step: Step) -> str:
    answer = _SPECIAL.sub(r"\\\g<0>", step.answer)
    if not step.question:
        return answer
    # The last sign of equality ends the question, so those in it may stand as they are.
    question = re.sub(r"[\\;]", r"\\\g<0>", step.question)
    return f"{question} = {answer}".rstrip()


def _cut(text: str, sign: str) -> list[str]:
    """The text cut at every sign that no backslash stands before."""
    pieces: list[list[str]] = [[]]
    for token in _TOKENS.findall(text):
        if token == sign:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return ["".join(piece) for piece in pieces]


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
