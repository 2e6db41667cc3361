"""Hidden states of a real model without a start token: the first token's do not drown the others'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.embeddings.encoders import similarities
from core.kernels import compute_kernels
from core.models import LanguageModel, load_model
from core.study.demonstrations import Demonstration
from core.study.question import Question
from core.study.study import Study
from tests.models import plain

QUERY = "A boring mess."
SHOWN = tuple(
    Demonstration(input=x, label=y)
    for x, y in (
        ("A wonderful, moving film.", "positive"),
        ("Dull and far too long.", "negative"),
        ("I loved every minute of it.", "positive"),
        ("The plot makes no sense.", "negative"),
        ("dog", "neither"),  # one token
    )
)
TEXTS = [QUERY, *(row.input for row in SHOWN)]


def cosines(rows: np.ndarray) -> np.ndarray:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.array(unit[1:] @ unit[0])


@pytest.mark.parametrize("layer", [15, 30])
def test_the_kernel_is_not_flat(smollm2: LanguageModel, smollm2_folder: Path, layer: int) -> None:
    """With the first token in the mean, the cosines of all five reviews span .9998 to .9999 at layer 15."""
    study = Study(query=QUERY, hidden_layer=layer)
    question = Question.of(study, SHOWN, ("positive", "negative", "neither"))
    found = compute_kernels(question, smollm2, None, None)["hidden"].raw
    expected = cosines(np.array([plain.alone(smollm2_folder, text)[layer].mean(0) for text in TEXTS]))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found[:4].max() < 0.95
    assert np.ptp(found[:4]) > 0.04


def test_the_first_token_is_what_drowns(smollm2: LanguageModel) -> None:
    reading = smollm2.read(SHOWN[0].input, hidden=True)
    assert reading.hidden is not None
    norms = np.linalg.norm(reading.hidden[15], axis=1)
    assert norms[0] > 50 * norms[1:].max()


def test_the_encoder_reads_the_same(smollm2: LanguageModel, smollm2_folder: Path) -> None:
    expected = cosines(np.array([plain.alone(smollm2_folder, text)[-1].mean(0) for text in TEXTS]))
    found = similarities(Study(query=QUERY, encoder="hidden"), smollm2, SHOWN, range(len(SHOWN)))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    passed = smollm2.answer((), ["It is -> good"], along=TEXTS).vectors
    for text, vector in passed.items():
        np.testing.assert_allclose(vector, smollm2.embed([text])[0], atol=1e-2)


def test_a_model_with_a_start_token_is_read_as_before() -> None:
    embedded = load_model("embedded")
    reading = embedded.read("a good film", hidden=True)
    assert reading.hidden is not None
    np.testing.assert_allclose(embedded.embed(["a good film"])[0], reading.hidden[-1][1:].mean(0), atol=1e-5)
