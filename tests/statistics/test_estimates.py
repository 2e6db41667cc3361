"""Means and differences of crossed experiments: against textbook intervals, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.experiment_draws import Scenario, experiments
from core.statistics.bootstrap import unseen
from core.statistics.crossed import Crossed, sums_of, terms_of
from core.statistics.estimates import difference, half_width, mean_of, p_of_mean
from core.statistics.intervals import wilson


def table_of(table: np.ndarray, span: tuple[float, float] | None = None) -> Crossed:
    sets, questions = np.indices(table.shape).reshape(2, -1)
    return Crossed(table.ravel(), {"demonstrations": sets, "question": questions}, span=span)


def test_one_factor_is_students_t() -> None:
    values = np.random.default_rng(0).normal(1.0, 2.0, size=12)
    found = mean_of(Crossed(values, {"question": np.arange(12)}))
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high), rel=2e-3)
    assert found.error == pytest.approx(stats.sem(values))
    assert found.freedom == pytest.approx(11)


def test_one_factor_of_several_items_a_level_is_students_t_of_the_levels() -> None:
    values = np.random.default_rng(1).normal(size=(9, 4)) + np.random.default_rng(2).normal(size=(9, 1))
    found = mean_of(Crossed(values.ravel(), {"question": np.repeat(np.arange(9), 4)}))
    low, high = stats.ttest_1samp(values.mean(axis=1), 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high), rel=2e-3)


def test_right_and_wrong_over_questions_alone_is_wilson() -> None:
    values = np.array([1.0] * 17 + [0.0] * 5)
    found = mean_of(Crossed(values, {"question": np.arange(22)}, span=(0.0, 1.0)))
    assert (found.low, found.high) == wilson(17, 22)


def test_the_error_of_a_table_is_the_textbooks() -> None:
    table = np.random.default_rng(3).normal(size=(5, 30)) + np.random.default_rng(4).normal(size=(5, 1))
    found = mean_of(table_of(table))
    mean = table.mean()
    by_set, by_question = table.mean(axis=1), table.mean(axis=0)
    ms = (
        30 * by_set.var(ddof=1),
        5 * by_question.var(ddof=1),
        ((table - by_set[:, None] - by_question + mean) ** 2).sum() / (4 * 29),
    )
    variance = (ms[0] + ms[1] - ms[2]) / table.size
    assert found.error == pytest.approx(np.sqrt(variance))
    freedom = (ms[0] + ms[1] - ms[2]) ** 2 / (ms[0] ** 2 / 4 + ms[1] ** 2 / 29 + ms[2] ** 2 / (4 * 29))
    assert found.freedom == pytest.approx(max(freedom, 4))
    assert found.covers == "5 demonstrations × 30 question"


def test_sets_that_matter_widen_the_interval_and_one_set_is_held_fixed() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(6, 40)) * 0.1 + rng.normal(size=(6, 1))
    crossed = mean_of(table_of(table))
    one = mean_of(table_of(table[:1]))
    assert crossed.high - crossed.low > 5 * (one.high - one.low)
    assert one.fixed == ("demonstrations",)
    assert "held fixed" in one.covers


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_outcomes_that_are_all_alike_are_not_certain(value: float) -> None:
    found = mean_of(table_of(np.full((5, 40), value), (0.0, 1.0)))
    assert found.high - found.low == pytest.approx(float(unseen(40)))
    assert "alike" in found.notes[0]


def test_cells_that_all_have_the_same_mean_are_not_certain_either() -> None:
    """One of two orders is right, for every question of every set: what was drawn does not differ, and yet may."""
    places = np.indices((5, 40, 2)).reshape(3, -1)
    names = ("demonstrations", "question", "order")
    crossed = Crossed(
        places[2].astype(float), dict(zip(names, places, strict=True)), {"order": "demonstrations"}, (0, 1)
    )
    found = mean_of(crossed)
    assert found.mean == 0.5
    assert found.high - found.low == pytest.approx(float(unseen(40)))
    assert "means of what was drawn" in found.notes[0]


def test_settings_that_never_differ_may_still_be_different() -> None:
    same = table_of(np.random.default_rng(6).integers(0, 2, (5, 40)).astype(float), (0.0, 1.0))
    found = difference(same, same)
    assert found.mean == 0
    assert (found.low, found.high) == pytest.approx((-float(unseen(40)), float(unseen(40))))


def test_without_a_span_or_a_second_level_there_is_no_interval() -> None:
    alike = mean_of(table_of(np.full((5, 40), 0.7)))
    assert np.isnan(alike.low)
    assert "no interval" in alike.notes[0]
    once = mean_of(Crossed(np.array([1.0]), {"question": np.zeros(1, int)}, span=(0.0, 1.0)))
    assert np.isnan(once.low)
    assert "more than once" in once.notes[0]


def test_a_difference_turns_with_its_sides() -> None:
    rng = np.random.default_rng(7)
    a, b = (table_of(rng.integers(0, 2, (5, 30)).astype(float), (0.0, 1.0)) for _ in range(2))
    there, back = difference(a, b), difference(b, a)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))
    assert there.mean == pytest.approx(b.values.mean() - a.values.mean())


def test_the_p_value_is_five_percent_at_the_end_of_the_interval() -> None:
    crossed = table_of(np.random.default_rng(8).normal(size=(5, 30)))
    sums = sums_of(crossed.values, terms_of(dict(crossed.factors)))
    half = half_width(sums, len(crossed.values))
    assert p_of_mean(np.array([half]), sums.squares[None], sums, len(crossed.values))[0] == pytest.approx(
        0.05, rel=2e-3
    )  # averaged over fewer points


@pytest.mark.parametrize(
    "scenario", [Scenario(5, 60), Scenario(8, 30, missing=0.1), Scenario(5, 30, orders=2)], ids=["5", "8", "orders"]
)
def test_intervals_hold_the_truth(scenario: Scenario) -> None:
    """A quick look; benchmarks/experiment_intervals.py measures it."""
    held = np.zeros(2)
    for one in experiments(scenario, 250, seed=1):
        for i, (found, true) in enumerate(
            ((mean_of(one.b), one.true_b), (difference(one.a, one.b), one.true_difference))
        ):
            held[i] += found.low <= true <= found.high
    assert (held / 250 > 0.91).all()
    assert (held / 250 < 0.99).all()
