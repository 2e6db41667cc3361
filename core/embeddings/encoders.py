"""How near two inputs are, in the eyes of the encoder that a study names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.sentence_encoders import PREFIX, sentence_cosines
from core.embeddings.vector_cache import Embeds, query_cosines, unit_rows
from core.errors import PromptTooLong, StudyError
from core.runtime.registry import Entry, Registry
from core.study.demonstrations import Demonstration
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Encoder = Callable[["LanguageModel", Sequence[str], str, Sequence[str]], Floats]
"""(model, corpus, query, texts) -> (n,) cosines of the query with each text; the corpus is every input searched."""

Matrix = Any
"""(n, d) rows: an array, or scipy's sparse one where d is a vocabulary."""
Vectors = Callable[["LanguageModel", Sequence[str], Sequence[str] | None], Matrix]
"""(model, texts, corpus) -> (n, d) rows e(x) / ‖e(x)‖; the corpus is the texts themselves where it is None."""

_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class EncoderStrategy(Entry[Encoder]):
    """An encoder, and what other code asks of it.

    Attributes:
        hidden_states: True where it is the mean of the model's own last hidden layer, as the hidden-state kernel reads
            it too, so that the two are not shown side by side.
        vectors: e(x) itself; None where the encoder gives cosines alone, so that nothing can be learned from it.
    """

    _: KW_ONLY
    hidden_states: bool = False
    vectors: Vectors | None = None


encoders = Registry("encoder", EncoderStrategy)


def words(text: str) -> list[str]:
    """Every run of word characters and every other single sign, in lower case."""
    return _WORD.findall(text.lower())


def similarities(study: Study, model: LanguageModel, source: Sequence[Demonstration], places: Sequence[int]) -> Floats:
    """cos(e(x), e(x_i)) of the query with the inputs at `places` of `source`.

    Returns:
        (n,) in [−1, 1]; 0 where a vector is zero (no word in common with the corpus).

    Raises:
        StudyError: no such encoder, or it cannot be loaded.
        Unavailable: what it needs is not installed.
    """
    encoder, _ = find_encoder(study.encoder)
    if not places:
        return np.zeros(0)
    # Equal texts are encoded once, so that ties are ties whatever a batch does to the last digit.
    texts = list(dict.fromkeys(source[i].input for i in places))
    cosine = encoder(model, [row.input for row in source], study.query, texts)
    value = dict(zip(texts, np.clip(cosine, -1.0, 1.0), strict=True))
    return np.array([value[source[i].input] for i in places], dtype=np.float64)


def find_encoder(name: str) -> tuple[Encoder, str]:
    """An encoder and its title: one of the registry's by name, or "sentence:" and a sentence encoder's folder or name.

    Raises:
        StudyError: no such encoder, or it cannot be loaded.
        Unavailable: sentence encoders need a library that is not installed.
    """
    if name.startswith(PREFIX):
        source = name.removeprefix(PREFIX)
        return sentence_cosines(source), source.rstrip("/").split("/")[-1]
    entry = encoders.find(name)
    return entry.function, entry.title


def normalised_rows(encoder: Embeds, texts: Sequence[str]) -> Floats:
    """(n, d) rows e(x) / ‖e(x)‖ of a model, or of a sentence encoder.

    Raises:
        StudyError: a text is longer than what it reads.
    """
    try:
        return unit_rows(encoder, list(texts))
    except PromptTooLong as error:
        raise StudyError(
            f"An input takes {error.tokens:,} tokens and this model reads {error.context:,}, so its hidden states "
            "cannot be compared; exclude it, or compare by words."
        ) from None


def word_vectors(model: LanguageModel, texts: Sequence[str], corpus: Sequence[str] | None) -> Matrix:
    """TF-IDF as in `tfidf`: words that the corpus lacks count nothing. Nobody writes into it."""
    return _word_vectors(tuple(texts), tuple(texts if corpus is None else corpus))


@lru_cache(maxsize=4)
def _word_vectors(texts: tuple[str, ...], corpus: tuple[str, ...]) -> Matrix:
    # late: loads scikit-learn
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(map(words, corpus)):
        return np.zeros((len(texts), 1))
    return TfidfVectorizer(analyzer=words).fit(corpus).transform(texts)


