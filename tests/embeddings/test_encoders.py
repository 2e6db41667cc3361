"""Similarity, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from core import PromptTooLong, Study, StudyError
from core.embeddings.encoders import similarities
from core.selection import select
from tests.tiny import REVIEWS, rows, tiny


def test_hidden_states_by_scikit_learn() -> None:
    from sklearn.metrics.pairwise import cosine_similarity

    study = Study(selection="similarity", pool=REVIEWS, k=2, query="a good plot")
    picked = select(study, tiny())
    vectors = tiny().embed([study.query, *(d.input for d in REVIEWS)]).astype(np.float64)
    expected = cosine_similarity(vectors[:1], vectors[1:])[0]
    assert picked.scores == pytest.approx(expected, abs=1e-6)
    assert set(picked.indices) == set(np.argsort(expected)[-2:])


def test_words_by_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    pool = (*REVIEWS, *rows([("Film 🙂, film!", "positive"), ("nothing alike 7", "negative")]))
    study = Study(encoder="tfidf", pool=pool, query="The FILM was 7 of unheard 🙂")
    vectorizer = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]")
    corpus = vectorizer.fit_transform([d.input for d in pool])
    expected = (corpus @ vectorizer.transform([study.query]).T).toarray()[:, 0]
    assert similarities(study, tiny(), pool, range(len(pool))) == pytest.approx(expected)
    assert similarities(study, tiny(), pool, [2, 6]) == pytest.approx(expected[[2, 6]])


@pytest.mark.parametrize("query", ["unheard words", "…", ""])
def test_no_word_in_common_is_zero(query: str) -> None:
    study = Study(encoder="tfidf", pool=REVIEWS, query=query)
    assert similarities(study, tiny(), REVIEWS, [0, 1]) == pytest.approx([0, 0])


def test_long_inputs_are_told_from_long_queries() -> None:
    long = "film " * 400
    with pytest.raises(PromptTooLong):
        similarities(Study(query=long), tiny(), REVIEWS, [0])
    with pytest.raises(StudyError, match="compare by words"):
        similarities(Study(query="film"), tiny(), rows([(long, "a")]), [0])
    with pytest.raises(StudyError, match="no encoder called"):
        similarities(Study(query="film", encoder="oracle"), tiny(), REVIEWS, [0])
