"""Agreement of ways to answer, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from core.statistics.agreement import equal_share, kappa


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
