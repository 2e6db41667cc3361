"""Which explanation ranks the demonstrations as their influence does?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.influence.explanations import Reading
from core.analysis.influence.removal import Removal
from core.analysis.influence.survey import SurveyedQuery
from core.errors import StudyError
from core.statistics.bootstrap import Interval, mean_over
from core.statistics.ranks import Method, p_values, rank_correlation

Floats = NDArray[np.float64]
Measure = Literal["leave-one-out", "shapley"]
Compared = Literal["signed", "plain", "size"]
Head = tuple[int, int]

BAYES, LABEL, PLACE = "exact Bayes", "label alone", "place in the prompt"


@dataclass(frozen=True)
class Heads:
    """The heads' correlations.

    Attributes:
        by_query: (Q, layers, heads).
        over: (layers, heads) mean over queries, with its interval.
        p: (layers, heads) on a single query, else None.
        best: the head of largest mean: the largest of many, and so too good to be true.
        chosen, held_out: chosen on one half of the queries and measured on the other, both ways round, and the mean of
            the two measurements; NaN and () below four queries.
    """

    by_query: Floats
    over: Interval
    p: Floats | None
    best: Head | None
    chosen: tuple[Head, ...]
    held_out: float


@dataclass(frozen=True)
class Agreement:
    """Rank correlation of explanations with influence.

    Attributes:
        queries: (Q,).
        names, details: (E,) kernels first, then what to hold them against: exact Bayes's own influence, the label
            alone, the place in the prompt.
        by_query: (Q, E) correlations, NaN where undefined.
        over: (E,) mean over queries, with its interval.
        p: (E,) on a single query, else None.
        heads: of every head, or None where the model gives no attention.
    """

    queries: tuple[str, ...]
    names: tuple[str, ...]
    details: tuple[str, ...]
    by_query: Floats
    over: Interval
    p: Floats | None
    heads: Heads | None


def agreement(
    evidence: Sequence[SurveyedQuery],
    *,
    measure: Measure = "leave-one-out",
    compared: Compared = "signed",
    method: Method = "spearman",
    reading: Reading = ("demonstration", "max"),
    seed: int = 0,
) -> Agreement:
    """Correlate, over the demonstrations of each query, what explanations say with what the model did.

    A kernel's weight has no sign, and influence has one. So, with s_i = +1 where y_i is the label that v is about and
    −1 elsewhere,

        signed  K_i s_i with φ_i     a demonstration that weighs pushes towards its own label
        plain   K_i with φ_i         a demonstration that weighs pushes towards the answer
        size    K_i with |φ_i|       a demonstration that weighs matters, whichever way

    and exact Bayes's influence takes part as it is, or by its size. "label alone" is K = 1, what the sign alone earns.
    Where no demonstration carries the label (each word has its own translation) every s_i is −1: signed says the
    opposite of plain, and plain is the one to read.

    Args:
        evidence: (Q,) at least one.
        measure: φ, leave-one-out or Shapley.
        reading: what is read of a head's row of attention.
        seed: of the bootstrap over queries.

    Raises:
        StudyError: Shapley values are asked for and were not computed, or there is no evidence.
    """
    if not evidence:
        raise StudyError("There is no query to correlate over.")
    names, details = _rows(evidence[0], compared)
    by_query = np.full((len(evidence), len(names)), np.nan)
    by_head = []
    for place, one in enumerate(evidence):
        effect = _compared(_measured(one.influence.model, measure), compared)
        by_query[place] = rank_correlation(_scores(one, measure, compared, names), effect, method)
        if one.explanations.heads:
            layers, heads, n = one.explanations.heads[reading].shape
            flat = _signed(one.explanations.heads[reading].reshape(-1, n), one.signs, compared)
            by_head.append(rank_correlation(flat, effect, method).reshape(layers, heads))
    return Agreement(
        queries=tuple(one.query for one in evidence),
        names=names,
        details=details,
        by_query=by_query,
        over=mean_over(by_query, seed),
        p=p_of_kernels(evidence[0], measure, compared, method) if len(evidence) == 1 else None,
        heads=_heads(np.array(by_head), evidence, measure, compared, method, reading, seed) if by_head else None,
    )


def weights_of(one: SurveyedQuery, name: str | Head, measure: Measure, compared: Compared, reading: Reading) -> Floats:
    """(n,) what the correlation of a row, or of a head, is about: its weights, with signs where compared signed."""
    if isinstance(name, tuple):
        return _signed(one.explanations.heads[reading][name], one.signs, compared)
    found: Floats = _scores(one, measure, compared, (name,))[0]
    return found


def effects_of(one: SurveyedQuery, measure: Measure, compared: Compared) -> Floats:
    """(n,) the influence that weights are correlated with."""
    return _compared(_measured(one.influence.model, measure), compared)


def p_of_kernels(one: SurveyedQuery, measure: Measure, compared: Compared, method: Method) -> Floats:
    """(E,) p-values on one query."""
    names, _ = _rows(one, compared)
    return p_values(_scores(one, measure, compared, names), effects_of(one, measure, compared), method)


def _rows(one: SurveyedQuery, compared: Compared) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rows = list(zip(one.explanations.names, one.explanations.details, strict=True))
    if one.influence.bayes is not None:
        rows.append((BAYES, "the influence that each demonstration has under exact Bayes"))
    if compared == "signed":
        rows.append((LABEL, "+1 where the label is the one asked about, −1 elsewhere: K = 1"))
    rows.append((PLACE, "1 for the first demonstration … n for the last, next to the query"))
    return tuple(name for name, _ in rows), tuple(detail for _, detail in rows)


def _scores(one: SurveyedQuery, measure: Measure, compared: Compared, names: Sequence[str]) -> Floats:
    """(len(names), n)."""
    said = one.explanations
    scores = []
    for name in names:
        if name == BAYES and one.influence.bayes is not None:
            scores.append(_compared(_measured(one.influence.bayes, measure), compared))
        elif name == LABEL:
            scores.append(one.signs)
        elif name == PLACE:
            scores.append(_signed(np.arange(1.0, len(one.signs) + 1), one.signs, compared))
        elif name in said.names:
            scores.append(_signed(said.weights[said.names.index(name)], one.signs, compared))
        else:
            scores.append(np.full(len(one.signs), np.nan))
    return np.array(scores).reshape(len(names), -1)


def _measured(removal: Removal, measure: Measure) -> Floats:
    if measure == "leave-one-out":
        return removal.leave_one_out
    if removal.shapley is None:
        raise StudyError("Shapley values were not computed.")
    return removal.shapley.values


def _compared(effect: Floats, compared: Compared) -> Floats:
    return np.abs(effect) if compared == "size" else effect


def _signed(weights: Floats, signs: Floats, compared: Compared) -> Floats:
    return weights * signs if compared == "signed" else weights


def _heads(
    by_query: Floats,
    evidence: Sequence[SurveyedQuery],
    measure: Measure,
    compared: Compared,
    method: Method,
    reading: Reading,
    seed: int,
) -> Heads:
    over = mean_over(by_query, seed)
    p = None
    if len(evidence) == 1:
        one = evidence[0]
        weights = one.explanations.heads[reading]
        flat = _signed(weights.reshape(-1, weights.shape[2]), one.signs, compared)
        p = p_values(flat, effects_of(one, measure, compared), method).reshape(over.mean.shape)
    halves = (by_query[::2], by_query[1::2])
    chosen: list[Head] = []
    measured = []
    for here, there in (halves, halves[::-1]) if len(by_query) >= 4 else ():
        head = _best(_mean(here))
        if head is not None:
            chosen.append(head)
            measured.append(float(_mean(there)[head]))
    held_out = float(np.mean(measured)) if measured else float("nan")
    return Heads(by_query, over, p, _best(over.mean), tuple(chosen), held_out)


def _mean(by_query: Floats) -> Floats:
    """Mean over queries where defined, NaN elsewhere."""
    known = ~np.isnan(by_query)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(known, by_query, 0.0).sum(0) / known.sum(0)
    return mean


def _best(mean: Floats) -> Head | None:
    if np.isnan(mean).all():
        return None
    layer, head = np.unravel_index(int(np.nanargmax(mean)), mean.shape)
    return int(layer), int(head)
