"""No reasoning: the answer at once."""

from __future__ import annotations

from collections.abc import Sequence

from core.reasoning import end_of, reasonings
from core.study.demonstrations import Demonstration
from core.study.prompts import render
from core.study.reasoned import Ask, Reasoned, Reasoning, cut_off
from core.study.study import Study


@reasonings.register("none", title="None", help="the answer at once", reads=(), place=0)
def reason(study: Study, shown: Sequence[Demonstration]) -> Reasoning:
    """One stage, the answer: what the model writes after the plain prompt, up to the template's end."""
    return (yield from answer_plainly("none", study, shown))


def answer_plainly(method: str, study: Study, shown: Sequence[Demonstration], *notes: str) -> Reasoning:
    """The answer after the plain prompt, for a method that has nothing to reason from too."""
    prompt = render(shown, study.query, study.template, study.instruction)
    answer = yield Ask("Answer", prompt, (end_of(study),))
    return Reasoned(method, (answer,), prompt, answer, (*notes, *cut_off(answer)))
