"""What an experiment shows: measures by hand, means by numpy, pairs that differ in one field, no item that failed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.experiments.design import Design
from core.experiments.experiment import Experiment
from core.experiments.findings import MEASURES, findings_of, measure_of, pairs_of, values_of
from core.experiments.items import ExperimentItem
from tests.experiments.made import experiment

LABELS = ("negative", "positive")


def filled(made: Experiment, p: Callable[[int, int, int], float]) -> tuple[Design, list[ExperimentItem]]:
    """Every item, with p(setting, set, question) of the right answer."""
    design = Design(made)
    items = []
    for cell in design.cells:
        for place, row in enumerate(made.questions):
            likely = p(cell.setting, cell.drawn, place)
            shares = [likely if label == row.label else 1 - likely for label in LABELS]
            items.append(ExperimentItem(cell.number, place, LABELS, tuple(np.log(shares).tolist())))
    return design, items


def test_measures_by_hand() -> None:
    log_shares, second, third = np.log([[0.2, 0.5, 0.3]]), np.array([1]), np.array([2])
    assert measure_of("accuracy").of(log_shares, second) == 1
    assert measure_of("accuracy").of(log_shares, third) == 0
    assert measure_of("log_loss").of(log_shares, third) == pytest.approx(-np.log(0.3))
    assert measure_of("brier").of(log_shares, third) == pytest.approx(0.04 + 0.25 + 0.49)


def test_an_answer_that_was_ruled_out_leaves_the_others_their_numbers() -> None:
    made = experiment(asked=30, draws={"sets": 5})
    design, items = filled(made, lambda setting, drawn, question: 0.9)
    gold = made.questions[0].label
    items[0] = ExperimentItem(0, 0, LABELS, tuple(-np.inf if label == gold else 0.0 for label in LABELS))
    (mean,) = findings_of(design, items, "log_loss").means
    assert mean is not None
    assert np.isfinite(mean.high)


def test_means_are_those_of_the_items_and_differences_are_paired() -> None:
    made = experiment(asked=30, draws={"sets": 5}, ordering=["random", "nearest-last"])
    rng = np.random.default_rng(0)
    table = rng.uniform(0.2, 0.9, (2, 5, 30))
    design, items = filled(made, lambda setting, drawn, question: float(table[setting, drawn, question]))
    for measure in MEASURES:
        found = findings_of(design, items, measure.name)
        values = values_of(design, items, measure).reshape(2, 5, 30)
        for setting, mean in enumerate(found.means):
            assert mean is not None
            assert mean.mean == pytest.approx(values[setting].mean())
            assert mean.low <= mean.mean <= mean.high
        (pair,) = found.pairs
        assert pair.comparison.difference.mean == pytest.approx((values[1] - values[0]).mean())
        assert found.complete
        assert found.counts == (150, 150)


def test_a_difference_that_is_there_is_shown_and_one_that_is_not_is_not() -> None:
    made = experiment(asked=60, draws={"sets": 6}, ordering=["random", "nearest-last", "given"])
    rng = np.random.default_rng(1)
    noise = rng.uniform(0, 1, (3, 6, 60))
    design, items = filled(made, lambda s, d, q: 0.9 if noise[s, d, q] < (0.4, 0.9, 0.4)[s] else 0.1)
    better, same = findings_of(design, items).pairs
    assert better.said.shown
    assert "Nearest last" in better.said.text
    assert not same.said.shown
    assert better.corrected < 0.05 < same.corrected


def test_pairs_differ_in_one_field_and_stand_against_its_first_value() -> None:
    design = Design(experiment(ordering=["random", "given"], scoring=["direct", "channel"]))
    assert pairs_of(design) == (
        ("ordering", 0, 2),
        ("ordering", 1, 3),
        ("scoring", 0, 1),
        ("scoring", 2, 3),
    )


def test_what_failed_counts_in_no_number_and_is_said() -> None:
    made = experiment(asked=20, draws={"sets": 5})
    design, items = filled(made, lambda setting, drawn, question: 0.9)
    bad = [ExperimentItem(item.cell, item.question, error="No.") if item.question == 3 else item for item in items]
    found = findings_of(design, bad)
    assert found.failed == {"No.": 5}
    assert found.counts == (95,)
    assert found.means[0] is not None
    assert found.means[0].mean == 1
    nothing = findings_of(design, [ExperimentItem(item.cell, item.question, error="No.") for item in items])
    assert nothing.means == (None,)
    assert nothing.pairs == ()
    assert findings_of(design, []).complete is False


def test_what_is_there_on_both_sides_is_compared_while_the_rest_is_computed() -> None:
    made = experiment(asked=30, draws={"sets": 5}, ordering=["random", "nearest-last"])
    design, items = filled(made, lambda setting, drawn, question: 0.9 if question % 2 else 0.1)
    some = [item for item in items if design.cells[item.cell].setting == 0 or item.question < 10]
    (pair,) = findings_of(design, some).pairs
    assert pair.comparison.pairs == 50


def test_a_curve_over_k_says_from_where_more_does_not_help() -> None:
    made = experiment(pool=60, asked=40, draws={"sets": 5}, k=[0, 1, 2, 4, 8])
    right = {0: 0.5, 1: 0.7, 2: 0.9, 3: 0.9, 4: 0.9}
    rng = np.random.default_rng(2)
    noise = rng.uniform(0, 1, (5, 5, 40))
    design, items = filled(made, lambda s, d, q: 0.9 if noise[s, d, q] < right[s] else 0.1)
    curve = findings_of(design, items).curve
    assert curve is not None
    assert curve.ks == (0, 1, 2, 4, 8)
    assert curve.saturation.low <= 2 <= curve.saturation.high
    assert findings_of(design, items[:-1]).curve is None  # not before all is there
