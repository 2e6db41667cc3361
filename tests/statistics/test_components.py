"""Variance components against statsmodels' mixed models and against what data were drawn with."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from core.statistics.components import split_variance
from core.statistics.crossed import Crossed


def drawn(sizes: dict[str, int], spread: dict[str, float], seed: int = 0, rest: float = 1.0) -> Crossed:
    """A balanced design with orders within sets where it has both."""
    rng = np.random.default_rng(seed)
    places = np.indices(tuple(sizes.values())).reshape(len(sizes), -1)
    factors = dict(zip(sizes, places, strict=True))
    nested = {"order": "demonstrations"} if {"order", "demonstrations"} <= set(sizes) else {}
    crossed = Crossed(np.zeros(places.shape[1]), factors, nested)
    values = rest * rng.normal(size=places.shape[1])
    for name, sd in spread.items():
        codes = crossed.codes(name)
        values += sd * rng.normal(size=codes.max() + 1)[codes]
    return Crossed(values, factors, nested)


def test_two_crossed_factors_are_those_of_a_mixed_model() -> None:
    """Restricted likelihood and the analysis of variance agree on balanced data without negative components."""
    import statsmodels.formula.api as smf

    crossed = drawn({"question": 20, "demonstrations": 8}, {"question": 1.0, "demonstrations": 0.7})
    frame = pd.DataFrame({"y": crossed.values, "all": 1} | dict(crossed.factors))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formula = {"question": "0 + C(question)", "demonstrations": "0 + C(demonstrations)"}
        fit = smf.mixedlm("y ~ 1", frame, groups="all", re_formula="0", vc_formula=formula).fit(reml=True)
    found = {part.name: part.variance for part in split_variance(crossed).parts}
    theirs = dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True))
    assert found["question"] == pytest.approx(theirs["question"], rel=2e-3)
    assert found["demonstrations"] == pytest.approx(theirs["demonstrations"], rel=2e-3)
    assert found["rest"] == pytest.approx(fit.scale, rel=2e-3)


def test_orders_within_sets_by_the_nested_analysis_of_variance() -> None:
    sets, orders, copies = 6, 4, 5
    table = np.random.default_rng(1).normal(size=(sets, orders, copies))
    table += np.random.default_rng(2).normal(size=(sets, 1, 1)) + 2 * np.random.default_rng(3).normal(
        size=(sets, orders, 1)
    )
    places = np.indices(table.shape).reshape(3, -1)
    factors = {"demonstrations": places[0], "order": places[1]}
    found = {p.name: p for p in split_variance(Crossed(table.ravel(), factors, {"order": "demonstrations"})).parts}
    by_order, by_set = table.mean(axis=2), table.mean(axis=(1, 2))
    within = table.var(axis=2, ddof=1).mean()
    ms_order = copies * by_order.var(axis=1, ddof=1).mean()
    ms_set = copies * orders * by_set.var(ddof=1)
    assert found["rest"].variance == pytest.approx(within)
    assert found["order"].variance == pytest.approx((ms_order - within) / copies)
    assert found["demonstrations"].variance == pytest.approx(max((ms_set - ms_order) / (copies * orders), 0.0))
    assert found["order"].levels == sets * orders


def test_on_average_the_components_are_what_data_were_drawn_with() -> None:
    sizes = {"question": 12, "demonstrations": 5, "order": 3, "template": 3}
    spread = {"question": 1.0, "demonstrations": 0.8, "order": 0.5, "template": 0.3}
    # Clamping at 0 moves an average up, so that of what is not clamped is looked at: question and order.
    found = [{p.name: p.variance for p in split_variance(drawn(sizes, spread, seed)).parts} for seed in range(200)]
    for name in ("question", "order", "demonstrations"):
        values = np.array([one[name] for one in found])
        assert values.mean() == pytest.approx(spread[name] ** 2, abs=4 * values.std() / np.sqrt(200) + 0.01)
    assert np.mean([one["rest"] for one in found]) == pytest.approx(1.0, rel=0.02)


def test_intervals_of_shares_hold_them() -> None:
    sizes, spread = {"question": 30, "demonstrations": 8}, {"question": 1.0, "demonstrations": 0.6}
    true = {"question": 1 / 2.36, "demonstrations": 0.36 / 2.36, "rest": 1 / 2.36}
    held = dict.fromkeys(true, 0)
    for seed in range(300):
        for part in split_variance(drawn(sizes, spread, seed)).parts:
            held[part.name] += part.low <= true[part.name] <= part.high
    assert all(0.92 <= count / 300 <= 0.98 for count in held.values()), held


def test_shares_add_up_and_what_comes_out_negative_is_said() -> None:
    found = split_variance(drawn({"question": 30, "demonstrations": 4}, {"question": 1.0}, seed=3))
    assert sum(part.share for part in found.parts) == pytest.approx(1.0)
    negatives = [
        part
        for seed in range(20)
        for part in split_variance(drawn({"question": 30, "demonstrations": 4}, {}, seed)).parts
        if part.negative
    ]
    assert negatives
    assert all(part.variance == 0 == part.share for part in negatives)


def test_what_was_drawn_together_is_counted_once() -> None:
    seed = np.repeat(np.arange(4), 6)
    values = np.random.default_rng(4).normal(size=24)
    both = {
        "seed": seed,
        "demonstrations": 3 - seed,
        "template": np.zeros(24, int),
        "question": np.tile(np.arange(6), 4),
    }
    found = split_variance(Crossed(values, both))
    assert [part.name for part in found.parts] == ["seed", "question", "rest"]
    assert any("together" in note for note in found.notes)
    assert any("one level" in note for note in found.notes)


def test_nothing_varies() -> None:
    found = split_variance(Crossed(np.ones(6), {"question": np.arange(6)}))
    assert found.total == 0
    assert np.isnan(found.parts[0].share)
    assert split_variance(Crossed(np.ones(1), {"question": np.zeros(1, int)})).parts == ()
