"""Many heads by hand: who leads, what a head votes for, means of layers, and names that find heads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import run
from core.analysis.attention.many_heads import found, layer_means, leading, named, vote
from core.kernels.regression import regress
from core.study.study import Study
from tests.tiny import REVIEWS, tiny


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        ("L12H3", [(12, 3)]),
        ("l12 h3", [(12, 3)]),
        ("12.3", [(12, 3)]),
        ("12 3", [(12, 3)]),
        ("layer 12 head 3", [(12, 3)]),
        (" Layer 0, Head 8 ", [(0, 8)]),
        ("L2", [(2, head) for head in range(9)]),
        ("layer 2", [(2, head) for head in range(9)]),
        ("h8", [(layer, 8) for layer in range(30)]),
        ("L3H1, L2H0; l3 h1", [(2, 0), (3, 1)]),
        ("L99, 4.5", [(4, 5)]),
        ("L30H0", []),
        ("L0H9", []),
        ("L123", []),
        ("12", []),
        ("", []),
        ("copying", []),
        ("L1H", []),
    ],
)
def test_a_text_names_heads(text: str, heads: list[tuple[int, int]]) -> None:
    assert found(text, 30, 9) == tuple(heads)


@given(st.integers(0, 47), st.integers(0, 24))
def test_every_head_is_found_by_its_name(layer: int, head: int) -> None:
    assert found(named((layer, head)), 48, 25) == ((layer, head),)


def test_leading_heads_in_falling_order_ties_to_the_first() -> None:
    scores = np.array([[0.2, 0.9, 0.2], [np.nan, 0.9, 0.5]])
    assert leading(scores, 9) == ((0, 1), (1, 1), (1, 2), (0, 0), (0, 2))
    assert leading(scores, 2) == ((0, 1), (1, 1))
    assert leading(np.full((2, 2), np.nan), 3) == ()


def test_a_vote_by_hand() -> None:
    weights = np.array([[[0.1, 0.3, 0.4], [0.0, 0.0, 0.0]]])
    shares = vote(weights, ["good", " bad", "good "], "good")
    assert shares[0, 0] == pytest.approx(0.5 / 0.8)
    assert np.isnan(shares[0, 1])
    np.testing.assert_array_equal(vote(weights, ["a", "b", "c"], "good")[0, 0], 0.0)
    assert vote(np.zeros((2, 2, 0)), [], "good").shape == (2, 2)


def test_a_vote_is_what_the_head_as_a_kernel_answers() -> None:
    """One head at a time by `regress`, on a prompt that a model has read."""
    model = tiny("llama")
    outcome = run(Study(demonstrations=REVIEWS, query="a good house", labels=("positive", "negative")), model)
    assert outcome.attention is not None
    labels = [row.label for row in outcome.demonstrations]
    shares = vote(outcome.attention.maxima, labels, outcome.answer.best)
    for layer in range(model.layers):
        for head in range(model.heads):
            kernel = regress("h", "", outcome.attention.maxima[layer, head], labels, outcome.answer.labels)
            place = outcome.answer.labels.index(outcome.answer.best)
            assert shares[layer, head] == pytest.approx(kernel.predictive[place])


@pytest.mark.parametrize(("layers", "most", "rows"), [(4, 44, 4), (30, 44, 30), (48, 44, 24), (96, 44, 32), (5, 2, 2)])
def test_means_of_layers(layers: int, most: int, rows: int) -> None:
    weights = np.random.default_rng(0).random((layers, 3, 5))
    names, means = layer_means(weights, most)
    assert len(names) == len(means) == rows <= most
    assert names[0] == ("L0" if rows == layers else f"L0–{-(-layers // most) - 1}")
    each = -(-layers // most)
    for row, mean in enumerate(means):  # by a plain loop over the heads of the row
        heads = [
            weights[layer, head] for layer in range(row * each, min((row + 1) * each, layers)) for head in range(3)
        ]
        np.testing.assert_allclose(mean, sum(heads) / len(heads))
