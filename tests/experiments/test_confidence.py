"""Reliability and flips of settings, counted by hand and by scikit-learn's bins."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from core.experiments.confidence import confidences
from core.experiments.design import Design
from core.experiments.items import ExperimentItem
from tests.experiments.made import experiment

LABELS = ("negative", "positive")


def filled(seed: int = 0) -> tuple[Design, list[ExperimentItem]]:
    made = experiment(asked=30, draws={"sets": 3, "orders": 2}, ordering=["random", "nearest-last"])
    design, rng = Design(made), np.random.default_rng(seed)
    items = [
        ExperimentItem(cell.number, question, LABELS, tuple(np.log([p, 1 - p]).tolist()))
        for cell in design.cells
        for question, p in enumerate(rng.uniform(0.05, 0.95, 30))
    ]
    return design, items


def test_reliability_is_that_of_the_likeliest_candidate() -> None:
    design, items = filled()
    gold = [row.label for row in design.experiment.questions]
    for found in confidences(design, items):
        mine = [item for item in items if design.cells[item.cell].setting == found.setting]
        said = np.exp([max(item.log_shares) for item in mine])
        true = np.array([item.prediction == gold[item.question] for item in mine])
        curve, means = calibration_curve(true, said, n_bins=10)
        filled_bins = found.reliability.count > 0
        np.testing.assert_allclose(found.reliability.true[filled_bins], curve)
        np.testing.assert_allclose(found.reliability.said[filled_bins], means)
        counts = found.reliability.count[filled_bins]
        assert found.reliability.error == pytest.approx(np.sum(counts * np.abs(curve - means)) / len(mine))


def test_flips_are_counted_over_orders_and_against_the_first_setting() -> None:
    design, items = filled()
    said = {
        (cell.setting, cell.drawn, cell.order, item.question): item.prediction
        for item in items
        for cell in [design.cells[item.cell]]
    }
    first, second = confidences(design, items)
    pairs = [said[0, drawn, 0, q] != said[0, drawn, 1, q] for drawn in range(3) for q in range(30)]
    assert first.orders is not None
    assert first.orders.mean == pytest.approx(np.mean(pairs))
    assert first.changed is None
    assert second.orders is None
    against = [said[0, drawn, 0, q] != said[1, drawn, 0, q] for drawn in range(3) for q in range(30)]
    assert second.changed is not None
    assert second.changed.mean == pytest.approx(np.mean(against))


def test_what_failed_counts_nowhere() -> None:
    design, items = filled()
    bad = [ExperimentItem(item.cell, item.question, error="No.") for item in items]
    assert confidences(design, bad) == ()
