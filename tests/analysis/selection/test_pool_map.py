"""The pool as a map: axes by a singular value decomposition done by hand, the query by the same map."""

from __future__ import annotations

import numpy as np
import pytest

from core import Cancelled, Demonstration, Study, StudyError
from core.analysis.selection.pool_map import MOST, PROJECTIONS, neighbours_kept, pool_map, principal_axes
from core.embeddings.unit_vectors import unit_vectors
from core.runtime.memo import forget
from tests.selection.pools import MANY
from tests.tiny import REVIEWS, rows, tiny

STUDY = Study(pool=MANY, query="a good film")


def by_hand(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 2) places, (2, d) axes and (2,) shares of variance, signs as the largest loading has it."""
    centred = vectors - vectors.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2][np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    return centred @ axes.T, axes, lengths[:2] ** 2 / (lengths**2).sum()


@pytest.mark.parametrize("encoder", ["hidden", "tfidf"])
def test_axes_by_hand_and_the_query_on_them(encoder: str) -> None:
    study = STUDY.model_copy(update={"encoder": encoder})
    inputs = [row.input for row in MANY]
    vectors, asked = (
        np.asarray(v.toarray() if hasattr(v, "toarray") else v)
        for v in (unit_vectors(encoder, tiny(), inputs), unit_vectors(encoder, tiny(), ["a good film"], inputs))
    )
    points, axes, shares = by_hand(vectors)
    found = pool_map(study, tiny())
    assert found.explained is not None
    assert found.query is not None
    np.testing.assert_allclose(found.points, points, atol=1e-5)
    np.testing.assert_allclose(found.query, (asked[0] - vectors.mean(axis=0)) @ axes.T, atol=1e-5)
    np.testing.assert_allclose(found.explained, shares, atol=1e-6)
    np.testing.assert_allclose(found.nearness, vectors @ asked[0], atol=1e-6)
    assert found.places.tolist() == list(range(len(MANY)))


@pytest.mark.parametrize("n", [5, 40, 300])  # fewer rows than columns; more; many more
def test_every_solver_finds_the_same_axes(n: int) -> None:
    from scipy import sparse

    dense = np.random.default_rng(n).normal(size=(n, 12)) * np.linspace(3, 0.1, 12)
    points, axes, shares = by_hand(dense)
    for vectors in (dense, sparse.csr_array(dense)):
        found = principal_axes(vectors)
        np.testing.assert_allclose(found.shares, shares, atol=1e-8)
        np.testing.assert_allclose(found.directions, axes, atol=1e-6)
        np.testing.assert_allclose(found.place(vectors), points, atol=1e-6)


def test_a_large_sparse_pool_is_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy import sparse

    dense = np.random.default_rng(0).normal(size=(60, 30)) * np.linspace(3, 0.1, 30)
    points, _, shares = by_hand(dense)
    monkeypatch.setattr("core.analysis.selection.pool_map.DENSE", 10)
    found = principal_axes(sparse.csr_array(dense))
    np.testing.assert_allclose(found.shares, shares, atol=1e-6)
    np.testing.assert_allclose(found.place(sparse.csr_array(dense)), points, atol=1e-5)


@pytest.mark.parametrize("projection", PROJECTIONS)
def test_the_same_map_every_time(projection: str) -> None:
    first, again = (pool_map(STUDY, tiny(), projection=projection) for _ in range(2))  # type: ignore[arg-type]
    np.testing.assert_array_equal(first.points, again.points)
    assert np.isfinite(first.points).all()
    assert first.points.shape == (len(MANY), 2)


def test_the_order_of_the_pool_moves_nothing() -> None:
    first = pool_map(STUDY, tiny())
    order = np.random.default_rng(3).permutation(len(MANY))
    again = pool_map(STUDY.model_copy(update={"pool": tuple(MANY[i] for i in order)}), tiny())
    np.testing.assert_allclose(again.points, first.points[order], atol=1e-5)
    assert again.query == pytest.approx(first.query, abs=1e-5)


def test_another_query_moves_nothing_but_itself() -> None:
    first, other = pool_map(STUDY, tiny()), pool_map(STUDY.model_copy(update={"query": "a bad bird"}), tiny())
    np.testing.assert_array_equal(first.points, other.points)
    assert not np.allclose(first.query, other.query)  # type: ignore[arg-type]
    nobody = pool_map(STUDY.model_copy(update={"query": " "}), tiny())
    assert nobody.query is None
    assert np.isnan(nobody.nearness).all()


def test_a_query_that_stands_in_the_pool_lies_on_its_row() -> None:
    found = pool_map(STUDY.model_copy(update={"query": MANY[4].input}), tiny())
    np.testing.assert_allclose(found.query, found.points[4], atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize(
    "pool",
    [REVIEWS[:1], REVIEWS[:2], REVIEWS[:3], REVIEWS[:1] * 7, rows([("🙂", "+"), ("…", "-"), ("?", "+")])],
    ids=["one", "two", "three", "all equal", "signs"],
)
@pytest.mark.parametrize("encoder", ["hidden", "tfidf"])
def test_small_and_equal_pools(projection: str, pool: tuple[Demonstration, ...], encoder: str) -> None:
    found = pool_map(Study(pool=pool, query="x", encoder=encoder), tiny(), projection=projection)  # type: ignore[arg-type]
    assert found.points.shape == (len(pool), 2)
    assert np.isfinite(found.points).all()
    assert found.query is not None
    assert np.isfinite(found.query).all()


def test_rows_that_cannot_be_shown_are_not_drawn() -> None:
    pool = (Demonstration(input="x", label=""), *REVIEWS, REVIEWS[0].model_copy(update={"excluded": True}))
    assert pool_map(Study(pool=pool, query="y"), tiny()).places.tolist() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(StudyError, match="no rows to draw"):
        pool_map(Study(query="y"), tiny())


def test_a_sample_keeps_what_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MOST, "pca", 6)
    found = pool_map(STUDY, tiny(), keep=(30, 2))
    assert {2, 30} <= set(found.places.tolist())
    assert len(found.places) == 6
    assert found.total == len(MANY)


def test_neighbours_by_counting() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(24, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    points = vectors[:, :2]
    shares = []
    for i in range(24):
        others = [j for j in range(24) if j != i]
        near = sorted(others, key=lambda j: -vectors[i] @ vectors[j])[:6]
        on_map = sorted(others, key=lambda j: np.square(points[i] - points[j]).sum())[:6]
        shares.append(len({*near} & {*on_map}) / 6)
    assert neighbours_kept(vectors, points) == pytest.approx(np.mean(shares))
    circle = np.column_stack([np.cos(np.arange(20.0)), np.sin(np.arange(20.0))])
    assert neighbours_kept(circle, circle) == 1.0
    assert np.isnan(neighbours_kept(vectors[:2], points[:2]))


def test_cancelling() -> None:
    forget()
    with pytest.raises(Cancelled):
        pool_map(STUDY, tiny(), stop=lambda: True)
