"""The sign-flip test against all flips by brute force, against scipy, and how often it sees what is not there."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from benchmarks.experiment_draws import Scenario, experiments
from core.statistics.crossed import Crossed, differences, sums_of, terms_of
from core.statistics.estimates import p_of_mean
from core.statistics.permutation import permutation


def table_of(table: np.ndarray, span: tuple[float, float] | None = None) -> Crossed:
    kept = ~np.isnan(table)
    sets, questions = np.indices(table.shape)
    return Crossed(table[kept], {"demonstrations": sets[kept], "question": questions[kept]}, span=span)


def test_one_factor_is_scipys_sign_flip_test() -> None:
    values = np.random.default_rng(0).normal(0.4, 1.0, size=11)
    found = permutation(Crossed(values, {"question": np.arange(11)}))
    scipys = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert found.exact
    assert found.p == pytest.approx(scipys.pvalue - 1 / 2**11)  # of the data and their mirror image half counts


@pytest.mark.parametrize(("up", "down"), [(7, 1), (9, 3), (6, 0), (5, 5)])
def test_right_and_wrong_on_questions_alone_is_mcnemars_mid_p(up: int, down: int) -> None:
    """Fagerland, Lydersen and Laake 2013: the exact p less the probability of the split itself, both sides together."""
    values = np.array([1.0] * up + [-1.0] * down)
    found = permutation(Crossed(np.append(values, np.zeros(3)), {"question": np.arange(up + down + 3)}), draws=20_000)
    both = (1 if up == down else 2) * stats.binom.pmf(down, up + down, 0.5)
    expected = stats.binomtest(down, up + down).pvalue - both / 2
    assert found.p == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize("holes", [0, 3])
def test_two_factors_are_all_flips_by_brute_force(holes: int) -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(0.5, 1.0, size=(3, 5)) + rng.normal(size=(3, 1))
    table.ravel()[rng.permutation(15)[:holes]] = np.nan

    def statistic(flipped: np.ndarray) -> float:
        crossed = table_of(flipped)
        sums = sums_of(crossed.values, terms_of({n: v.astype(np.int64) for n, v in crossed.factors.items()}))
        size = len(crossed.values)
        return float(p_of_mean(np.array([crossed.values.mean()]), sums.squares[None], sums, size)[0])

    own, beyond, total = statistic(table), 0.0, 0
    for signs in product((1.0, -1.0), repeat=8):
        flipped = table * np.array(signs[:3])[:, None] * np.array(signs[3:])
        here = statistic(flipped)
        beyond += 0.5 if here == pytest.approx(own, rel=1e-9) else float(here < own)
        total += 1
    found = permutation(table_of(table))
    assert found.exact
    assert found.draws == total / 2
    assert found.p == pytest.approx(beyond / total)


def test_three_factors_are_flipped_as_two_are() -> None:
    """With a third factor of which each level is one of the second, nothing new is drawn; crossed, all three flip."""
    rng = np.random.default_rng(2)
    a, b, c = np.indices((4, 6, 3)).reshape(3, -1)
    values = rng.normal(0.8, 1.0, size=a.size)
    found = permutation(Crossed(values, {"a": a, "b": b, "c": c}))
    none = permutation(Crossed(values - values.mean(), {"a": a, "b": b, "c": c}))
    assert found.p < 0.05
    assert none.p == pytest.approx(1.0, abs=0.01)


def test_a_drawn_sample_of_flips_comes_near_all_of_them_and_repeats() -> None:
    values = np.random.default_rng(3).normal(0.5, 1.0, size=12)
    exact = permutation(Crossed(values, {"question": np.arange(12)}))
    padded = Crossed(np.append(values, np.zeros(20)), {"question": np.arange(32)})  # zeros flip to nothing
    drawn = permutation(padded, draws=9_999)
    assert exact.exact
    assert not drawn.exact
    assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p * (1 - exact.p) / 9_999))
    assert drawn.p == permutation(padded, draws=9_999).p


def test_the_least_p_of_a_sample_counts_the_data() -> None:
    found = permutation(Crossed(np.full(40, 1.0), {"question": np.arange(40)}), draws=99)
    assert found.p == pytest.approx(1 / 100)


def test_too_few_levels_are_refused_and_nothing_that_differs_is_one() -> None:
    few = permutation(Crossed(np.ones(5), {"question": np.arange(5)}))
    assert np.isnan(few.p)
    assert "32 flips" in few.why
    assert permutation(Crossed(np.ones(6), {"question": np.arange(6)})).p == pytest.approx(1 / 64)
    assert permutation(table_of(np.zeros((5, 20)))).p == 1.0
    assert np.isnan(permutation(Crossed(np.ones(1), {"question": np.zeros(1, int)})).p)


@pytest.mark.parametrize(
    "scenario",
    [Scenario(5, 60), Scenario(5, 60, alike=0.95), Scenario(1, 100, own=(0.0, 0.6, 0.5))],
    ids=["random sets", "mostly alike", "questions alone"],
)
def test_it_seldom_sees_what_is_not_there(scenario: Scenario) -> None:
    """A quick look; benchmarks/experiment_intervals.py measures it."""
    seen = [
        permutation(differences(one.a, one.b), draws=199, seed=i).p <= 0.05
        for i, one in enumerate(experiments(scenario.null(), 250, seed=4))
    ]
    assert 0.01 <= np.mean(seen) <= 0.09
