"""Every head as a kernel: votes, overlaps and weights by hand, from the weights that the model gives."""

from __future__ import annotations

import numpy as np
import pytest

from core import Study, run
from core.analysis.kernel.head_grid import head_grid
from core.analysis.kernel.weight_table import kernel_table
from core.kernels.variants import KernelVariant, variants
from core.study.outcome import Answer
from tests.tiny import REVIEWS, tiny

LABELS = ("positive", "negative")
STUDY = Study(demonstrations=REVIEWS, query="a good house", labels=LABELS)


def test_numbers_are_those_of_each_head_by_hand() -> None:
    model = tiny("llama")
    outcome = run(STUDY, model)
    attention = outcome.attention
    assert attention is not None
    rows = [variant for variant in variants(model.layers, model.heads) if variant.kernel == "attention"]
    table = kernel_table(STUDY, model, outcome.demonstrations, rows, [STUDY.query])
    grid = head_grid(table, rows, model.layers, model.heads)
    assert grid is not None
    assert [kernel.name for kernel in grid.others] == ["Attention"]
    assert len(grid.kernels) == model.layers * model.heads
    votes, overlaps, weights = grid.votes(outcome.answer), grid.overlaps(outcome.answer), grid.weights(2)
    p = dict(zip(outcome.answer.labels, outcome.answer.probabilities, strict=True))
    for layer in range(model.layers):
        for head in range(model.heads):
            raw = attention.maxima[layer, head]
            shares = {y: sum(a for a, row in zip(raw, REVIEWS, strict=True) if row.label == y) for y in LABELS}
            shares = {y: share / raw.sum() for y, share in shares.items()}
            assert votes[layer, head] == pytest.approx(shares[outcome.answer.best])
            assert overlaps[layer, head] == pytest.approx(sum(min(shares[y], p[y]) for y in LABELS))
            assert weights[layer, head] == pytest.approx(raw[2] / raw.sum())


def test_heads_that_are_not_there_have_no_number() -> None:
    model = tiny("llama")
    outcome = run(STUDY, model)
    rows = [KernelVariant("one", "attention", (("heads", ((1, 2),)),)), KernelVariant("words", "encoder")]
    table = kernel_table(STUDY, model, outcome.demonstrations, rows, [STUDY.query])
    grid = head_grid(table, rows, model.layers, model.heads)
    assert grid is not None
    votes = grid.votes(outcome.answer)
    assert np.argwhere(~np.isnan(votes)).tolist() == [[1, 2]]
    unknown = Answer(("else",), np.zeros(1), np.ones(1))
    assert np.isnan(grid.votes(unknown)).all()


def test_a_table_without_heads_or_with_those_of_two_kernels_is_no_grid() -> None:
    model = tiny("llama")
    shown = run(STUDY, model).demonstrations
    hidden = [KernelVariant("states", "hidden")]
    table = kernel_table(STUDY, model, shown, hidden, [STUDY.query])
    assert head_grid(table, hidden, model.layers, model.heads) is None
    two = [
        KernelVariant("one", "attention", (("heads", ((1, 2),)),)),
        KernelVariant("two", "x", (("heads", ((1, 2),)),)),
    ]
    assert head_grid(table, two, model.layers, model.heads) is None
