"""The pool as a map: inputs as an encoder sees them, on two axes, and the query placed among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import Matrix
from core.embeddings.unit_vectors import cosines, has_vectors, unit_vectors
from core.errors import StudyError
from core.runtime.memo import learned
from core.runtime.progress import Stop, check, part
from core.study.cleaning import tidied, usable
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Projection = Literal["pca", "t-sne"]
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
MOST = {"pca": 20_000, "t-sne": 2_000}
"""Rows that a projection takes; of a larger pool a seeded sample, with the rows that were chosen."""
DENSE = 8_000_000
"""Entries up to which a sparse matrix is written out, so that PCA is exact."""
NEIGHBOURS = 10
ASKED = 500
"""Rows whose neighbours are counted."""


@dataclass(frozen=True)
class PoolMap:
    """Rows of the pool on two axes.

    Attributes:
        places: (n,) rows of the pool that are on the map, ascending.
        points: (n, 2).
        query: (2,) the query, None where there is none.
        explained: (2,) shares of the variance of the unit vectors that the axes carry; None for t-SNE, which has none.
        neighbours: share of a row's ten nearest by cosine (a quarter of the pool where that is fewer) that are among
            its ten nearest on the map, a mean over at most 500 rows; NaN below three rows.
        nearness: (n,) cosine with the query, NaN where there is none.
        total: usable rows of the pool; more than n where only a sample is on the map.
    """

    places: NDArray[np.intp]
    points: Floats
    query: Floats | None
    explained: Floats | None
    neighbours: float
    nearness: Floats
    total: int


def pool_map(
    study: Study,
    model: LanguageModel,
    *,
    projection: Projection = "pca",
    seed: int = 0,
    keep: tuple[int, ...] = (),
    stop: Stop | None = None,
) -> PoolMap:
    """Project the unit vectors e(x) of the pool's usable rows, e the study's encoder.

    "pca": z = (e(x) − mean) · V, V the two directions of largest variance (scikit-learn's PCA with a full
    decomposition; signs such that the largest loading of an axis is positive), found on the pool alone. The query is
    projected by the same map, so it moves without moving the pool. Deterministic, whatever the order of the pool.

    "t-sne" (van der Maaten & Hinton 2008): near rows stay near, distances between groups mean nothing. Started at the
    principal components, seeded. It has no map for a new text: the query is laid out with the pool and may move it.

    Args:
        seed: of t-SNE, and of the sample where the pool is larger than `MOST`.
        keep: rows that stay in a sample.

    Raises:
        StudyError: nothing to draw, or an input that the encoder cannot read.
        Unavailable: what the encoder needs is not installed.
        Cancelled: `stop` said so.
    """
    study = tidied(study)
    usable_rows = [i for i, row in enumerate(study.pool) if usable(row)]
    if not usable_rows:
        raise StudyError("There are no rows to draw; add examples to the pool or to the table.")
    places = _sample(usable_rows, MOST[projection], seed, keep)
    inputs = [study.pool[i].input for i in places]
    with part(0.0, 0.4):
        vectors, asked = _vectors(study.encoder, model, inputs, study.query)
    check(stop)
    query, explained = None, None
    with part(0.4, 0.9):
        if projection == "pca":
            key = ("pool map", study.encoder, model.fingerprint, inputs)  # another query need not look at it again
            axes, points, kept = learned(key, lambda: _principal(vectors), stop)
            explained = axes.shares
            query = None if asked is None else axes.place(asked)[0]
        else:
            points, query = _neighbour_axes(vectors, asked, seed)
            kept = neighbours_kept(vectors, points)
    check(stop)
    nearness = np.full(len(places), np.nan) if asked is None else cosines(vectors, asked)[:, 0]
    drawn = np.array(places, dtype=np.intp)
    return PoolMap(drawn, points, query, explained, kept, nearness, len(usable_rows))


def _principal(vectors: Matrix) -> tuple[Axes, Floats, float]:
    axes = principal_axes(vectors)
    points = axes.place(vectors)
    return axes, points, neighbours_kept(vectors, points)


def _sample(places: list[int], most: int, seed: int, keep: tuple[int, ...]) -> list[int]:
    if len(places) <= most:
        return places
    kept = [i for i in dict.fromkeys(keep) if i in set(places)][:most]
    others = [i for i in places if i not in set(kept)]
    drawn = np.random.default_rng(seed).choice(len(others), most - len(kept), replace=False)
    return sorted([*kept, *(others[i] for i in drawn)])


def _vectors(name: str, model: LanguageModel, inputs: list[str], query: str) -> tuple[Matrix, Matrix | None]:
    """(n, d) and (1, d) unit rows; the query's in the space of the pool, None where it is blank."""
    if not query:
        return unit_vectors(name, model, inputs), None
    if has_vectors(name):
        rows = unit_vectors(name, model, inputs)
        return rows, unit_vectors(name, model, [query], inputs)
    both = unit_vectors(name, model, [*inputs, query])  # an encoder of cosines alone has vectors for a whole set only
    return both[:-1], both[-1:]


