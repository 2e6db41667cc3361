"""Making a prompt fit: how many demonstrations a model's context holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.errors import PromptTooLong
from core.reasoning import opening, reasonings, reasons
from core.scoring import scorers
from core.scoring.direct import label_pairs
from core.selection import source_of
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.prompts import render
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel
    from core.models.reading import Pair


def with_fits(
    error: PromptTooLong,
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
) -> PromptTooLong:
    """The error again, with the number of the last demonstrations that would fit.

    `error.tokens` may belong to a longer text than the study's own prompt (a probe's, a hypothesis's): what it has
    more than that is kept as a margin.
    """
    length = prompt_length(study, model, shown, labels)
    margin = max(0, error.tokens - length(len(shown)))
    return PromptTooLong(
        error.tokens, error.context, last_that_fit(len(shown), lambda n: length(n) + margin, error.context)
    )


def last_that_fit(n: int, length: Callable[[int], int], context: int) -> int:
    """The largest m < n with length(m) ≤ context, 0 where there is none, for a length that grows with m."""
    low, high = 0, max(0, n - 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(middle) <= context else (low, middle - 1)
    return low


def prompt_length(
    study: Study, model: LanguageModel, shown: Sequence[Demonstration], labels: Sequence[str]
) -> Callable[[int], int]:
    """m -> tokens of the last m demonstrations, the query and its longest label; steps count where they are read."""

    def pairs(m: int, label: str) -> Sequence[Pair]:
        rows = shown[len(shown) - m :]
        if study.reasoning in reasonings and reasons(study):
            return label_pairs(study, opening(study, rows), rows, [label])
        prompt = render(rows, study.query, study.template, study.instruction)
        return scorers.find(study.scoring).pairs(study, prompt, rows, [label])

    def tokens(m: int, label: str) -> int:
        return max(len(model.encode((before or "") + text).ids) for before, text in pairs(m, label))

    # A label has the same neighbours whatever stands before them, so the longest without demonstrations stays longest.
    longest = max(labels, key=lambda label: tokens(0, label), default="")
    return lambda m: tokens(m, longest)


def drop_earliest(study: Study, fits: int) -> Study:
    """The study with room made for its prompt: what a page does when `PromptTooLong` says that `fits` would fit.

    Hand-picked: all usable rows but the last `fits` of the table are excluded, so that the user can bring them back.
    A selection from the pool: k becomes `fits`. Where rows differ in length another round may be needed.
    """
    if source_of(study) == "pool":
        return study.model_copy(update={"k": min(study.k, fits)})
    places = [i for i, row in enumerate(study.demonstrations) if usable(row)]
    drop = set(places[: max(0, len(places) - fits)])
    rows = tuple(
        row.model_copy(update={"excluded": True}) if i in drop else row for i, row in enumerate(study.demonstrations)
    )
    return study.model_copy(update={"demonstrations": rows})
