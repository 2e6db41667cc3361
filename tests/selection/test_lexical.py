"""BM25, against rank_bm25 and a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from core.embeddings.segmentation import words
from core.selection.bm25 import K1, B, relevance
from tests.selection.pools import MANY, choice

TEXTS = st.lists(st.text(alphabet="ab c!", max_size=12), min_size=1, max_size=8)


class LuceneIdf(BM25Okapi):
    """rank_bm25 with the idf that cannot be negative."""

    def _calc_idf(self, nd: dict[str, int]) -> None:
        self.idf = {w: math.log(1 + (self.corpus_size - df + 0.5) / (df + 0.5)) for w, df in nd.items()}


@given(TEXTS, st.lists(st.text(alphabet="abc !", max_size=8), min_size=1, max_size=3))
def test_any_texts_by_rank_bm25(corpus: list[str], queries: list[str]) -> None:
    found = relevance(corpus, queries)
    assert found.shape == (len(queries), len(corpus))
    if not any(map(words, corpus)):
        assert not found.any()
        return
    other = LuceneIdf([words(text) for text in corpus], k1=K1, b=B)
    for row, query in zip(found, queries, strict=True):
        # rank_bm25 has Okapi's constant factor k1 + 1.
        assert row == pytest.approx(other.get_scores(words(query)) / (K1 + 1), abs=1e-9)


def test_rare_words_rank_as_in_rank_bm25_itself() -> None:
    """Where every word of the query is in fewer than half of the texts, its own idf orders the same way."""
    corpus = [row.input for row in MANY]
    ours = relevance(corpus, ["bird good"])[0]
    best = [int(i) for i in np.argsort(-np.round(ours, 9), kind="stable")[:8]]
    plain = BM25Okapi([words(text) for text in corpus]).get_scores(words("bird good"))
    assert best == [int(i) for i in np.argsort(-np.round(plain, 9), kind="stable")[:8]]


def test_the_study_is_served_by_it() -> None:
    picked = choice("bm25", MANY, 4)
    expected = relevance([row.input for row in MANY], ["a good film"])[0]
    assert picked.scores == pytest.approx(expected)
    assert set(picked.indices) == set(np.argsort(-np.round(expected, 6), kind="stable")[:4])
    assert MANY[int(np.argmax(expected))].input == "the film was good"
    assert picked.cost.passes == 0


def test_a_common_word_never_counts_against_a_text() -> None:
    assert (relevance(["film a", "film b", "film c", "x"], ["film"])[0] >= 0).all()
    assert np.argmin(relevance(["film a", "film b", "film c", "x"], ["film"])[0]) == 3
