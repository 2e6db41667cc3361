"""Questions of an experiment, and the rows that demonstrations come from, none of which is a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.errors import StudyError
from core.evaluation.questions import HELD_OUT, POOL, questions_of
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Rows = tuple[Demonstration, ...]
LEAST_ROWS = 8
"""Rows that a pool must keep for demonstrations; where it has fewer and the task of the questions is known, both are
drawn from the task."""
DRAWN_ROWS = 64
"""Rows drawn from a task where the pool has too few."""


def draw(study: Study, model: LanguageModel, source: str, count: int, seed: int) -> tuple[Study, Rows]:
    """The study with rows that demonstrations can be chosen from, and up to `count` questions.

    From the pool, questions are rows of it at random, and half of it at least is left; the rest are what demonstrations
    come from. From a task of the mixture both are fresh draws where the pool has fewer than eight rows, else the
    questions alone. Those that are held out are asked and nothing else.

    Args:
        source: "questions", "pool" or a task of the mixture, as `core.evaluation.questions.sources_of` names them.

    Raises:
        StudyError: there is nothing to draw from.
    """
    study = tidied(study)
    bare = study.model_copy(update={"questions": ()})  # the experiment has its own
    rows = [row for row in study.pool if usable(row)]
    if source != POOL:
        few = source != HELD_OUT and len(rows) < LEAST_ROWS
        found = questions_of(study, model, source, count + (DRAWN_ROWS if few else 0), seed)
        drawn = [Demonstration(input=one.input, label=one.gold) for one in found]
        if not few:
            return bare, tuple(drawn)
        share = min(count, max(1, len(drawn) // 2))
        return bare.model_copy(update={"pool": tuple(drawn[share:])}), tuple(drawn[:share])
    inputs = list(dict.fromkeys(row.input for row in rows))
    if len(inputs) < 2:
        raise StudyError("Questions and demonstrations need at least two different inputs in the pool: add rows to it.")
    asked = np.random.default_rng(seed).permutation(len(inputs))[: min(count, len(inputs) // 2)]
    first = {row.input: row for row in reversed(rows)}
    return bare, tuple(first[inputs[i]].model_copy(update={"fields": ()}) for i in asked)
