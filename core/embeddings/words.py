"""Words as TF-IDF vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.segmentation import words


class WordVectors:
    """TF-IDF fitted on a corpus of N texts, by scikit-learn's `TfidfVectorizer` as it stands.

    e(x)_w = tf_w(x) · (ln((1 + N)/(1 + df_w)) + 1), divided by its length. Words are those of
    `core.embeddings.segmentation`, single signs among them, so that digits, letters and emoji count. Words that the
    corpus lacks count nothing, in the length of the vector either.
    """

    def __init__(self, corpus: Sequence[str]) -> None:
        # late: loads scikit-learn
        from sklearn.feature_extraction.text import TfidfVectorizer

        distinct = list(dict.fromkeys(corpus))
        self._fitted = TfidfVectorizer(analyzer=words).fit(corpus) if any(map(words, distinct)) else None
        self._distinct, self._place = distinct, {text: i for i, text in enumerate(distinct)}
        self._rows = self._read(distinct)

    def of(self, texts: Sequence[str]) -> Any:
        """(n, d) unit rows, sparse; zero where a text has no word of the corpus. Nobody writes into them."""
        return self._rows if list(texts) == self._distinct else self._read(texts)

    def cosines(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """(n,) of a query with texts; those of the corpus are not read again."""
        asked = self.of([query])
        places = np.array([self._place.get(text, -1) for text in texts], dtype=np.intp)
        found = np.zeros(len(texts))
        found[places >= 0] = _dot(self._rows, asked)[places[places >= 0]]
        if (places < 0).any():
            beyond = [text for text, place in zip(texts, places, strict=True) if place < 0]
            found[places < 0] = _dot(self.of(beyond), asked)
        return found

    def _read(self, texts: Sequence[str]) -> Any:
        if self._fitted is None:
            return np.zeros((len(texts), 1))
        return self._fitted.transform(texts)


@lru_cache(maxsize=4)
def fitted(corpus: tuple[str, ...]) -> WordVectors:
    """Kept, as a new query must not count a whole pool again."""
    return WordVectors(corpus)


def _dot(rows: Any, one: Any) -> NDArray[np.float64]:
    """(n, d) rows with a (1, d) row, (n,); the one row dense, which takes a product a third of the time."""
    dense = one.toarray() if hasattr(one, "toarray") else one
    product: NDArray[np.float64] = rows @ dense[0]
    return product
