"""Accuracy, log-loss and Brier score against scikit-learn, and calibration error against a plain loop."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from core.statistics.proper import brier, log_loss, right
from core.statistics.reliability import reliability


@pytest.mark.parametrize("labels", [2, 5])
def test_means_are_scikit_learns(labels: int) -> None:
    rng = np.random.default_rng(labels)
    p, truth = rng.dirichlet(np.full(labels, 0.3), size=400), rng.integers(0, labels, 400)
    p = p / p.sum(axis=1, keepdims=True)
    log_p = np.log(p)
    assert right(log_p, truth).mean() == metrics.accuracy_score(truth, p.argmax(axis=1))
    assert log_loss(log_p, truth).mean() == pytest.approx(metrics.log_loss(truth, p, labels=range(labels)))
    theirs = metrics.brier_score_loss(truth, p, labels=np.arange(labels), scale_by_half=False)
    assert brier(log_p, truth).mean() == pytest.approx(theirs)


def test_what_was_ruled_out_costs_as_much_as_it_can() -> None:
    log_p, truth = np.array([[0.0, -np.inf]]), np.array([1])
    assert log_loss(log_p, truth)[0] == pytest.approx(744.44, abs=0.01)
    assert log_loss(np.array([[0.0, -700.0]]), truth)[0] == 700.0
    assert brier(log_p, truth)[0] == 2.0
    assert right(np.log([[0.5, 0.5]]), truth)[0] == 0.0


def test_a_reliability_curve_is_scikit_learns() -> None:
    rng = np.random.default_rng(3)
    said = rng.random(500)
    true = rng.random(500) < said**2
    found = reliability(said, true, np.arange(500))
    shares, means = calibration_curve(true, said, n_bins=10)
    assert found.true[found.count > 0] == pytest.approx(shares)
    assert found.said[found.count > 0] == pytest.approx(means)
    edges = np.linspace(0, 1, 11)
    gaps = [
        abs(true[inside].mean() - said[inside].mean()) * inside.mean()
        for low, high in pairwise(edges)
        if (inside := (said >= low) & (said < high)).any()
    ]
    assert found.error == pytest.approx(sum(gaps))
