"""The smallest effect, against statsmodels' power of a t-test and against simulated experiments."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from core.statistics.crossed import Crossed
from core.statistics.estimates import mean_of
from core.statistics.power import detectable, smallest_effect


def table(seed: int, sets: int, questions: int, effect: float = 0.0) -> Crossed:
    rng = np.random.default_rng(seed)
    values = effect + 0.3 * rng.normal(size=(sets, 1)) + 0.5 * rng.normal(size=(1, questions))
    places = np.indices((sets, questions)).reshape(2, -1)
    values = (values + rng.normal(size=(sets, questions))).ravel()
    return Crossed(values, {"demonstrations": places[0], "question": places[1]})


@pytest.mark.parametrize("count", [6, 25, 200])
def test_one_factor_is_statsmodels(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    theirs = TTestPower().solve_power(nobs=count, alpha=0.05, power=0.8, alternative="two-sided")
    found = smallest_effect(Crossed(values, {"question": np.arange(count)}))
    assert found == pytest.approx(theirs * values.std(ddof=1), rel=1e-4)


def test_a_planned_experiment_of_the_same_size_is_this_one_and_more_levels_show_less() -> None:
    crossed = table(1, 6, 30)
    same = smallest_effect(crossed, {"question": 30})
    assert same == pytest.approx(smallest_effect(crossed), rel=1e-6)
    assert smallest_effect(crossed, {"question": 300}) < same
    assert smallest_effect(crossed, {"demonstrations": 60}) < smallest_effect(crossed, {"question": 300})


def test_that_effect_is_shown_in_four_of_five_experiments() -> None:
    sets, questions = 10, 40
    variance = 0.09 / sets + 0.25 / questions + 1 / (sets * questions)
    ms = np.array([0.09 * questions + 1, 0.25 * sets + 1, 1]) / (sets * questions)
    freedom = variance**2 / float((ms**2 / np.array([sets - 1, questions - 1, (sets - 1) * (questions - 1)])).sum())
    effect = detectable(float(np.sqrt(variance)), freedom)
    shown = [mean_of(table(seed, sets, questions, effect)).low > 0 for seed in range(600)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


def test_what_cannot_be_planned() -> None:
    assert np.isnan(smallest_effect(Crossed(np.zeros(5), {"question": np.arange(5)})))
    with pytest.raises(ValueError, match="question"):
        smallest_effect(Crossed(np.arange(5.0), {"question": np.arange(5)}), {"seed": 4})
    with pytest.raises(ValueError, match="two of each"):
        smallest_effect(Crossed(np.arange(5.0), {"question": np.arange(5)}), {"question": 1})
