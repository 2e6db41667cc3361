"""Softmax, its logarithm, log-odds and entropy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax as scipy_log_softmax

from core.statistics.distributions import entropy, log_odds, log_softmax, softmax


def test_softmax() -> None:
    assert softmax(np.log([1.0, 3.0])) == pytest.approx([0.25, 0.75])
    assert softmax(np.array([1e5, 1e5])) == pytest.approx([0.5, 0.5])
    assert softmax(np.array([0.0, -np.inf])) == pytest.approx([1.0, 0.0])
    assert softmax(np.array([-np.inf, -np.inf])) == pytest.approx([0.5, 0.5])
    assert softmax(np.zeros((2, 3, 4))).sum(axis=-1) == pytest.approx(np.ones((2, 3)))


def test_log_softmax() -> None:
    """As SciPy has it, far below what float64 holds as a probability, and even where softmax is."""
    scores = np.array([[-1.0, -2.0, -900.0], [5.0, 5.0, -np.inf]])
    np.testing.assert_allclose(log_softmax(scores), scipy_log_softmax(scores, axis=-1))
    assert log_softmax(scores)[0, 2] == pytest.approx(-899.3133, abs=1e-4)
    assert np.exp(log_softmax(np.array([-np.inf, -np.inf]))) == pytest.approx([0.5, 0.5])


def test_log_odds() -> None:
    """ln p − ln(1 − p), which a p that rounds to 1 still has: by 14 tokens it is 40 nats and not 27.6."""
    p = np.array([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]])
    assert log_odds(np.log(p), np.array([0, 1])) == pytest.approx([0.0, np.log(0.05 / 0.95)])
    assert log_odds(np.array([0.0, -40.0]), np.array(0)) == pytest.approx(40.0)
    assert log_odds(np.array([-800.0, 0.0, 0.0]), np.array(0)) == pytest.approx(-800 - np.log(2))


def test_entropy() -> None:
    assert entropy(np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert entropy(np.array([1.0, 0.0])) == 0
    assert entropy(np.array([[0.9, 0.1], [0.25, 0.75]])) == pytest.approx([0.325083, 0.562335], abs=1e-6)
