"""Who chose what: selections side by side on one query, the score each gave each row, and the answer each leads to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import ICLensError, StudyError
from core.evaluation.evaluate import Evaluation
from core.ordering import order as in_order
from core.runtime.progress import Stop, check, counting, part
from core.scoring.labels import candidate_labels
from core.scoring.together import Request, score_together
from core.selection import rows_of, select, selections, table_of
from core.statistics.ranks import rank_correlation
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
FEWEST = 3
"""Rows that both of two strategies must have scored before their ranks are compared."""


@dataclass(frozen=True)
class Choice:
    """What one selection chose.

    Attributes:
        name: of the selection.
        chosen: its choice, in the study's order.
        shown: (n,) the demonstrations themselves, in that order.
        places: rows of the pool among what it chose, in the order in which it took them.
        outside: demonstrations it chose that no row of the pool is: hand-picked ones, or the model's own.
        scores: (N,) what it gave each row of the pool, NaN where it gave none; None where it ranks nothing.
        answer: the model's answer to the query with them, by the study's scorer, as `run` gives it.
        seconds: that choosing took, this time.
    """

    name: str
    chosen: Chosen
    shown: tuple[Demonstration, ...]
    places: tuple[int, ...]
    outside: tuple[Demonstration, ...]
    scores: Floats | None
    answer: Answer
    seconds: float

    @property
    def ranks(self) -> dict[int, int]:
        """Place in the pool → 1 for the row it took first; empty where it takes a set at once."""
        if selections.find(self.name).at_once:
            return {}
        return {place: rank + 1 for rank, place in enumerate(self.places)}

    @property
    def members(self) -> frozenset[object]:
        """What it chose, in a form that two choices can be compared by."""
        return frozenset([*self.places, *((row.input, row.label) for row in self.outside)])

    def probability(self, label: str) -> float:
        """p(label) over the candidates, NaN where it is none of them."""
        if label not in self.answer.labels:
            return float("nan")
        return float(self.answer.probabilities[self.answer.labels.index(label)])


@dataclass(frozen=True)
class Refusal:
    """A selection that could not choose, and why: one sentence."""

    name: str
    why: str


def with_pool(study: Study) -> Study:
    """The study, its hand-picked demonstrations standing in for a pool that has no usable row."""
    if any(usable(row) for row in study.pool):
        return study
    return study.model_copy(update={"pool": study.demonstrations})


def choose(
    study: Study,
    model: LanguageModel,
    names: Sequence[str],
    *,
    stop: Stop | None = None,
) -> tuple[Choice | Refusal, ...]:
    """What each selection chooses for the study's query, and the answer it leads to.

    All else is the study's: k, encoder, seeds, ordering, template, scorer. Every answer equals that of
    `run` with the selection in place of the study's own; all are scored in one call, so their prompts share prefixes.

    Args:
        names: S selections; one that cannot be run on this study gives a `Refusal`, the others their choice.

    Raises:
        StudyError: there is no query.
        Cancelled: `stop` said so.
    """
    study = tidied(study)
    if not study.query:
        raise StudyError("There is no query; type an input to be answered.")
    taken: list[tuple[Study, Chosen, float] | Refusal] = []
    with part(0.0, 0.9), counting(len(names), "selections") as advance:
        for name in names:
            taken.append(_take(study.model_copy(update={"selection": name}), model, stop))
            advance(len(taken))
    requests: list[Request] = []
    for one in taken:
        if not isinstance(one, Refusal):
            own, chosen, _ = one
            shown = rows_of(own, chosen)
            # `run` asks for candidates before it orders.
            unordered = tuple(table_of(own, chosen)[i] for i in sorted((*chosen.indices, *chosen.left_out)))
            requests.append((own, shown, candidate_labels(own, model, unordered)[0]))
    with part(0.9, 1.0):
        answers = iter(_answer(requests, model, stop))
    found: list[Choice | Refusal] = []
    for one in taken:
        if isinstance(one, Refusal):
            found.append(one)
            continue
        own, chosen, seconds = one
        answer = next(answers)
        if isinstance(answer, ICLensError):
            found.append(Refusal(own.selection, str(answer)))
        else:
            found.append(_choice(own, chosen, answer, seconds))
    return tuple(found)


def _take(study: Study, model: LanguageModel, stop: Stop | None) -> tuple[Study, Chosen, float] | Refusal:
    check(stop)
    start = time.perf_counter()
    try:
        chosen = select(study, model, stop)
        seconds = time.perf_counter() - start
        return study, in_order(study, model, chosen, stop), seconds
    except StudyError as error:
        return Refusal(study.selection, str(error))


def _answer(requests: Sequence[Request], model: LanguageModel, stop: Stop | None) -> list[Answer | ICLensError]:
    """All in one call; where one cannot be scored, each alone."""
    try:
        return list(score_together(requests, model, stop))
    except StudyError as error:
        if len(requests) == 1:
            return [error]
        return [answer for request in requests for answer in _answer([request], model, stop)]


def _choice(study: Study, chosen: Chosen, answer: Answer, seconds: float) -> Choice:
    places, outside = _in_pool(study, chosen)
    return Choice(
        name=study.selection,
        chosen=chosen,
        shown=rows_of(study, chosen),
        places=places,
        outside=outside,
        scores=chosen.scores if chosen.source == "pool" else None,
        answer=answer,
        seconds=seconds,
    )


def _in_pool(study: Study, chosen: Chosen) -> tuple[tuple[int, ...], tuple[Demonstration, ...]]:
    """Rows of the pool that were taken, in that order, and what was taken from elsewhere and is no row of it.

    A demonstration from elsewhere is the first row of the pool with its texts that no other one is already.
    """
    if chosen.source == "pool":
        return chosen.taken, ()
    free: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(study.pool):
        if usable(row):
            free.setdefault((row.input, row.label), []).append(i)
    places, outside = [], []
    for row in (table_of(study, chosen)[i] for i in chosen.taken):
        same = free.get((row.input, row.label))
        if same:
            places.append(same.pop(0))
        else:
            outside.append(row)
    return tuple(places), tuple(outside)


def overlap(choices: Sequence[Choice]) -> Floats:
    """(S, S) Jaccard's |A ∩ B| / |A ∪ B| of what any two chose; NaN where neither chose anything."""
    sets = [choice.members for choice in choices]
    return np.array([[len(a & b) / len(a | b) if a | b else np.nan for b in sets] for a in sets]).reshape(
        len(sets), len(sets)
    )


