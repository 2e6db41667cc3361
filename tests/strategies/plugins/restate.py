"""The question once more, in the model's own words, before its answer."""

from __future__ import annotations

from collections.abc import Sequence

from core.reasoning import end_of, extend, reasonings
from core.study.demonstrations import Demonstration
from core.study.prompts import render
from core.study.reasoned import Ask, Reasoned, Reasoning, cut_off
from core.study.study import Study


@reasonings.register(
    "restate",
    title="Restate the question",
    short="Restate",
    help="the model says what it is asked, then answers",
    reads=("longest",),
)
def reason(study: Study, shown: Sequence[Demonstration]) -> Reasoning:
    """Restate: the model writes after the prompt, up to the template's end. Answer: after what it wrote."""
    prompt = render(shown, study.query, study.template, study.instruction)
    said = yield Ask("Restate", prompt, (end_of(study),))
    final = extend(prompt, f"{said.written} =".strip())
    answer = yield Ask("Answer", final, (end_of(study),))
    return Reasoned("restate", (said, answer), final, answer, cut_off(answer))
