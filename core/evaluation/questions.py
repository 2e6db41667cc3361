"""Questions with known answers, to hold a study's own choices against: those held out for that, rows of its pool, or
fresh draws of a task."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import StudyError
from core.selection import source_of
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.study import Study

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel

POOL = "pool"
HELD_OUT = "questions"
"""The study's own questions, which no prompt shows."""
ENOUGH = 8
"""Rows that a pool must have to be asked first: of fewer, one more right answer moves the accuracy too far."""
SHOWN_SOURCES = 12
DRAWS = 50  # draws for each question wanted; a task with fewer distinct inputs gives as many as came up


@dataclass(frozen=True)
class EvaluationQuestion:
    """An input and its right answer.

    Attributes:
        input: x.
        gold: y.
        source: "questions", "pool", or the family of the mixture that it was drawn from.
    """

    input: str
    gold: str
    source: str


def sources_of(study: Study, model: LanguageModel) -> tuple[str, ...]:
    """What questions can be had from: "questions" where the study has some, "pool" where it has rows to ask, and tasks
    of the mixture, likeliest first.

    The tasks are those that exact Bayes believes in after the study's hand-picked demonstrations, or, where these come
    from the pool, after the first rows of it. Codebooks are left out: they tie answers to the inputs shown and to no
    others. Fewer than eight rows of a pool come after the tasks.
    """
    study = tidied(study)
    rows = len(_free_rows(study, POOL))
    pool = (POOL,) if rows else ()
    own = (HELD_OUT,) if _free_rows(study, HELD_OUT) else ()
    if model.mixture is None:
        return (*own, *pool)
    tasks = _likely_tasks(study, model.mixture)
    return (*own, *pool, *tasks) if rows >= ENOUGH else (*own, *tasks, *pool)


def questions_of(
    study: Study, model: LanguageModel, source: str, count: int, seed: int
) -> tuple[EvaluationQuestion, ...]:
    """Up to `count` questions whose inputs are distinct and not among the demonstrations picked by hand.

    Those held out come without replacement, as do rows of the pool: where the demonstrations come from the pool as
    well, a selection never shows the row that is asked (`core.selection.candidates`), so each is left out of its own
    prompt.
    From a task of the mixture they are drawn anew, without label noise, from the one latent of that task which exact
    Bayes finds likeliest after the demonstrations: the same label words, the same classes.

    Args:
        source: "questions", "pool", or a family of the mixture.
        count: at least 1.
        seed: draws them; the first n of a larger draw are those of a smaller one.

    Raises:
        StudyError: the source has no question, or does not exist.
    """
    study = tidied(study)
    if source in (POOL, HELD_OUT):
        rows = _free_rows(study, source)
        if not rows:
            whose = "The pool has no row" if source == POOL else "There is no question"
            raise StudyError(f"{whose} to ask that is not shown already; add labelled examples.")
        order = np.random.default_rng(seed).permutation(len(rows))[:count]
        return tuple(EvaluationQuestion(rows[i].input, rows[i].label, source) for i in order)
    mixture = model.mixture
    if mixture is None or source not in mixture.families:
        raise StudyError(f"There is no task “{source}” to draw questions from; choose the pool or another task.")
    taken = _taken(study)
    found = [pair for pair in _draw(mixture, source, _context(study), DRAWS * count, seed) if pair[0] not in taken]
    if not found:
        raise StudyError(f"Every input of the task “{source}” is shown already; choose another task or the pool.")
    return tuple(EvaluationQuestion(x, study.template.label(word) or word, source) for x, word in found[:count])


def _taken(study: Study) -> set[str]:
    """Inputs that may not be asked: they stand in the prompt with their answer."""
    if source_of(study) == "pool":
        return set()
    return {row.input for row in study.demonstrations if usable(row)}


def _free_rows(study: Study, source: str) -> list[Demonstration]:
    """Rows of the pool, or of the questions, that may be asked, the first of each input."""
    taken = _taken(study)
    table = study.pool if source == POOL else study.questions
    rows = {row.input: row for row in reversed(table) if usable(row) and row.input not in taken}
    return list(reversed(rows.values()))


def _context(study: Study) -> list[tuple[str, str]]:
    """Pairs that tell which task is meant, their labels as the template writes them."""
    rows = study.demonstrations if source_of(study) == "demonstrations" else study.pool[:32]
    return [(row.input, study.template.word(row.label)) for row in rows if usable(row)]


def _likely_tasks(study: Study, mixture: Mixture) -> tuple[str, ...]:
    weights = mixture.posterior(_context(study), study.instruction)[0][-1]
    kinds = {family.name: family.kind for family in mixture.details}
    ranked = [mixture.families[i] for i in np.argsort(-weights, kind="stable")]
    return tuple(name for name in ranked if kinds[name] != "codebook")[:SHOWN_SOURCES]


def _draw(
    mixture: Mixture, family: str, context: Sequence[tuple[str, str]], count: int, seed: int
) -> list[tuple[str, str]]:
    """Pairs of the family's likeliest latent, the first of each input."""
    inside = np.flatnonzero(mixture.family_of == mixture.families.index(family))
    weights = mixture.latent_posterior(context)[inside]
    latent = int(inside[int(np.argmax(weights))])
    pairs = mixture.draw_pairs(latent, count, random.Random(f"questions/{family}/{seed}"))
    return list({x: (x, y) for x, y in reversed(pairs)}.values())[::-1]
