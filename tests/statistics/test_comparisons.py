"""Comparisons and their sentences: each number is the one of its own function, and no word is stronger than those."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from core.statistics.comparisons import LOG_LOSS, compare, counted, numbers, sentence, too_few, written
from core.statistics.crossed import Crossed, differences
from core.statistics.estimates import mean_of
from core.statistics.permutation import permutation


def setting(share: float, sets: int = 5, questions: int = 60, seed: int = 0, span: bool = True) -> Crossed:
    places = np.indices((sets, questions)).reshape(2, -1)
    values = (np.random.default_rng(seed).random(places.shape[1]) < share).astype(float)
    factors = {"demonstrations": places[0], "question": places[1]}
    return Crossed(values, factors, span=(0.0, 1.0) if span else None)


def test_a_comparison_holds_what_its_parts_say() -> None:
    a, b = setting(0.6), setting(0.8, seed=1)
    found, paired = compare(a, b), differences(a, b)
    assert found.difference == mean_of(paired)
    assert (found.a, found.b) == (mean_of(a), mean_of(b))
    assert found.flips == permutation(paired)
    assert found.differing == np.mean(a.values != b.values)
    assert found.pairs == 300
    spread = np.sqrt((a.values.var() + b.values.var()) / 2)
    assert found.effect.standardised == pytest.approx((b.values.mean() - a.values.mean()) / spread)
    assert found.effect.low == pytest.approx(found.difference.low / spread)


def test_the_sentence_of_a_difference() -> None:
    found = compare(setting(0.5), setting(0.9, seed=1))
    said = sentence("random order", "Nearest last", found, corrected=0.03, comparisons=4)
    assert said.shown
    pattern = (
        r"Nearest last scored \d+\.\d points above random order \(95 % interval \d+\.\d to \d+\.\d, "
        r"permutation p = \.030 after Holm over 4 comparisons; 5 demonstration sets × 60 questions\)\."
    )
    assert re.fullmatch(pattern, said.text), said.text
    turned = sentence("Nearest last", "random order", compare(setting(0.9, seed=1), setting(0.5)))
    assert "points below Nearest last" in turned.text


@pytest.mark.parametrize(("p", "low", "high"), [(0.051, 0.01, 0.2), (0.01, -0.001, 0.2), (0.01, -0.2, 0.0)])
def test_nothing_is_shown_unless_test_and_interval_both_say_so(p: float, low: float, high: float) -> None:
    found = compare(setting(0.5), setting(0.9, seed=1))
    found = replace(found, difference=replace(found.difference, low=low, high=high, mean=(low + high) / 2))
    said = sentence("a", "b", found, corrected=p)
    assert not said.shown
    assert not said.refused
    assert said.text.startswith("No difference in accuracy between b and a is shown")


@pytest.mark.parametrize(
    ("sets", "questions", "why"),
    [(3, 60, "3 demonstration sets say too little"), (5, 19, "19 questions say too little"), (1, 10, "10 questions")],
)
def test_too_small_a_sample_is_refused_with_the_reason(sets: int, questions: int, why: str) -> None:
    found = compare(setting(0.2, sets, questions), setting(0.95, sets, questions, seed=1))
    said = sentence("a", "b", found)
    assert said.refused
    assert why in said.text


def test_one_set_is_said_to_be_one() -> None:
    found = compare(setting(0.5, 1, 100), setting(0.9, 1, 100, seed=1))
    assert sentence("a", "b", found).text.endswith("100 questions, one demonstration set only).")


def test_without_an_interval_there_is_no_verdict() -> None:
    same = setting(1.1, span=False)
    said = sentence("a", "b", compare(same, same))
    assert said.refused
    assert "no interval" in said.text


def test_settings_that_never_differ_are_not_called_equal() -> None:
    same = setting(0.5)
    said = sentence("a", "b", compare(same, same))
    assert not said.shown
    assert "is shown: 0.0 points (95 % interval −" in said.text


def test_other_measures_have_their_own_unit() -> None:
    rng = np.random.default_rng(0)
    a = setting(0.5, span=False)
    a = Crossed(rng.exponential(size=len(a.values)), a.factors)
    b = Crossed(a.values - 0.5 + 0.1 * rng.normal(size=len(a.values)), a.factors)
    said = sentence("random", "similar", compare(a, b), measure=LOG_LOSS)
    assert said.text.startswith("The log-loss of similar was 0.")
    assert "nats below that of random" in said.text


def test_two_factors_that_may_carry_a_verdict() -> None:
    assert too_few(setting(0.5, 5, 20)) == ""
    assert too_few(setting(0.5, 4, 20))
    assert too_few(setting(0.5, 1, 20)) == ""


def test_numbers_in_words() -> None:
    assert numbers(3.14, -0.02, 5.8) == ("3.14", "−0.02", "5.80")
    assert numbers(0.0, -2.7, 2.7) == ("0.0", "−2.7", "2.7")
    assert [written(p) for p in (0.0001, 0.004, 0.03, 0.0504, 0.25, 1.0)] == [
        "p < .001", "p = .004", "p = .030", "p = .050", "p = .25", "p = 1.00",
    ]  # fmt: skip
    assert counted("demonstrations", 1) == "1 demonstration set"
    assert counted("layout", 3) == "3 levels of layout"
