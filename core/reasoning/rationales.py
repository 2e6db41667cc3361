"""Demonstrations with a rationale before their label, and notes that methods have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.study.demonstrations import Demonstration
from core.study.prompts import Part, Prompt, render
from core.study.study import Study

Write = Callable[[Demonstration], str]

NO_STEPS = "No demonstration shown has steps, so there is nothing to reason from; the answer was written at once."


def with_rationales(study: Study, shown: Sequence[Demonstration], write: Write) -> Prompt:
    """The prompt whose demonstrations with steps have `write(demonstration)`, and a space, before their label.

    In its parts a rationale is of kind "steps", the label remains a part of its own.
    """
    rationales = [write(row) + " " if row.steps else "" for row in shown]
    # `render` knows a label by its name alone: behind a rationale its word must stand already.
    labels = [
        before + study.template.word(row.label) if before else row.label
        for row, before in zip(shown, rationales, strict=True)
    ]
    rows = [row.model_copy(update={"label": label}) for row, label in zip(shown, labels, strict=True)]
    prompt = render(rows, study.query, study.template, study.instruction)
    parts: list[Part] = []
    for part in prompt.parts:
        size = len(rationales[part.demonstration]) if part.kind == "label" and part.demonstration is not None else 0
        if size:
            parts.append(Part("steps", part.demonstration, part.start, part.start + size))
            part = Part("label", part.demonstration, part.start + size, part.end)
        parts.append(part)
    return Prompt(prompt.text, prompt.gap, tuple(parts))


def without_steps(shown: Sequence[Demonstration]) -> tuple[str, ...]:
    """A note where some of the demonstrations have no steps."""
    bare = sum(not row.steps for row in shown)
    if not bare:
        return ()
    which = "has no steps and is" if bare == 1 else "have no steps and are"
    return (f"{bare} of the {len(shown)} demonstrations shown {which} written plainly.",)


def never_closed(closing: str) -> str:
    """The note on a rationale that came to no answer."""
    return (
        f"The model never wrote “{closing}”, so it came to no answer of its own; to score the labels the words were "
        "put after what it wrote."
    )


def ended(text: str) -> str:
    """A sentence with its full stop."""
    return text if not text or text[-1] in ".?!" else f"{text}."
