"""How near two inputs are, in the eyes of the encoder that a study names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.embeddings.sentence_encoders import PREFIX, sentence_cosines
from core.embeddings.vector_cache import Embeds, query_cosines, unit_rows
from core.embeddings.words import fitted
from core.errors import PromptTooLong, StudyError
from core.runtime.cost import remark
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

NEAREST = (
    "Near is not always alike: of 260 headlines the nearest had the same topic in 54 % by hidden states of a small "
    "real language model (SmolLM2-135M), in 52 % by words, in 75 % by a sentence encoder (all-MiniLM-L6-v2); by chance "
    "it is 25 %."
)
"""What benchmarks/encoders.py measured (benchmarks/results/encoders.md), for where an encoder is chosen."""


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
    remark_where_nothing_is_alike(cosine)
    value = dict(zip(texts, np.clip(cosine, -1.0, 1.0), strict=True))
    return np.array([value[source[i].input] for i in places], dtype=np.float64)


def remark_where_nothing_is_alike(scores: Floats) -> None:
    """A remark to the open meters where every score is 0, so that nothing but places decides what comes first."""
    if len(scores) > 1 and not np.round(scores, 6).any():
        remark(
            "The query has nothing in common with any input, not one word where words are compared: every score is 0, "
            "and those that stand first come first."
        )


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
    return fitted(tuple(texts if corpus is None else corpus)).of(texts)


@encoders.register(
    "hidden",
    title="Hidden states",
    help="mean of the model's own last hidden layer over the input's tokens",
    place=0,
    hidden_states=True,
    vectors=lambda model, texts, corpus: normalised_rows(model, texts),
)
def hidden(model: LanguageModel, corpus: Sequence[str], query: str, texts: Sequence[str]) -> Floats:
    """e(x) = mean_t h_t, last layer, of each text alone, without its first token where no start token stands in front
    (docs/methods.md §2.3). The corpus is not read.

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
    """TF-IDF fitted on the corpus: `core.embeddings.words`."""
    return fitted(tuple(corpus)).cosines(query, texts)
