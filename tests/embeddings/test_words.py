"""TF-IDF against its formula, in plain loops: whatever the corpus repeats, lacks or is empty of."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.embeddings.segmentation import words
from core.embeddings.words import WordVectors

TEXTS = st.lists(st.lists(st.sampled_from(["film", "Plot", "7", "🙂", "…", "a"]), max_size=5).map(" ".join), max_size=6)


def weights(text: str, corpus: list[str]) -> dict[str, float]:
    """tf · (ln((1 + N)/(1 + df)) + 1) of the words that the corpus has."""
    holders = Counter(word for other in corpus for word in set(words(other)))
    return {
        word: times * (math.log((1 + len(corpus)) / (1 + holders[word])) + 1)
        for word, times in Counter(words(text)).items()
        if word in holders
    }


def cosine(one: dict[str, float], other: dict[str, float]) -> float:
    lengths = math.sqrt(sum(v * v for v in one.values()) * sum(v * v for v in other.values()))
    return sum(v * other.get(w, 0.0) for w, v in one.items()) / lengths if lengths else 0.0


@given(TEXTS, TEXTS, st.sampled_from(["a film", "Plot plot 🙂 nothing", "", "unheard of"]))
def test_the_formula(corpus: list[str], others: list[str], query: str) -> None:
    found = WordVectors(corpus)
    texts = [*corpus, *others]
    expected = [cosine(weights(query, corpus), weights(text, corpus)) for text in texts]
    np.testing.assert_allclose(found.cosines(query, texts), expected, atol=1e-12)
    rows = found.of([query, *texts])
    rows = rows.toarray() if hasattr(rows, "toarray") else rows
    np.testing.assert_allclose(rows[1:] @ rows[0], expected, atol=1e-12)


@given(st.permutations(["a film", "the plot", "a bad film", "7 🙂", "a film"]))
def test_the_order_of_the_corpus_changes_nothing(corpus: list[str]) -> None:
    texts = ["a film", "the plot", "a bad film", "new film"]
    as_given = WordVectors(["a film", "the plot", "a bad film", "7 🙂", "a film"]).cosines("a film 7", texts)
    np.testing.assert_array_equal(WordVectors(corpus).cosines("a film 7", texts), as_given)
