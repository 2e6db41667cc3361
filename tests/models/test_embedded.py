"""The embedded model, loaded by its name."""

from __future__ import annotations

import numpy as np
import pytest

from core.models import LanguageModel, load_model
from core.models.loading import EMBEDDED
from tests.models import plain

DEMONSTRATIONS = "dog -> chien\ncat -> chat\nhouse -> maison\n"


@pytest.fixture(scope="module")
def embedded() -> LanguageModel:
    return load_model()


def test_it_is_what_the_pages_count_on(embedded: LanguageModel) -> None:
    assert embedded.name == "embedded"
    assert embedded.mixture is not None
    assert embedded.packable
    encoding = embedded.encode("dog -> chien\n")
    assert encoding.texts == ("<s>", "dog", "->", "chien", "\n")
    assert encoding.unknown == ()


def test_it_scores_as_transformers_does(embedded: LanguageModel) -> None:
    pairs = [(DEMONSTRATIONS + "bird ->", label) for label in (" oiseau", " bird", " chat", " Zyx")]
    for (context, label), scored in zip(pairs, embedded.score(pairs), strict=True):
        np.testing.assert_allclose(scored.logprobs, plain.score(EMBEDDED, context, label), atol=1e-4)


def test_its_attention_is_its_own(embedded: LanguageModel) -> None:
    reading = embedded.read(DEMONSTRATIONS + "bird ->", head=(0, 0))
    expected = plain.read(EMBEDDED, DEMONSTRATIONS + "bird ->").attentions
    assert reading.attention is not None
    for layer in range(embedded.layers):
        np.testing.assert_allclose(reading.attention[layer, :, 0], expected[layer][0, :, -1].numpy(), atol=1e-5)
    np.testing.assert_allclose(reading.map, expected[0][0, 0].numpy(), atol=1e-5)
