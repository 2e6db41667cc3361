"""One input from each region of the pool: what lies nearest to the centres of k clusters."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import Matrix
from core.embeddings.unit_vectors import unit_vectors
from core.runtime.memo import learned
from core.runtime.progress import Stop
from core.selection import Selected, candidates, selections
from core.selection.learning.splits import filled
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
STARTS = 4


@selections.register(
    "k-means",
    title="k-means centres",
    help="the pool in k clusters, and the input nearest to the centre of each, whatever the query",
    reads=("pool", "k", "encoder", "selection_seed"),
    place=40,
    at_once=True,
    scores="−‖e(xᵢ) − c‖, c the centre of the row's own cluster: 0 is in its middle; a row can lose to one of its own "
    "cluster alone",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """For each of k clusters argmin_i ‖e(x_i) − centre‖ over its members, e of unit length. Ties to the lowest index.

    scikit-learn's k-means++ and Lloyd's algorithm, the best of four starts, seeded by `selection_seed`; the clusters
    are kept for the next query. An input that stands in the pool several times weighs as often. With fewer distinct
    inputs than k, the rest are repeats, the first in the pool first. The scores are −‖e(x_i) − nearest centre‖.
    """
    free = candidates(study)
    if not free or not study.k:
        return [], None
    # Sorted, so that seeded starts do not depend on the pool's order.
    times = Counter(study.pool[i].input for i in free)
    texts = sorted(times)
    vectors = unit_vectors(study.encoder, model, texts)
    weights = np.array([times[text] for text in texts])
    rows = tuple((text, times[text]) for text in texts)
    distances, own = learned(
        ("k-means", model.name, model.fingerprint, study.encoder, rows, study.k, study.selection_seed),
        lambda: clusters(vectors, weights, study.k, study.selection_seed),
        stop,
    )
    first = {study.pool[i].input: i for i in reversed(free)}
    nearest: dict[int, tuple[float, int]] = {}
    for text, distance, cluster in zip(texts, distances, own, strict=True):
        found = (round(float(distance), 6), first[text])
        nearest[int(cluster)] = min(nearest.get(int(cluster), found), found)
    scores = np.full(len(study.pool), np.nan)
    by_text = dict(zip(texts, -distances, strict=True))
    scores[free] = [by_text[study.pool[i].input] for i in free]
    return filled(sorted(place for _, place in nearest.values()), free, study.k), scores


def clusters(vectors: Matrix, weights: NDArray[np.int64], k: int, seed: int) -> tuple[Floats, NDArray[np.intp]]:
    """(n,) distance of each row to the centre of its cluster, and (n,) its cluster, of at most k."""
    from sklearn.cluster import KMeans

    if isinstance(vectors, np.ndarray):
        vectors = vectors.round(6)  # a batch moves the last digits, and a start may turn on them
    fitted = KMeans(_distinct(vectors, k), n_init=STARTS, random_state=seed).fit(vectors, sample_weight=weights)
    own = fitted.labels_.astype(np.intp)
    return fitted.transform(vectors)[np.arange(len(own)), own].astype(np.float64), own


def _distinct(vectors: Matrix, most: int) -> int:
    """How many different rows there are, counted up to `most`."""
    seen: set[object] = set()
    for row in vectors:
        seen.add((row.indices.tobytes(), row.data.tobytes()) if hasattr(row, "indices") else row.tobytes())
        if len(seen) == most:
            break
    return len(seen)
