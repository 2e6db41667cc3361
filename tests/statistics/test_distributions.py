"""Softmax and entropy."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.distributions import entropy, softmax


def test_softmax() -> None:
    assert softmax(np.log([1.0, 3.0])) == pytest.approx([0.25, 0.75])
    assert softmax(np.array([1e5, 1e5])) == pytest.approx([0.5, 0.5])
    assert softmax(np.array([0.0, -np.inf])) == pytest.approx([1.0, 0.0])
    assert softmax(np.array([-np.inf, -np.inf])) == pytest.approx([0.5, 0.5])
    assert softmax(np.zeros((2, 3, 4))).sum(axis=-1) == pytest.approx(np.ones((2, 3)))


def test_entropy() -> None:
    assert entropy(np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert entropy(np.array([1.0, 0.0])) == 0
    assert entropy(np.array([[0.9, 0.1], [0.25, 0.75]])) == pytest.approx([0.325083, 0.562335], abs=1e-6)
