"""Inputs as unit vectors, in the eyes of the encoder that a study names: cos(e(x), e(x')) is their dot product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.embeddings.encoders import Encoder, Matrix, encoders, normalised_rows
from core.embeddings.sentence_encoders import PREFIX, load_encoder
from core.errors import StudyError

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


def unit_vectors(name: str, model: LanguageModel, texts: Sequence[str], corpus: Sequence[str] | None = None) -> Matrix:
    """(n, d) rows e(x) / ‖e(x)‖, zero where e(x) is; equal texts have equal rows.

    An encoder that gives cosines alone is taken by a factor of its matrix of cosines, n calls of it.

    Args:
        name: of the encoder.
        texts: n texts.
        corpus: what an encoder that has a corpus (TF-IDF) takes for it; the texts where it is None. With it, a text's
            row does not depend on the other texts, which an encoder of cosines alone cannot give.

    Raises:
        StudyError: no such encoder, it cannot be loaded, or a text is longer than what it reads.
        Unavailable: what it needs is not installed.
    """
    distinct = list(dict.fromkeys(texts))
    rows = _rows(name, model, distinct, corpus)
    if len(distinct) == len(texts):
        return rows
    place = {text: i for i, text in enumerate(distinct)}
    return rows[[place[text] for text in texts]]


def has_vectors(name: str) -> bool:
    """Whether a text's row can be had without those of the others (`unit_vectors` with a corpus)."""
    return name not in encoders or encoders.find(name).vectors is not None


def encoder_identity(name: str) -> str:
    """What tells two encoders of one name apart: a digest of a sentence encoder's weights, "" for ICLens's own.

    Raises:
        StudyError, Unavailable: as in `unit_vectors`.
    """
    return load_encoder(name.removeprefix(PREFIX)).fingerprint if name.startswith(PREFIX) else ""


def cosines(vectors: Matrix, others: Matrix | None = None) -> Floats:
    """(n, m) cosines of unit rows, with those of `others` or with each other."""
    product = vectors @ (vectors if others is None else others).T
    dense: Floats = np.clip(product.toarray() if hasattr(product, "toarray") else product, -1.0, 1.0)
    return dense


def _rows(name: str, model: LanguageModel, texts: list[str], corpus: Sequence[str] | None) -> Matrix:
    if name.startswith(PREFIX):
        return normalised_rows(load_encoder(name.removeprefix(PREFIX)), texts)
    entry = encoders.find(name)
    if entry.vectors is not None:
        return entry.vectors(model, texts, corpus)
    if corpus is not None:
        raise StudyError(f"The encoder “{entry.title}” gives no vectors to learn from; choose another encoder.")
    return _factor(entry.function, model, texts)


def _factor(encoder: Encoder, model: LanguageModel, texts: list[str]) -> Floats:
    """Rows whose dot products are the cosines, up to what of them is not positive semidefinite."""
    gram = np.stack([encoder(model, texts, text, texts) for text in texts])
    values, vectors = np.linalg.eigh((gram + gram.T) / 2)
    factor: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return factor