def score_correlation(choices: Sequence[Choice]) -> tuple[Floats, NDArray[np.intp]]:
    """Spearman's ρ between the scores of any two, over the rows that both scored.

    Returns:
        (S, S) ρ in [−1, 1], NaN below three rows in common or where a side is constant; (S, S) how many rows those are.
    """
    size = len(choices)
    rho, count = np.full((size, size), np.nan), np.zeros((size, size), dtype=np.intp)
    for i, one in enumerate(choices):
        for j, other in enumerate(choices):
            if one.scores is None or other.scores is None or j < i:
                continue
            both = np.isfinite(one.scores) & np.isfinite(other.scores)
            count[i, j] = count[j, i] = int(both.sum())
            if count[i, j] >= FEWEST:
                rho[i, j] = rho[j, i] = rank_correlation(one.scores[both], other.scores[both])[0]
    return rho, count


def standing(scores: Floats) -> Floats:
    """(N,) share of the scored rows that score no higher than this one, in (0, 1]; NaN where there is no score.

    Ties share the higher standing. Scores of different strategies have different units; their standings compare.
    """
    found = np.full(len(scores), np.nan)
    known = np.isfinite(scores)
    values = np.round(scores[known], 6)
    if len(values):
        found[known] = np.searchsorted(np.sort(values), values, side="right") / len(values)
    return found


def rows_to_show(choices: Sequence[Choice], scores: Floats | None, most: int, least: int) -> list[int]:
    """Rows of the pool worth a line: those chosen by most strategies first, then by `scores`, the first on ties.

    Args:
        scores: (N,) of the strategy that is looked at, or None.
        most: rows at all.
        least: rows wanted even where fewer were chosen; only scored ones fill up.
    """
    votes: dict[int, int] = {}
    for choice in choices:
        for place in choice.places:
            votes[place] = votes.get(place, 0) + 1
    values = {place: scores[place] if scores is not None else np.nan for place in votes}
    ranked = sorted(votes, key=lambda i: (-votes[i], -np.nan_to_num(values[i], nan=-np.inf), i))[:most]
    if scores is not None and len(ranked) < least:
        rest = [
            int(i) for i in np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable") if np.isfinite(scores[i])
        ]
        ranked += [i for i in rest if i not in votes][: least - len(ranked)]
    return ranked


def usage(evaluation: Evaluation, size: int) -> NDArray[np.intp]:
    """(S, N) for how many questions each study showed each row of its pool; N = `size`."""
    counts = np.zeros((len(evaluation.studies), size), dtype=np.intp)
    for row, chosen in zip(counts, evaluation.chosen, strict=True):
        for one in chosen:
            if one.source == "pool":
                row[list(one.indices)] += 1
    return counts
