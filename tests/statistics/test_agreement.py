"""Agreement of ways to answer, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from core.statistics.agreement import equal_share, flipped, kappa


@given(st.integers(0, 10_000))
def test_agreement_against_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = rng.choice(["a", "b", "c"], size=(6, 40), p=[0.6, 0.3, 0.1])
    ours, share = kappa(answers), equal_share(answers)
    for i in range(6):
        for j in range(6):
            assert ours[i, j] == pytest.approx(cohen_kappa_score(answers[i], answers[j]), abs=1e-12)
            assert share[i, j] == np.mean([x == y for x, y in zip(answers[i], answers[j], strict=True)])


def test_agreement_where_nothing_varies() -> None:
    answers = np.array([["a"] * 5, ["a"] * 5, ["b"] * 5, ["a", "a", "a", "b", "b"]])
    assert kappa(answers)[0].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_flips_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(5)
    places = np.indices((4, 9, 3)).reshape(3, -1)[:, rng.random(108) > 0.2]
    factors = dict(zip(("demonstrations", "question", "order"), places, strict=True))
    answers = rng.choice(["yes", "no"], size=places.shape[1], p=[0.8, 0.2])
    expected = {}
    for s in range(4):
        for q in range(9):
            own = answers[(places[0] == s) & (places[1] == q)]
            if len(own) > 1:
                expected[s, q] = float(len(set(own)) > 1)
    found = flipped(answers, factors, "order")
    assert set(found.factors) == {"demonstrations", "question"}
    got = dict(zip(zip(*found.factors.values(), strict=True), found.values, strict=True))
    assert got == expected
    assert found.span == (0.0, 1.0)


def test_flips_need_two_answers() -> None:
    with pytest.raises(ValueError, match="two levels of order"):
        flipped(np.array(["a", "b"]), {"question": np.arange(2), "order": np.zeros(2, int)}, "order")
