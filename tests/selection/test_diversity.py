"""k-means, MMR, DPP and vote-k, against scikit-learn, exhaustive search and plain loops."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics.pairwise import cosine_similarity

from core.embeddings.unit_vectors import cosines, unit_vectors
from core.selection.dpp import LEAST, greedy_map, relevance_kernel
from core.selection.kmeans import STARTS, clusters
from core.selection.mmr import marginal_relevance
from core.selection.vote_k import nearest, votes
from tests.selection.pools import MANY, choice, chosen
from tests.tiny import REVIEWS, rows, tiny

SEEDS = st.integers(0, 10_000)


def unit(seed: int, n: int, d: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, d))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# MMR


@given(SEEDS, st.integers(1, 9), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_mmr_by_a_plain_loop(seed: int, k: int, balance: float) -> None:
    vectors = unit(seed, 10, 3)
    relevance, similarity = (vectors[1:] @ vectors[0]), vectors[1:] @ vectors[1:].T
    picked, values = marginal_relevance(relevance, similarity, k, balance)
    expected: list[int] = []
    for _ in range(k):
        best, best_value = -1, -np.inf
        for i in range(9):
            if i in expected:
                continue
            likest = max((similarity[i, j] for j in expected), default=0.0)
            value = round(balance * relevance[i] - (1 - balance) * likest, 6)
            if value > best_value:
                best, best_value = i, value
        expected.append(best)
        assert round(values[best], 6) == best_value
    assert picked == expected


def test_mmr_at_one_is_similarity_and_below_it_spreads() -> None:
    assert chosen("mmr", MANY, 5, mmr_lambda=1.0) == chosen("similarity", MANY, 5)
    double = (*MANY, *MANY)
    texts = [double[i].input for i in chosen("mmr", double, 6, mmr_lambda=0.5)]
    assert len(set(texts)) == 6
    assert len({double[i].input for i in chosen("similarity", double, 6)}) == 3


def test_mmr_looks_at_the_nearest_alone() -> None:
    near = set(chosen("similarity", MANY, 6))
    assert set(chosen("mmr", MANY, 3, mmr_lambda=0.1, shortlist=6)) <= near
    assert len(chosen("mmr", MANY, 9, shortlist=2)) == 9  # no fewer than k


# DPP


def volume(kernel: np.ndarray, items: tuple[int, ...]) -> float:
    return float(np.linalg.det(kernel[np.ix_(items, items)])) if items else 1.0


@given(SEEDS, st.integers(1, 6), st.integers(2, 7))
def test_dpp_by_determinants(seed: int, k: int, d: int) -> None:
    """Greedy by its definition: every determinant computed anew."""
    vectors = unit(seed, 9, d)
    kernel = relevance_kernel(vectors[1:] @ vectors[0], vectors[1:] @ vectors[1:].T)
    picked, distances = greedy_map(kernel, k)
    expected: tuple[int, ...] = ()
    for place in picked:
        gains = [
            volume(kernel, (*expected, i)) / volume(kernel, expected) if i not in expected else 0 for i in range(8)
        ]
        assert gains[place] == pytest.approx(max(gains), rel=1e-6)
        assert distances[place] == pytest.approx(gains[place], rel=1e-4)
        expected = (*expected, place)
    assert len(picked) == len(set(picked)) == min(k, d + 1)  # (cos + 1)/2 has one dimension more than the vectors


@given(SEEDS, st.integers(1, 6))
def test_dpp_finds_the_best_set_where_greedy_must(seed: int, k: int) -> None:
    """On a diagonal kernel, and on blocks of equal items, the greedy set is the mode: exhaustive search agrees."""
    rng = np.random.default_rng(seed)
    weights = rng.permutation(np.arange(1, 7)) / 7.0
    blocks = np.kron(np.diag(weights), np.ones((2, 2)))
    for kernel in (np.diag(weights), blocks):
        picked, _ = greedy_map(kernel, k)
        best = max(volume(kernel, items) for items in combinations(range(len(kernel)), k))
        assert volume(kernel, tuple(picked)) == pytest.approx(best)
        assert len(picked) == k


@given(SEEDS)
def test_dpp_pairs_by_exhaustive_search(seed: int) -> None:
    """With equal relevance and k = 2 the second choice is the best partner of the first."""
    vectors = unit(seed, 7, 4)
    kernel = (vectors @ vectors.T + 1) / 2
    picked, _ = greedy_map(kernel, 2)
    assert picked[0] == 0
    assert volume(kernel, tuple(picked)) == pytest.approx(max(volume(kernel, (0, i)) for i in range(1, 7)))


def test_dpp_stops_and_repeats_nothing() -> None:
    kernel = np.ones((5, 5))
    picked, distances = greedy_map(kernel, 4)
    assert picked == [0]
    assert (distances[1:] < LEAST).all()
    assert greedy_map(np.zeros((3, 3)), 2)[0] == []
    assert greedy_map(np.zeros((0, 0)), 0)[0] == []


def test_dpp_says_where_it_stopped() -> None:
    double = (*REVIEWS[:3], *REVIEWS[:3])
    picked = choice("dpp", double, 5)
    assert {0, 1, 2} < set(picked.indices)
    assert len(picked.indices) == 5
    assert picked.notes == ("DPP found 3 inputs that add something to each other; the other 2 are the nearest.",)
    assert choice("dpp", REVIEWS, 3).notes == ()


# k-means


def test_clusters_by_scikit_learn() -> None:
    vectors = unit(0, 40, 5).round(6)
    weights = np.ones(40, dtype=np.int64)
    distances, own = clusters(vectors, weights, 4, seed=3)
    other = KMeans(4, n_init=STARTS, random_state=3).fit(vectors)
    assert (own == other.labels_).all()
    assert distances**2 @ weights == pytest.approx(other.inertia_)


@pytest.mark.parametrize("encoder", ["hidden", "tfidf"])
def test_centres_by_plain_search(encoder: str) -> None:
    picked = choice("k-means", MANY, 4, encoder=encoder)
    texts = sorted(row.input for row in MANY)
    vectors = unit_vectors(encoder, tiny(), texts)
    vectors = vectors.toarray() if hasattr(vectors, "toarray") else vectors
    other = KMeans(4, n_init=STARTS, random_state=0).fit(vectors.round(6))
    expected = set()
    for cluster in range(4):
        members = [i for i in range(len(texts)) if other.labels_[i] == cluster]
        gaps = [np.linalg.norm(vectors[i] - other.cluster_centers_[cluster]) for i in members]
        expected.add(texts[members[int(np.argmin(np.round(gaps, 6)))]])
    assert {MANY[i].input for i in picked.indices} == expected
    assert picked.scores is not None
    assert (picked.scores <= 0).all()


def test_one_from_each_region() -> None:
    pool = rows([(f"{word} {word} {word}{i}", "a") for word in ("film", "bird", "house") for i in range(3)])
    picked = chosen("k-means", pool, 3, encoder="tfidf")
    assert len({pool[i].input.split()[0] for i in picked}) == 3


# vote-k


def naive_votes(vectors: np.ndarray, m: int, k: int) -> list[int]:
    n = len(vectors)
    near: list[list[int]] = []
    for v in range(n):
        others = sorted((u for u in range(n) if u != v), key=lambda u, v=v: (-round(vectors[v] @ vectors[u], 6), u))
        near.append(others[:m])
    served, picked = [0] * n, []
    for _ in range(k):
        best, best_score = -1, -1.0
        for u in range(n):
            if u in picked:
                continue
            score = round(sum(10.0 ** -served[v] for v in range(n) if u in near[v] and v not in picked), 9)
            if score > best_score:
                best, best_score = u, score
        picked.append(best)
        for v in range(n):
            served[v] += best in near[v]
    return picked


@given(SEEDS, st.integers(1, 6), st.integers(1, 12))
def test_votes_by_a_plain_loop(seed: int, m: int, k: int) -> None:
    vectors = unit(seed, 12, 3)
    assert votes(nearest(vectors, m), k)[0] == naive_votes(vectors, m, k)


@given(SEEDS)
def test_first_votes_do_not_depend_on_the_order(seed: int) -> None:
    """Later ones may, as equal counts are common and go to the lowest index."""
    vectors = unit(seed, 12, 3)
    shuffled = np.random.default_rng(seed).permutation(12)
    before = np.bincount(nearest(vectors, 4).ravel(), minlength=12)
    after = np.bincount(nearest(vectors[shuffled], 4).ravel(), minlength=12)
    assert (after == before[shuffled]).all()


def test_equal_neighbours_go_to_the_lowest_index() -> None:
    same = np.ones((1_200, 1))
    found = np.sort(nearest(same, 3), axis=1)
    assert (found[3:] == [0, 1, 2]).all()
    assert (found[0] == [1, 2, 3]).all()


def test_votes_spread_over_regions() -> None:
    pool = rows([(f"{word} {tail}", "a") for word in ("film", "bird", "house") for tail in ("a", "b", "c", "d")])
    picked = chosen("vote-k", pool, 3, encoder="tfidf", neighbours=3)
    assert len({pool[i].input.split()[0] for i in picked}) == 3


# vectors


@pytest.mark.parametrize("encoder", ["hidden", "tfidf"])
def test_unit_vectors_by_scikit_learn(encoder: str) -> None:
    texts = [row.input for row in (*REVIEWS, REVIEWS[0])]
    found = cosines(unit_vectors(encoder, tiny(), texts))
    if encoder == "hidden":
        other = cosine_similarity(tiny().embed(texts).astype(np.float64))
    else:
        from sklearn.feature_extraction.text import TfidfVectorizer

        fitted = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]").fit(texts[:-1])  # repeats counted once
        other = cosine_similarity(fitted.transform(texts))
    assert found == pytest.approx(other, abs=1e-6)
    assert (found[0] == found[-1]).all()


def test_an_encoder_of_cosines_alone_still_gives_vectors() -> None:
    from core.embeddings.encoders import encoders, tfidf

    texts = [row.input for row in REVIEWS]
    with encoders.trial():
        encoders.register("only-cosines", help="for this test")(tfidf)
        found = cosines(unit_vectors("only-cosines", tiny(), texts))
    assert found == pytest.approx(cosines(unit_vectors("tfidf", tiny(), texts)), abs=1e-9)
