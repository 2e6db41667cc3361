"""Disagreement: the same questions answered by every combination of scorer and calibration, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring.grid import Combination, variants
from core.analysis.scoring.table import ScoreTable, ScoringItem, score_tables
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import EvaluationQuestion
from core.runtime.progress import Stop, part
from core.statistics.intervals import intervals
from core.study.demonstrations import Demonstration
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CHOOSING = 0.4  # share of the work that choosing demonstrations is taken for
BAYES = ("Exact Bayes", "Exact Bayes, channel")


@dataclass(frozen=True)
class ScorerAgreement:
    """What C combinations answered to N questions, after the same demonstrations.

    Attributes:
        combinations: (C,) those that could answer every question.
        left_out: (combination, why) of the others.
        questions: (N,).
        shown: (N,) demonstrations of each question, in order: the study's own choice.
        chosen: (N,) where these come from.
        tables: (N,) every answer; their C is `combinations`.
        bayes: names of the rows of exact Bayes, none where the mixture is not known.
    """

    combinations: tuple[Combination, ...]
    left_out: tuple[tuple[Combination, str], ...]
    questions: tuple[EvaluationQuestion, ...]
    shown: tuple[tuple[Demonstration, ...], ...]
    chosen: tuple[Chosen, ...]
    tables: tuple[ScoreTable, ...]
    bayes: tuple[str, ...]

    @property
    def gold(self) -> tuple[str, ...]:
        """(N,) right answers."""
        return tuple(question.gold.strip() for question in self.questions)

    @property
    def answers(self) -> NDArray[np.str_]:
        """(C, N) winning labels."""
        return np.array([[best or "" for best in table.best] for table in self.tables]).T

    @property
    def right(self) -> Bools:
        """(C, N) whether the winning label is gold."""
        found: Bools = self.answers == np.array(self.gold)[None]
        return found

    @property
    def bayes_right(self) -> Bools:
        """(len(bayes), N) the same for exact Bayes; an input that it gives no label any probability counts as wrong."""
        ways = [[t.bayes, t.bayes_channel][: len(self.bayes)] for t in self.tables]
        best = [[answer.best if answer is not None else None for answer in row] for row in ways]
        rows = [[b == gold for b in row] for row, gold in zip(best, self.gold, strict=True)]
        return np.array(rows, dtype=bool).reshape(len(self.tables), len(self.bayes)).T

    @property
    def gold_probability(self) -> Floats:
        """(C, N) P(gold) over the candidates; 0 where gold is none of them."""
        rows = []
        for table, gold in zip(self.tables, self.gold, strict=True):
            p = table.probabilities
            rows.append(p[:, table.labels.index(gold)] if gold in table.labels else np.zeros(len(p)))
        return np.array(rows).T

    @property
    def accuracy(self) -> Floats:
        """(C,) share of questions answered right."""
        share: Floats = self.right.mean(axis=1)
        return share

    @property
    def interval(self) -> Floats:
        """(C, 2) Wilson's 95 % interval of the accuracy."""
        return intervals(self.right)

    @property
    def split(self) -> Ints:
        """Questions on which not all combinations answer alike, those with most different answers first."""
        counts = np.array([len(set(column)) for column in self.answers.T.tolist()])
        minority = np.array([len(column) - _commonest(column) for column in self.answers.T.tolist()])
        order = np.lexsort((np.arange(len(counts)), -minority, -counts))
        return np.array([n for n in order if counts[n] > 1], dtype=np.int64)


def scorer_agreement(
    study: Study,
    model: LanguageModel,
    questions: Sequence[EvaluationQuestion],
    combinations: Sequence[Combination],
    *,
    stop: Stop | None = None,
) -> ScorerAgreement:
    """Ask every question once with the study's own demonstrations, and score it in every way.

    Selection and ordering are the study's, run once for a question: what differs is the scoring alone. Candidates are
    those of `core.evaluation.evaluate.evaluate`.

    Raises:
        StudyError: the study cannot be run, or no combination can answer.
        PromptTooLong: a prompt does not fit.
        Cancelled: `stop` said so.
    """
    plain = Combination(variants()[0]).of(study)  # any way to score will do here: its answers are not read
    with part(0.0, CHOOSING):
        asked = evaluate([plain], model, questions, stop=stop)
    items: list[ScoringItem] = [
        (question.input.strip(), shown, labels)
        for question, shown, labels in zip(asked.questions, asked.shown[0], asked.labels, strict=True)
    ]
    with part(CHOOSING, 1.0):
        tables = score_tables(study, model, items, combinations, stop=stop)
    errors = [next((t.errors[c] for t in tables if t.errors[c]), "") for c in range(len(combinations))]
    kept = [c for c, error in enumerate(errors) if not error]
    return ScorerAgreement(
        combinations=tuple(combinations[c] for c in kept),
        left_out=tuple((combinations[c], error) for c, error in enumerate(errors) if error),
        questions=asked.questions,
        shown=asked.shown[0],
        chosen=asked.chosen[0],
        tables=tuple(_kept(table, kept) for table in tables),
        bayes=BAYES if model.mixture is not None else (),
    )


def _kept(table: ScoreTable, places: Sequence[int]) -> ScoreTable:
    return replace(
        table,
        combinations=tuple(table.combinations[c] for c in places),
        answers=tuple(table.answers[c] for c in places),
        errors=tuple(table.errors[c] for c in places),
    )


def _commonest(column: Sequence[str]) -> int:
    return max(column.count(label) for label in set(column))


def accuracy_records(found: ScorerAgreement) -> list[dict[str, Any]]:
    """A row for every combination, and for exact Bayes."""
    rights = np.vstack([found.right, found.bayes_right])
    names = [(c.key, c.variant.title, c.calibration) for c in found.combinations]
    names += [(name, name, "none") for name in found.bayes]
    p = [float(v) for v in found.gold_probability.mean(axis=1)]
    return [
        {
            "combination": key,
            "scorer": scorer,
            "calibration": calibration,
            "questions": len(found.questions),
            "right": int(right.sum()),
            "accuracy": float(right.mean()),
            "low": float(low),
            "high": float(high),
            "mean_p_gold": p[i] if i < len(p) else "",
        }
        for i, ((key, scorer, calibration), right, (low, high)) in enumerate(
            zip(names, rights, intervals(rights), strict=True)
        )
    ]


def item_records(found: ScorerAgreement) -> list[dict[str, Any]]:
    """A row for every question: input, right answer, and what every combination answers."""
    answers = found.answers
    return [
        {
            "input": question.input,
            "gold": question.gold,
            "different_answers": len(set(answers[:, n].tolist())),
            "right": int(found.right[:, n].sum()),
            **{c.key: str(answers[i, n]) for i, c in enumerate(found.combinations)},
        }
        for n, question in enumerate(found.questions)
    ]
