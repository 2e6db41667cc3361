"""P(T | D_n, x_{n+1}) against the mixture's own posterior with the input counted as evidence, latent by latent."""

from __future__ import annotations

import random

import numpy as np
import pytest

from core.bayes.beliefs import beliefs_at_inputs
from core.bayes.by_family import by_family
from core.mixture.documents import draw_document
from core.mixture.mixture import load_mixture

KINDS = (None, None, None, "nouns: codebook", "spelled words: glossary", "sentiment (arbitrary)")


@pytest.mark.parametrize("seed", range(len(KINDS)))
def test_it_is_the_posterior_with_the_input_read(seed: int) -> None:
    mixture, rng = load_mixture(), random.Random(seed)
    document = draw_document(mixture, rng, family=KINDS[seed], count=5, reversed_share=0.0)
    *pairs, (query, _) = document.pairs
    found = beliefs_at_inputs(mixture, pairs, query, document.instruction)
    assert found.shape == (5, len(mixture.families))
    np.testing.assert_allclose(found.sum(1), 1.0)
    for n, (x, _) in enumerate(document.pairs):
        after = by_family(mixture, pairs[:n], x, ["chat"], document.instruction)
        weights = after.at_query(mixture.posterior(pairs[:n], document.instruction)[0])[-1]
        np.testing.assert_allclose(found[n], weights, atol=1e-9)


def test_an_input_seen_before_speaks_for_a_codebook() -> None:
    mixture = load_mixture()
    seen, other = (beliefs_at_inputs(mixture, [("dog", "foo")], x)[-1] for x in ("dog", "cat"))
    book = mixture.families.index("nouns: codebook")
    assert seen[book] > other[book]
