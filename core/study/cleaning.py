"""What is left of a study's text once accidents of typing are gone."""

from __future__ import annotations

from core.study.demonstrations import Demonstration, Step
from core.study.study import Study


def tidied(study: Study) -> Study:
    """The study without white space around its texts; rows keep their places, so indices stay valid.

    A space after a word is invisible on screen, and makes another token sequence of it on most models.
    """
    return study.model_copy(
        update={
            "demonstrations": tuple(map(_tidy, study.demonstrations)),
            "pool": tuple(map(_tidy, study.pool)),
            "questions": tuple(map(_tidy, study.questions)),
            "query": study.query.strip(),
            "gold": study.gold.strip() if study.gold is not None else None,
            "instruction": study.instruction.strip(),
        }
    )


def _tidy(demonstration: Demonstration) -> Demonstration:
    text, label = demonstration.input.strip(), demonstration.label.strip()
    steps = tuple(map(_tidy_step, demonstration.steps))
    if text == demonstration.input and label == demonstration.label and steps == demonstration.steps:
        return demonstration
    return demonstration.model_copy(update={"input": text, "label": label, "steps": steps})


def _tidy_step(step: Step) -> Step:
    return Step(question=step.question.strip(), answer=step.answer.strip())


def usable(demonstration: Demonstration) -> bool:
    """Whether a row can be shown: not excluded, and neither half of it blank (a row that is still being typed)."""
    return not demonstration.excluded and bool(demonstration.input.strip()) and bool(demonstration.label.strip())


def shorten(text: str, length: int = 40) -> str:
    """The text on one line, cut to `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
