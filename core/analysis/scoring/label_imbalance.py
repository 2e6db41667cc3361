"""Label imbalance: the same questions after 4:4, 5:3, 6:2, 7:1 and 8:0 demonstrations of one label and the others.

    counts(a) = a of the majority label, n − a of the others, for a from n/L (even) to n

A draw of demonstrations has n slots, a queue of rows of the majority and one of the others, and an order in which slots
go over to the majority, all fixed by the seed. At count a the first a of that order hold the first a rows of the
majority's queue, all other slots the first n − a rows of the others'. So a step puts one row of the majority where one
of the others stood, and nothing else moves: what the curves show is imbalance and not another choice of rows. A queue
that is too short begins again from its start: its rows are shown repeatedly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring.grid import Combination
from core.analysis.scoring.table import ScoreTable, ScoringItem, score_tables
from core.errors import StudyError
from core.evaluation.questions import EvaluationQuestion
from core.runtime.progress import Stop
from core.statistics.bootstrap import mean_over_both
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Rows = tuple[Demonstration, ...]


@dataclass(frozen=True)
class Imbalance:
    """What C combinations answered after R counts of the majority label, over D draws of demonstrations.

    Attributes:
        combinations: (C,).
        majority: the label that is repeated.
        labels: (L,) candidates.
        counts: (R, 2) demonstrations of the majority, and of the others.
        demonstrations: (D, R) those shown, in order.
        questions: (N,) as many of the majority as of the other labels together.
        right: (C, R, D, N) whether the winning label is gold.
        majority_probability: (C, R, D, N) P(majority).
        bayes_right, bayes_majority: (B, R, D, N) the same of exact Bayes, B = 2 (forward, channel), or 0.
        query: (R,) the study's own query answered by every combination after the first draw.
        repeated: the most often that one row is shown, over draws and counts.
        resampling: seed of the intervals.
    """

    combinations: tuple[Combination, ...]
    majority: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, int], ...]
    demonstrations: tuple[tuple[Rows, ...], ...]
    questions: tuple[EvaluationQuestion, ...]
    right: NDArray[np.bool_]
    majority_probability: Floats
    bayes_right: NDArray[np.bool_]
    bayes_majority: Floats
    query: tuple[ScoreTable, ...]
    repeated: int
    resampling: int

    @property
    def names(self) -> tuple[str, ...]:
        """(R,) "4:4", "5:3", …"""
        return tuple(f"{a}:{b}" for a, b in self.counts)


def labels_that_repeat(rows: Sequence[Demonstration]) -> tuple[str, ...]:
    """Labels of usable rows, the commonest first, first seen first among equals; none where fewer than two differ or no
    label occurs twice: an answer that never recurs cannot be in the majority."""
    found = [row.label for row in rows if usable(row)]
    distinct = list(dict.fromkeys(found))
    if len(distinct) < 2 or len(distinct) == len(found):
        return ()
    return tuple(sorted(distinct, key=lambda label: -found.count(label)))


def counts_of(n: int, labels: int) -> tuple[tuple[int, int], ...]:
    """(a, n − a) from the majority's even share ⌈n / labels⌉ to all n."""
    return tuple((a, n - a) for a in range(-(-n // labels), n + 1))


def draw_demonstrations(rows: Sequence[Demonstration], majority: str, n: int, seed: int) -> tuple[Rows, ...]:
    """One draw: n demonstrations for every count of `counts_of`, (R,) tuples, as the module's head defines it.

    The queues are the rows of the majority and the rows of the others, both shuffled by the seed; labels of the others
    take turns, so that they stay as even among themselves as they can.

    Raises:
        StudyError: no row has the majority's label, or none has another.
    """
    rng = np.random.default_rng(seed)
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    slots = rng.permutation(n)
    ours = [row for row in shuffled if row.label == majority]
    theirs = _in_turn([row for row in shuffled if row.label != majority])
    if not ours or not theirs:
        raise StudyError("Imbalance takes demonstrations of at least two labels; add some of another label.")
    labels = 1 + len({row.label for row in theirs})
    found = []
    for a, b in counts_of(n, labels):
        shown: list[Demonstration | None] = [None] * n
        for place, slot in enumerate(slots):
            # Slots are handed over from the front, and the others keep their rows from the back.
            shown[slot] = ours[place % len(ours)] if place < a else theirs[(n - 1 - place) % len(theirs)]
        found.append(tuple(row for row in shown if row is not None))
        assert sum(row.label != majority for row in found[-1]) == b
    return tuple(found)


def _in_turn(rows: Sequence[Demonstration]) -> list[Demonstration]:
    """Rows of one label after another in turn, until all are used up."""
    queues = [[row for row in rows if row.label == label] for label in dict.fromkeys(row.label for row in rows)]
    longest = max(map(len, queues), default=0)
    return [queue[i] for i in range(longest) for queue in queues if i < len(queue)]


def even_questions(
    questions: Sequence[EvaluationQuestion], majority: str, count: int
) -> tuple[EvaluationQuestion, ...]:
    """Up to `count` questions, half of the majority's label and half of the others, in the order given.

    Raises:
        StudyError: one half is empty.
    """
    ours = [q for q in questions if q.gold.strip() == majority]
    theirs = [q for q in questions if q.gold.strip() != majority]
    half = min(len(ours), len(theirs), max(1, count // 2))
    if not half:
        missing = majority if not ours else f"another label than {majority}"
        raise StudyError(f"No question has the answer {missing}; take questions from elsewhere or draw more of them.")
    kept = {*map(id, ours[:half]), *map(id, theirs[:half])}
    return tuple(q for q in questions if id(q) in kept)


def shared_out(
    rows: Sequence[Demonstration], questions: Sequence[EvaluationQuestion], majority: str, count: int
) -> tuple[Rows, tuple[EvaluationQuestion, ...]]:
    """Rows to show and even questions to ask, no input in both.

    Where rows are asked themselves, at most half of the inputs of either side are, so that as many are left to show.

    Raises:
        StudyError: too few rows of one side, or no question on one side.
    """
    if {row.input for row in rows} & {question.input.strip() for question in questions}:
        sides = [{row.input for row in rows if (row.label == majority) == ours} for ours in (True, False)]
        count = min(count, 2 * (min(map(len, sides)) // 2))
        if not count:
            raise StudyError(
                "Of at least one label there is a single row: it cannot both be asked and shown. Add more rows, or "
                "take questions from elsewhere."
            )
    asked = even_questions(questions, majority, count)
    taken = {question.input.strip() for question in asked}
    return tuple(row for row in rows if row.input not in taken), asked


def imbalance(
    study: Study,
    model: LanguageModel,
    rows: Sequence[Demonstration],
    questions: Sequence[EvaluationQuestion],
    combinations: Sequence[Combination],
    *,
    majority: str,
    n: int = 8,
    draws: int = 3,
    seed: int = 0,
    stop: Stop | None = None,
) -> Imbalance:
    """Accuracy and P(majority) as one label takes over, for every combination.

    Args:
        study: template, instruction and settings of the scorers; its query is answered too.
        rows: labelled rows to show; those whose input is asked are left out.
        questions: an even number of which should have the majority's answer; `shared_out` sees to it.
        majority: the label that takes over.
        n: demonstrations shown.
        draws: D, each with its own rows and order, from `seed`, `seed` + 1, …

    Raises:
        StudyError: a side without rows, no question, or a calibration without inputs.
        PromptTooLong: n demonstrations do not fit.
        Cancelled: `stop` said so.
    """
    study = tidied(study)
    rows = _free(study, rows, questions)
    shown = tuple(draw_demonstrations(rows, majority, n, seed + d) for d in range(draws))
    found = list(study.labels) or [row.label for row in rows]
    labels = tuple(dict.fromkeys([*found, majority, *(q.gold.strip() for q in questions)]))
    counts = counts_of(n, len({row.label for row in rows}))
    places = product(range(len(counts)), range(draws), questions)
    items: list[ScoringItem] = [(question.input.strip(), shown[d][r], labels) for r, d, question in places]
    own = [(study.query, shown[0][r], labels) for r in range(len(counts))] if study.query else []
    tables = score_tables(study, model, [*own, *items], combinations, stop=stop)
    query, tables = tables[: len(own)], tables[len(own) :]
    _refuse_errors(tables)
    shape, place = (len(counts), draws, len(questions)), labels.index(majority)
    gold = np.broadcast_to([q.gold.strip() for q in questions], shape)
    best, p = _read(tables, place, shape)
    bayes_best, bayes_p = _read_bayes(tables, place, shape, model.mixture is not None)
    return Imbalance(
        combinations=tuple(combinations),
        majority=majority,
        labels=labels,
        counts=counts,
        demonstrations=shown,
        questions=tuple(questions),
        right=best == gold,
        majority_probability=p,
        bayes_right=bayes_best == gold,
        bayes_majority=bayes_p,
        query=query,
        repeated=max(row.count(one) for draw in shown for row in draw for one in row),
        resampling=seed,
    )


def _refuse_errors(tables: Sequence[ScoreTable]) -> None:
    """Raise the first error of any table."""
    for table in tables:
        if said := next((error for error in table.errors if error), ""):
            raise StudyError(said)


def _free(study: Study, rows: Sequence[Demonstration], questions: Sequence[EvaluationQuestion]) -> list[Demonstration]:
    """Rows that may be shown: their input is neither asked nor the query.

    Raises:
        StudyError: nothing is asked.
    """
    if not questions:
        raise StudyError("There is no question to ask.")
    asked = {question.input.strip() for question in questions} | {study.query}
    tidy = tidied(study.model_copy(update={"pool": tuple(rows)})).pool
    return [row for row in tidy if usable(row) and row.input not in asked]


def _read(tables: Sequence[ScoreTable], place: int, shape: tuple[int, ...]) -> tuple[NDArray[np.str_], Floats]:
    """Winning labels and P(majority), (C, R, D, N)."""
    best = np.array([table.best for table in tables]).T
    p = np.array([table.probabilities[:, place] for table in tables]).T
    return best.reshape(-1, *shape), p.reshape(-1, *shape)


def _read_bayes(
    tables: Sequence[ScoreTable], place: int, shape: tuple[int, ...], known: bool
) -> tuple[NDArray[np.str_], Floats]:
    """The same of exact Bayes, (2, R, D, N) or (0, R, D, N)."""
    ways = [(t.bayes, t.bayes_channel) if known else () for t in tables]
    best = np.array([["" if a is None else a.best for a in row] for row in ways], dtype=str)
    p = np.array([[np.nan if a is None else a.probabilities[place] for a in row] for row in ways], dtype=np.float64)
    rows = 2 if known else 0
    return best.T.reshape(rows, *shape), p.T.reshape(rows, *shape)


def imbalance_records(found: Imbalance) -> list[dict[str, Any]]:
    """A row for every combination (and exact Bayes) and count."""
    names = [c.key for c in found.combinations] + ["Exact Bayes", "Exact Bayes, channel"][: len(found.bayes_right)]
    right = np.concatenate([found.right, found.bayes_right])
    share = np.concatenate([found.majority_probability, found.bayes_majority])
    accuracy, majority = mean_over_both(right, found.resampling), mean_over_both(share, found.resampling)
    return [
        {
            "combination": name,
            "majority": found.majority,
            "of_majority": a,
            "of_others": b,
            "questions": len(found.questions),
            "draws": len(found.demonstrations),
            "accuracy": float(accuracy[0][c, r]),
            "accuracy_low": float(accuracy[1][c, r]),
            "accuracy_high": float(accuracy[2][c, r]),
            "p_majority": float(majority[0][c, r]),
            "p_majority_low": float(majority[1][c, r]),
            "p_majority_high": float(majority[2][c, r]),
        }
        for c, name in enumerate(names)
        for r, (a, b) in enumerate(found.counts)
    ]
