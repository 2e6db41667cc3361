"""Studies that differ in how they choose, order, write or score, held against the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError
from core.evaluation.questions import EvaluationQuestion
from core.ordering import order
from core.runtime.cost import Cost, metered
from core.runtime.progress import Stop, check, counting, part
from core.scoring import log_shares
from core.scoring.labels import check_count, distinct, every_label
from core.scoring.together import score_together
from core.selection import rows_chosen, rows_of, select
from core.statistics.intervals import wilson
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = tuple[Demonstration, ...]

CHOOSING = 0.3  # share of the work that choosing and ordering are taken for
TOGETHER = 48
"""Questions scored in one call: they share the prompt before the query; between calls one can stop."""


@dataclass(frozen=True)
class Evaluation:
    """What S studies answered to N questions.

    Attributes:
        studies: (S,) as given, tidied.
        questions: (N,).
        labels: (N,) candidates of each question, the same for every study.
        chosen: (S, N) which demonstrations, in order.
        shown: (S, N) the demonstrations themselves.
        answers: (S, N).
        right: (S, N) whether the answer with the highest score is gold.
        gold_logprob: (S, N) log p(gold) over the candidates, nats.
        costs: (S,) forward passes that each study took for all questions, choosing included.
    """

    studies: tuple[Study, ...]
    questions: tuple[EvaluationQuestion, ...]
    labels: tuple[tuple[str, ...], ...]
    chosen: tuple[tuple[Chosen, ...], ...]
    shown: tuple[tuple[Rows, ...], ...]
    answers: tuple[tuple[Answer, ...], ...]
    right: Bools
    gold_logprob: Floats
    costs: tuple[Cost, ...]

    @property
    def accuracy(self) -> Floats:
        """(S,) share of questions answered right."""
        share: Floats = self.right.mean(axis=1)
        return share

    @property
    def interval(self) -> Floats:
        """(S, 2) Wilson's 95 % interval of the accuracy: how far it may lie from that on all such questions."""
        return np.array([wilson(int(row.sum()), len(row)) for row in self.right])

    @property
    def best(self) -> tuple[tuple[str, ...], ...]:
        """(S, N) the answers' labels."""
        return tuple(tuple(answer.best for answer in row) for row in self.answers)


def evaluate(
    studies: Sequence[Study],
    model: LanguageModel,
    questions: Sequence[EvaluationQuestion],
    *,
    labels: Sequence[tuple[str, ...]] | None = None,
    stop: Stop | None = None,
) -> Evaluation:
    """Ask every study every question: its query and gold are the question's, all else is its own.

    The candidates of a question are the same for every study, so that none has an easier choice than another. Where
    every right answer is a label of the demonstrations or the pool (or the studies name their labels) the task is
    closed and these are the candidates; else, as with plurals, what `every_label` finds for any of the studies,
    the mixture's own answers to the input among it, and the right answer. All of them are scored, however many: to keep
    some would take knowing which, and a set that always holds the right one makes the questions easier.

    Args:
        studies: S variants, usually of one study.
        questions: N, from `core.evaluation.questions`.
        labels: (N,) the candidates, where they are known already; None finds them as above.

    Raises:
        StudyError: no study, no question, more than 1,000 candidates that no study names, or one of the studies cannot
            be run.
        PromptTooLong: a prompt does not fit the model's context.
        Cancelled: `stop` said so.
    """
    if not studies or not questions:
        raise StudyError("There is nothing to compare: no question, or no variant to ask it.")
    asked = [[_ask(tidied(study), question) for question in questions] for study in studies]
    chosen: list[list[Chosen]] = []
    costs: list[Cost] = []
    with part(0.0, CHOOSING), counting(len(asked), "studies") as advance:
        for place, row in enumerate(asked):
            with metered() as meter:
                chosen.append(_choose(row, model, stop))
            costs.append(meter.spent)
            advance(place + 1)
    shown = [[rows_of(s, c) for s, c in zip(*pair, strict=True)] for pair in zip(asked, chosen, strict=True)]
    whole = [[rows_chosen(s, c) for s, c in zip(*pair, strict=True)] for pair in zip(asked, chosen, strict=True)]
    labels = _candidates(asked, whole, model) if labels is None else labels
    answers: list[tuple[Answer, ...]] = []
    with part(CHOOSING, 1.0), counting(len(asked), "studies") as advance:
        for place, row in enumerate(asked):
            with metered() as meter:
                answers.append(_score(row, shown[place], labels, model, stop))
            costs[place] += meter.spent
            advance(place + 1)
    gold = [question.gold for question in questions]
    return Evaluation(
        studies=tuple(tidied(study) for study in studies),
        questions=tuple(questions),
        labels=tuple(labels),
        chosen=tuple(map(tuple, chosen)),
        shown=tuple(map(tuple, shown)),
        answers=tuple(answers),
        right=np.array([[a.best == y for a, y in zip(row, gold, strict=True)] for row in answers]),
        gold_logprob=np.array([_log_shares(*pair, gold) for pair in zip(asked, answers, strict=True)]),
        costs=tuple(costs),
    )