@dataclass(frozen=True)
class Axes:
    """Two principal axes: z = (e − mean) · Vᵀ.

    Attributes:
        mean: (d,) of the rows.
        directions: V, (2, d); a row of zeros for a dimension that the rows lack.
        shares: (2,) of the variance.
    """

    mean: Floats
    directions: Floats
    shares: Floats

    def place(self, vectors: Matrix) -> Floats:
        """(n, 2) of (n, d) rows."""
        product = vectors @ self.directions.T
        dense: Floats = np.asarray(product) - self.mean @ self.directions.T
        return dense


def principal_axes(vectors: Matrix) -> Axes:
    """The two directions of largest variance of (n ≥ 1, d) rows, dense or sparse, by scikit-learn's PCA."""
    from sklearn.decomposition import PCA

    n, d = vectors.shape
    sparse = hasattr(vectors, "toarray")
    if sparse and n * d <= DENSE:
        vectors, sparse = vectors.toarray(), False
    wanted = min(2, n - 1, d - 1) if sparse else min(2, n, d)
    directions, shares = np.zeros((2, d)), np.zeros(2)
    mean = np.asarray(vectors.mean(axis=0), dtype=np.float64).reshape(d)
    if n < 2 or wanted < 1:
        return Axes(mean, directions, shares)
    # Of a tall matrix the covariance has the same axes in a fraction of the time; of a wide sparse one ARPACK finds
    # them to machine precision without writing the matrix out.
    solver = "arpack" if sparse else "covariance_eigh" if n > 4 * d else "full"
    fitted: Any = PCA(n_components=wanted, svd_solver=solver, random_state=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        fitted.fit(vectors)
    shares[:wanted] = np.nan_to_num(fitted.explained_variance_ratio_)
    real = fitted.explained_variance_ > 1e-12  # where there is no variance any direction would do
    directions[:wanted][real] = fitted.components_[real]
    return Axes(mean, directions, shares)


def _neighbour_axes(vectors: Matrix, asked: Matrix | None, seed: int) -> tuple[Floats, Floats | None]:
    """t-SNE of the rows, the query among them."""
    from scipy import sparse
    from sklearn.manifold import TSNE

    joined = vectors
    if asked is not None:
        joined = sparse.vstack([vectors, asked]) if hasattr(vectors, "toarray") else np.vstack([vectors, asked])
    n = joined.shape[0]
    start = principal_axes(joined).place(joined)
    if n < 4:
        return (start, None) if asked is None else (start[:-1], start[-1])
    spread = float(start[:, 0].std())
    start = start / spread * 1e-4 if spread > 0 else np.random.default_rng(seed).normal(scale=1e-4, size=start.shape)
    dense = joined.toarray() if hasattr(joined, "toarray") else joined
    found = TSNE(init=start.astype(np.float32), perplexity=min(30.0, (n - 1) / 3), random_state=seed).fit_transform(
        dense.astype(np.float32)
    )
    points = found.astype(np.float64)
    return (points, None) if asked is None else (points[:-1], points[-1])


def neighbours_kept(vectors: Matrix, points: Floats) -> float:
    """Mean share of a row's nearest by cosine that are among its nearest on the map, as `PoolMap.neighbours` says.

    Rows with equal vectors lie on one point: a neighbour as near as the tenth counts as one of the ten, on both sides.
    """
    n = len(points)
    if n < 3:
        return float("nan")
    m = max(1, min(NEIGHBOURS, n // 4))
    asked = np.linspace(0, n - 1, min(n, ASKED)).astype(np.intp)
    product = vectors[asked] @ vectors.T
    cosine = np.round(product.toarray() if hasattr(product, "toarray") else np.asarray(product), 6)
    shares = []
    for row, i in enumerate(asked):
        nearest = _nearest(-cosine[row], int(i), m)
        on_map = _nearest(np.round(np.square(points - points[i]).sum(axis=1), 9), int(i), m)
        shares.append((nearest & on_map).sum() / m if nearest.sum() == m else (nearest & on_map).sum() / nearest.sum())
    return float(np.mean(shares))


def _nearest(distance: Floats, own: int, m: int) -> NDArray[np.bool_]:
    """(n,) whether a row is no farther than the m-th nearest, itself left out."""
    others = np.delete(distance, own)
    limit = np.partition(others, m - 1)[m - 1]
    found: NDArray[np.bool_] = distance <= limit
    found[own] = False
    return found
