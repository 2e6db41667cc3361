"""What is left of a study's text once accidents of typing are gone."""

from __future__ import annotations

from collections.abc import Callable

from core.demonstrations import Demonstration, Step
from core.errors import Cancelled
from core.study import Study

Stop = Callable[[], bool]
Progress = Callable[[float], None]  # told the share that is done, 0 to 1


def tidied(study: Study) -> Study:
    """The study without white space around its texts; rows keep their places, so indices stay valid.

    A space after a word is invisible on screen, and makes another token sequence of it on most models.
    """
    return study.model_copy(
        update={
            "demonstrations": tuple(map(_tidy, study.demonstrations)),
            "pool": tuple(map(_tidy, study.pool)),
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


def check(stop: Stop | None) -> None:
    """Raise `Cancelled` where the user has asked for the work to stop."""
    if stop is not None and stop():
        raise Cancelled


def report(progress: Progress | None, share: float) -> None:
    """Tell how much is done, where somebody asked."""
    if progress is not None:
        progress(share)
