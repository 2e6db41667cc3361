"""What experiments are drawn with: the truth that intervals are to hold, against plain averages of very many draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.experiment_draws import Scenario, draw, experiments
from benchmarks.experiment_intervals import NULL, coverage, false_positives
from core.statistics.crossed import differences


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(300, 300, effect=0.6),
        Scenario(300, 300, own=(0.9, 0.6, 0.5), skewed=True),
        Scenario(300, 300, losses=True),
        Scenario(300, 150, orders=2, missing=0.1),
    ],
    ids=["shares", "skewed", "losses", "orders"],
)
def test_the_truth_is_the_average_over_very_many_sets_and_questions(scenario: Scenario) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw(scenario, rng) for _ in range(4)]
    mean = np.mean([one.b.values.mean() for one in drawn])
    gap = np.mean([differences(one.a, one.b).values.mean() for one in drawn])
    assert mean == pytest.approx(drawn[0].true_b, abs=0.06)
    assert gap == pytest.approx(drawn[0].true_difference, abs=0.03)
    assert drawn[0].true_difference * (-1 if scenario.losses else 1) > 0.02


def test_a_set_that_is_held_fixed_has_a_truth_of_its_own() -> None:
    one, other = experiments(Scenario(1, 40_000), 2, seed=1)
    assert one.true_b != other.true_b
    assert one.b.values.mean() == pytest.approx(one.true_b, abs=0.01)
    assert differences(one.a, one.b).values.mean() == pytest.approx(one.true_difference, abs=0.01)


def test_without_an_effect_the_truth_is_none_and_few_items_differ_where_few_should() -> None:
    for scenario in NULL.values():
        assert abs(draw(scenario.null(), np.random.default_rng(2)).true_difference) < 1e-12 or scenario.sets == 1
    one = draw(replace(NULL["5 × 100, 95 % alike"], sets=200, questions=500), np.random.default_rng(3))
    assert np.mean(one.a.values == one.b.values) == pytest.approx(0.95, abs=0.01)


def test_counts_are_shares_of_the_experiments() -> None:
    found = coverage(Scenario(5, 20), 12)
    assert set(found["held"]) == {f"{what}, {way}" for what in ("mean", "difference")
                                  for way in ("ours", "Student's t", "bootstrap")}  # fmt: skip
    assert all(0.5 <= one["share"] <= 1 for one in found["held"].values())
    seen = false_positives(Scenario(5, 20), 12)["seen"]
    assert seen["both"]["share"] <= min(seen["permutation"]["share"], seen["interval leaves out 0"]["share"])
