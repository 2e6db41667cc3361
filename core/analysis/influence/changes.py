"""What the answer does when a demonstration is shown differently: with another label, or in another place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.analysis.influence.value import Floats, InfluenceQuestion, Places, Rows, values
from core.runtime.progress import Stop

if TYPE_CHECKING:
    from core.models import LanguageModel


@dataclass(frozen=True)
class Flips:
    """Every demonstration with every candidate for its label.

    Attributes:
        question: what v is.
        everything: v as shown, and `answer`, the place of the label that the model answers then.
        own: (n,) place of a demonstration's own label among the candidates, −1 where it is none of them.
        effects: (n, L) v(label of i is y) − v(as shown); 0 at its own label.
        answers: (n, L) place of the label that the model answers then.
        bayes: (n, L) the same effects under exact Bayes, or None.
    """

    question: InfluenceQuestion
    everything: float
    answer: int
    own: Places
    effects: Floats
    answers: Places
    bayes: Floats | None


@dataclass(frozen=True)
class Moves:
    """Every demonstration in every position, the others keeping their order.

    Exact Bayes knows no order: its effects are all 0, and so is any kernel's.

    Attributes:
        question: what v is.
        everything: v as shown, and `answer`, the place of the label that the model answers then.
        effects: (n, n) v(i stands in position j) − v(as shown), j = 0 first; 0 on the diagonal.
        answers: (n, n) place of the label that the model answers then.
    """

    question: InfluenceQuestion
    everything: float
    answer: int
    effects: Floats
    answers: Places


def flips(question: InfluenceQuestion, model: LanguageModel, *, stop: Stop | None = None) -> Flips:
    """Flip the label of each demonstration in turn to every other candidate: n (L − 1) prompts.

    Raises:
        PromptTooLong: a longer label does not fit.
        Cancelled: `stop` answered True.
    """
    n, labels = len(question.shown), question.labels
    own = np.array([labels.index(row.label) if row.label in labels else -1 for row in question.shown], dtype=np.intp)
    changes = [(i, j) for i in range(n) for j in range(len(labels)) if own[i] != j]
    rows = [question.shown, *(flipped(question.shown, i, labels[j]) for i, j in changes)]
    found = values([(question, shown) for shown in rows], model, stop=stop)
    shape = (n, len(labels))
    return Flips(
        question=question,
        everything=float(found.model[0]),
        answer=int(found.answers[0]),
        own=own,
        effects=_effects(changes, found.model, shape),
        answers=_answers(changes, found.answers, shape),
        bayes=None if found.bayes is None else _effects(changes, found.bayes, shape),
    )


def moves(question: InfluenceQuestion, model: LanguageModel, *, stop: Stop | None = None) -> Moves:
    """Move each demonstration in turn to every other position: n (n − 1) prompts, of which neighbours' swaps are one.

    Raises:
        Cancelled: `stop` answered True.
    """
    n = len(question.shown)
    # to swap neighbours is one prompt, whichever of the two is said to move
    changes = [(i, j) for i in range(n) for j in range(n) if i != j and j != i - 1]
    rows = [question.shown, *(moved(question.shown, i, j) for i, j in changes)]
    found = values([(question, shown) for shown in rows], model, bayes=False, stop=stop)
    effects = _effects(changes, found.model, (n, n))
    answers = _answers(changes, found.answers, (n, n))
    for i in range(1, n):
        effects[i, i - 1], answers[i, i - 1] = effects[i - 1, i], answers[i - 1, i]
    return Moves(question, float(found.model[0]), int(found.answers[0]), effects, answers)


def flipped(shown: Rows, i: int, label: str) -> Rows:
    """The demonstrations with another label for i."""
    return tuple(row.model_copy(update={"label": label}) if place == i else row for place, row in enumerate(shown))


def moved(shown: Rows, i: int, j: int) -> Rows:
    """The demonstrations with i taken out and put back so that it stands in position j."""
    rest = [row for place, row in enumerate(shown) if place != i]
    return (*rest[:j], shown[i], *rest[j:])


def _effects(changes: Sequence[tuple[int, int]], found: Floats, shape: tuple[int, int]) -> Floats:
    """found[1:] − found[0] as a table, 0 where nothing was changed."""
    table = np.zeros(shape)
    for place, value in zip(changes, found[1:] - found[0], strict=True):
        table[place] = value
    return table


def _answers(changes: Sequence[tuple[int, int]], found: Places, shape: tuple[int, int]) -> Places:
    """found[1:] as a table, found[0] where nothing was changed."""
    table = np.full(shape, found[0], dtype=np.intp)
    for place, answer in zip(changes, found[1:], strict=True):
        table[place] = answer
    return table