@encoders.register(
    "hidden",
    title="Hidden states",
    help="mean of the model's own last hidden layer over the input's tokens",
    place=0,
    hidden_states=True,
    vectors=lambda model, texts, corpus: normalised_rows(model, texts),
)
def hidden(model: LanguageModel, corpus: Sequence[str], query: str, texts: Sequence[str]) -> Floats:
    """e(x) = mean_t h_t, last layer, of each text alone. The corpus is not read.

    Raises:
        PromptTooLong: the query alone is longer than the model's context.
        StudyError: another input is.
    """
    try:
        return query_cosines(model, query, texts)
    except PromptTooLong as error:
        if len(model.encode(query).ids) > error.context:
            raise
        raise StudyError(
            f"An input takes {error.tokens:,} tokens and this model reads {error.context:,}, so its hidden states "
            "cannot be compared with the query's; exclude it, or compare by words."
        ) from None


@encoders.register(
    "tfidf",
    title="Words (TF-IDF)",
    help="words in common, rare ones counting more",
    place=10,
    vectors=word_vectors,
)
def tfidf(model: LanguageModel, corpus: Sequence[str], query: str, texts: Sequence[str]) -> Floats:
    """e(x)_w = tf_w(x) · (ln((1 + N)/(1 + df_w)) + 1), fitted on the N inputs of the corpus; scikit-learn's default.

    Every run of word characters and every other single sign is a word, in lower case, so that digits, letters and
    emoji count. Words that the corpus lacks count nothing, in the length of the vector either.
    """
    index = _word_index(tuple(corpus))
    asked = index.weigh(query)
    length = np.sqrt(sum(v * v for v in asked.values()))
    found = np.zeros(len(index.lengths))
    for word, weight in asked.items():  # in the query's order, so that the last digit does not depend on the corpus's
        places, weights = index.postings[word]
        found[places] += weight * weights
    both = index.lengths * length
    cosine = np.divide(found, both, out=np.zeros_like(found), where=both > 0)
    return np.array([cosine[index.place[t]] if t in index.place else _cosine(asked, index.weigh(t)) for t in texts])


class _WordIndex:
    """TF-IDF of a corpus: for every word the texts that have it, and how much it weighs in each."""

    def __init__(self, corpus: Sequence[str]) -> None:
        self.place = {text: i for i, text in enumerate(dict.fromkeys(corpus))}
        counts = [Counter(words(text)) for text in self.place]
        times = Counter(corpus)
        frequency: Counter[str] = Counter()
        for text, words_in in zip(self.place, counts, strict=True):
            for word in words_in:
                frequency[word] += times[text]
        self.rarity = {word: float(np.log((1 + len(corpus)) / (1 + df)) + 1) for word, df in frequency.items()}
        listed: dict[str, tuple[list[int], list[float]]] = {word: ([], []) for word in self.rarity}
        squares = np.zeros(len(counts))
        for i, words_in in enumerate(counts):
            for word, n in words_in.items():
                weight = n * self.rarity[word]
                listed[word][0].append(i)
                listed[word][1].append(weight)
                squares[i] += weight * weight
        self.lengths: Floats = np.sqrt(squares)
        self.postings = {w: (np.array(places), np.array(weights)) for w, (places, weights) in listed.items()}

    def weigh(self, text: str) -> dict[str, float]:
        """tf · idf of the words that the corpus has."""
        return {w: n * self.rarity[w] for w, n in Counter(words(text)).items() if w in self.rarity}


@lru_cache(maxsize=4)
def _word_index(corpus: tuple[str, ...]) -> _WordIndex:
    """Kept, as a new query must not count a whole pool again."""
    return _WordIndex(corpus)


def _cosine(asked: dict[str, float], vector: dict[str, float]) -> float:
    length = np.sqrt(sum(v * v for v in vector.values()) * sum(v * v for v in asked.values()))
    return float(sum(v * vector.get(w, 0.0) for w, v in asked.items()) / length) if length else 0.0
