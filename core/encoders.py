"""How near two inputs are, in the eyes of the encoder that a study names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.demonstrations import Demonstration
from core.registry import Registry
from core.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Encoder = Callable[["LanguageModel", Sequence[str], str, Sequence[str]], Floats]
"""(model, corpus, query, texts) -> (n,) cosines of the query with each text; the corpus is every input searched."""

encoders: Registry[Encoder] = Registry("encoder")


def similarities(study: Study, model: LanguageModel, source: Sequence[Demonstration], places: Sequence[int]) -> Floats:
    """cos(e(x), e(x_i)) of the query with the inputs at `places` of `source`.

    Returns:
        (n,) in [−1, 1]; 0 where a vector is zero (no word in common with the corpus).

    Raises:
        StudyError: no such encoder.
    """
    encoder = encoders.find(study.encoder).function
    if not places:
        return np.zeros(0)
    # Equal texts are encoded once, so that ties are ties whatever a batch does to the last digit.
    texts = list(dict.fromkeys(source[i].input for i in places))
    cosine = encoder(model, [row.input for row in source], study.query, texts)
    value = dict(zip(texts, np.clip(cosine, -1.0, 1.0), strict=True))
    return np.array([value[source[i].input] for i in places], dtype=np.float64)


@encoders.register(
    "hidden", title="Hidden states", help="mean of the model's own last hidden layer over the input's tokens", place=0
)
def hidden(model: LanguageModel, corpus: Sequence[str], query: str, texts: Sequence[str]) -> Floats:
    """e(x) = mean_t h_t, last layer, of each text alone. The corpus is not read."""
    vectors = np.asarray(model.embed([query, *texts]), dtype=np.float64)  # (1 + n, d)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    cosine: Floats = unit[1:] @ unit[0]
    return cosine


@encoders.register("tfidf", title="Words (TF-IDF)", help="words in common, rare ones counting more", place=10)
def tfidf(model: LanguageModel, corpus: Sequence[str], query: str, texts: Sequence[str]) -> Floats:
    """scikit-learn's TF-IDF fitted on the corpus: tf · (ln((1 + N)/(1 + df)) + 1), lower case, rows of length one.

    Every run of word characters and every other single sign is a word, so that digits, letters and emoji count.
    Words that the corpus lacks count nothing.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(text.strip() for text in corpus):
        return np.zeros(len(texts))
    vectorizer = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]").fit(corpus)
    product = (
        vectorizer.transform(texts) @ vectorizer.transform([query]).T
    )  # (n, 1), sparse: a pool may have 10,000 rows
    cosine: Floats = product.toarray()[:, 0].astype(np.float64)
    return cosine
