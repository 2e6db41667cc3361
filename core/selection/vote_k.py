"""Inputs that stand for many others and not for the same ones: vote-k."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import Matrix
from core.embeddings.unit_vectors import cosines, unit_vectors
from core.runtime.memo import learned
from core.runtime.progress import Stop, check
from core.selection import Selected, candidates, selections
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
BLOCK = 1_000  # rows of cosines at a time


@selections.register(
    "vote-k",
    title="Vote-k",
    help="inputs that many others are near to, each vote counting a tenth once it is served; whatever the query",
    reads=("pool", "k", "encoder", "neighbours"),
    place=43,
    scores="Σ over rows v that have it among their nearest of 10^(−t), t how many chosen ones v had voted for; for a "
    "chosen one when it was taken",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """`votes` on the graph in which every candidate votes for its m nearest (Su et al. 2022).

    m is `study.neighbours`, 150 in the paper for pools of 3,000, and at most half of the candidates: where everybody
    votes for everybody, votes say nothing. The score of a chosen input is what it had when chosen, of another what it
    has at the end.
    """
    free = candidates(study)
    if not free or not study.k:
        return [], None
    inputs = tuple(study.pool[i].input for i in free)
    vectors, most = unit_vectors(study.encoder, model, inputs), min(study.neighbours, len(free) // 2)
    key = ("vote-k", model.name, model.fingerprint, study.encoder, inputs, most)
    chosen_by = learned(key, lambda: nearest(vectors, most, stop), stop)
    picked, values = votes(chosen_by, min(study.k, len(free)))
    scores = np.full(len(study.pool), np.nan)
    scores[free] = values
    return [free[i] for i in picked], scores


def nearest(vectors: Matrix, m: int, stop: Stop | None = None) -> Places:
    """(n, m) the m rows of highest cosine with each row, itself left out; ties to the lowest index."""
    n = vectors.shape[0]
    found = np.empty((n, m), dtype=np.intp)
    for start in range(0, n, BLOCK):
        check(stop)
        block = cosines(vectors[start : start + BLOCK], vectors)
        # One whole number orders by cosine, then by index, so that a partial sort decides ties as a stable one does.
        order = np.round(block, 6) * 1e6
        key = -order.astype(np.int64) * n + np.arange(n)
        key[np.arange(len(block)), np.arange(start, start + len(block))] = np.iinfo(np.int64).max
        found[start : start + BLOCK] = np.argpartition(key, m - 1, axis=1)[:, :m] if m else 0
    return found


def votes(chosen_by: Places, k: int) -> tuple[list[int], Floats]:
    """score(u) = Σ 10^(−t[v]) over the voters v of u that are not chosen themselves; the best is chosen, k times.

    t[v] counts how many of those that v votes for have been chosen. Ties go to the lowest index, and nothing is chosen
    twice.

    Args:
        chosen_by: (n, m) for each v those that it votes for.
        k: at most n.

    Returns:
        The k places in the order chosen, and (n,) scores as they stood when a place was chosen, or at the end.
    """
    n = len(chosen_by)
    served = np.zeros(n, dtype=np.int64)
    open_ = np.ones(n, dtype=bool)
    values = np.zeros(n)
    picked: list[int] = []

    def tally() -> Floats:
        weight = np.where(open_, 10.0 ** -served.astype(np.float64), 0.0)
        return np.bincount(chosen_by.ravel(), np.repeat(weight, chosen_by.shape[1]), minlength=n).astype(np.float64)

    for _ in range(k):
        values[open_] = tally()[open_]
        best = int(np.argmax(np.where(open_, np.round(values, 9), -np.inf)))
        open_[best] = False
        served[(chosen_by == best).any(axis=1)] += 1
        picked.append(best)
    values[open_] = tally()[open_]
    return picked, values
