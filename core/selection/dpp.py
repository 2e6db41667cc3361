"""The set that spans most, near inputs counting more: the mode of a determinantal point process, found greedily."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop
from core.selection import Picked, Selected, selections
from core.selection.mmr import near_the_query
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
SCALE = 0.1
LEAST = 1e-10
"""A squared distance below which an item adds nothing to the span of those chosen."""


@selections.register(
    "dpp",
    title="DPP",
    help="the set of greatest volume: inputs near to the query that point in different directions",
    reads=("pool", "k", "encoder", "shortlist"),
    place=42,
    scores="ln d²: by how much taking the row raised ln det of the kernel rel · S · rel of those chosen, or would in "
    "the next place",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """`greedy_map` on `relevance_kernel` of the `study.shortlist` inputs nearest to the query.

    Where it stops before k, because what is left repeats what is chosen (its determinant is 0 whatever is added), the
    nearest of the rest make up the number, and a note says so. The score is ln d² of an input: by how much it raises
    ln det when chosen, or would at the end.
    """
    near, relevance, similarity = near_the_query(study, model)
    if not near:
        return [], None
    k = min(study.k, len(near))
    picked, distances = greedy_map(relevance_kernel(relevance, similarity), k)
    scores = np.full(len(study.pool), np.nan)
    scores[near] = np.log(np.maximum(distances, LEAST))
    found = len(picked)
    nearest = [int(i) for i in np.argsort(-np.round(relevance, 6), kind="stable")]
    picked = [*picked, *(i for i in nearest if i not in set(picked))][:k]
    notes: tuple[str, ...] = ()
    if found < k:
        notes = (f"DPP found {found} inputs that add something to each other; the other {k - found} are the nearest.",)
    return Picked([near[i] for i in picked], scores, notes)


def relevance_kernel(relevance: Floats, similarity: Floats) -> Floats:
    """L_ij = rel_i · S_ij · rel_j with S = (cos + 1)/2, r = (cos(q, x_i) + 1)/2, rel = exp((r − max r) / (2 · 0.1)).

    Args:
        relevance: (n ≥ 1) cosines with the query.
        similarity: (n, n) cosines.
    """
    r = (relevance + 1) / 2
    weight = np.exp((r - r.max()) / (2 * SCALE))
    kernel: Floats = weight[:, None] * (similarity + 1) / 2 * weight[None, :]
    return kernel


def greedy_map(kernel: Floats, k: int) -> tuple[list[int], Floats]:
    """Choose argmax_i det(L_{Y ∪ i}) until there are k or the best adds d² < 1e-10 (Chen et al. 2018, algorithm 1).

    d_i² = det(L_{Y ∪ i}) / det(L_Y) is kept up to date by one row of the Cholesky factor per step, O(n·k²) in all.
    Ties go to the lowest index, and the chosen are masked: published codes go on past the stop rule and return items
    that they have already chosen.

    Args:
        kernel: (n, n) positive semidefinite.

    Returns:
        At most k places in the order chosen, and (n,) d² as they stood when a place was chosen, or at the end.
    """
    n = len(kernel)
    rows = np.zeros((k, n))
    distances = np.diag(kernel).astype(np.float64)
    open_ = np.ones(n, dtype=bool)
    picked: list[int] = []
    while len(picked) < k:
        rounded = np.round(np.log(np.maximum(distances, LEAST / 2)), 9)  # equal items must stay tied
        best = int(np.argmax(np.where(open_, rounded, -np.inf)))
        if not open_.any() or distances[best] < LEAST:
            break
        step = len(picked)
        row = (kernel[best] - rows[:step, best] @ rows[:step]) / np.sqrt(distances[best])
        rows[step] = row
        open_[best] = False
        distances[open_] -= row[open_] ** 2
        picked.append(best)
    return picked, distances