def candidates_of(
    study: Study, model: LanguageModel, questions: Sequence[EvaluationQuestion], stop: Stop | None = None
) -> tuple[tuple[str, ...], ...]:
    """(N,) the candidates that `evaluate` gives every question of one study; nothing is scored.

    Raises:
        StudyError, Cancelled: as `evaluate`.
    """
    asked = [_ask(tidied(study), question) for question in questions]
    if not asked:
        return ()
    rows = [rows_chosen(one, chosen) for one, chosen in zip(asked, _choose(asked, model, stop), strict=True)]
    return tuple(_candidates([asked], [rows], model))


def _ask(study: Study, question: EvaluationQuestion) -> Study:
    return study.model_copy(update={"query": question.input.strip(), "gold": question.gold.strip()})


def _choose(asked: Sequence[Study], model: LanguageModel, stop: Stop | None) -> list[Chosen]:
    """What each question is shown, in order."""
    found = []
    with counting(len(asked), "questions") as advance:
        for study in asked:
            check(stop)
            found.append(order(study, model, select(study, model, stop), stop))
            advance(len(found))
    return found


def _candidates(
    asked: Sequence[Sequence[Study]], shown: Sequence[Sequence[Rows]], model: LanguageModel
) -> list[tuple[str, ...]]:
    """(N,) the candidates of every question over all studies."""
    by_question = [
        list(zip(*pair, strict=True)) for pair in zip(zip(*asked, strict=True), zip(*shown, strict=True), strict=True)
    ]
    closed = distinct(label for variants in by_question for study, rows in variants for label in _of_task(study, rows))
    if all(study.gold in closed for study in asked[0]):
        found = [closed] * len(by_question)
    else:
        found = [
            distinct(
                [*(y for study, rows in variants for y in every_label(study, model, rows)), variants[0][0].gold or ""]
            )
            for variants in by_question
        ]
    if not all(study.labels for study, _ in by_question[0]):
        check_count(max(found, key=len))
    return found


def _of_task(study: Study, shown: Rows) -> tuple[str, ...]:
    """The labels of the study's own examples, none where it has none."""
    rows = (*shown, *study.pool) if not study.labels else ()
    return distinct((*study.labels, *(row.label for row in rows if usable(row))))


def _score(
    asked: Sequence[Study],
    shown: Sequence[Rows],
    labels: Sequence[tuple[str, ...]],
    model: LanguageModel,
    stop: Stop | None,
) -> tuple[Answer, ...]:
    """The answers of one study."""
    answers: list[Answer] = []
    with counting(len(asked), "questions", at_once=TOGETHER) as advance:
        for start in range(0, len(asked), TOGETHER):
            some = slice(start, start + TOGETHER)
            requests = list(zip(asked[some], shown[some], labels[some], strict=True))
            answers += score_together(requests, model, stop)
            advance(len(answers))
    return tuple(answers)


def _log_share(study: Study, answer: Answer, gold: str) -> float:
    """log p(gold) over the candidates; −∞ where a study names its labels and gold is none of them."""
    return float(log_shares(study, answer)[answer.labels.index(gold)]) if gold in answer.labels else -np.inf


def _log_shares(asked: Sequence[Study], answers: Sequence[Answer], gold: Sequence[str]) -> list[float]:
    """(N,) of one study."""
    return [_log_share(*one) for one in zip(asked, answers, gold, strict=True)]
