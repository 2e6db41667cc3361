"""Crossed designs: pairing against a plain loop, sums of squares and their expectations against explicit matrices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from core.statistics.crossed import Crossed, differences, drawn_of, numbered, refines, sums_of, terms_of

Table = dict[tuple[int, ...], float]


def grid(sizes: dict[str, int], missing: float = 0.0, seed: int = 0, nested: dict[str, str] | None = None) -> Crossed:
    rng = np.random.default_rng(seed)
    places = np.indices(tuple(sizes.values())).reshape(len(sizes), -1)
    kept = rng.random(places.shape[1]) >= missing
    factors = {name: row[kept] for name, row in zip(sizes, places, strict=True)}
    return Crossed(rng.normal(size=int(kept.sum())), factors, nested or {})


def rows(crossed: Crossed) -> Iterator[tuple[dict[str, int], float]]:
    for i, value in enumerate(crossed.values):
        yield {name: int(levels[i]) for name, levels in crossed.factors.items()}, float(value)


@pytest.mark.parametrize(
    ("values", "levels", "span", "why"),
    [
        ([], [], None, "no outcome"),
        ([1.0, np.nan], [0, 1], None, "leave out what failed"),
        ([1.0, 2.0], [0, 1], (0.0, 1.0), "from 0 to 1"),
        ([1.0, 0.0], [0], None, "for every outcome"),
        ([1.0, 0.0], [0.5, 1.0], None, "whole number"),
    ],
)
def test_what_is_no_experiment_is_refused(
    values: list[float], levels: list[float], span: tuple[float, float] | None, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        Crossed(np.array(values), {"question": np.array(levels)}, span=span)


def test_a_factor_is_drawn_within_another_one() -> None:
    with pytest.raises(ValueError, match="within"):
        Crossed(np.ones(2), {"order": np.arange(2)}, {"order": "demonstrations"})


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_pairs_are_those_of_a_plain_loop(missing: float) -> None:
    a = grid({"question": 7, "demonstrations": 4}, missing, seed=1)
    b = grid({"demonstrations": 5, "question": 6, "order": 3}, missing, seed=2, nested={"order": "demonstrations"})
    found = differences(a, b)
    of_a = {(one["question"], one["demonstrations"]): value for one, value in rows(a)}
    expected: Table = {
        (one["question"], one["demonstrations"], one["order"]): value - of_a[one["question"], one["demonstrations"]]
        for one, value in rows(b)
        if (one["question"], one["demonstrations"]) in of_a
    }
    assert len(found.values) == len(expected)
    for one, value in rows(found):
        assert value == pytest.approx(expected[one["question"], one["demonstrations"], one["order"]])
    assert found.nested == {"order": "demonstrations"}


def test_what_shares_nothing_is_not_paired() -> None:
    a, b = grid({"question": 3}), grid({"seed": 3})
    with pytest.raises(ValueError, match="share nothing"):
        differences(a, b)
    with pytest.raises(ValueError, match="no item with the same question"):
        differences(a, Crossed(np.ones(2), {"question": np.array([7, 8])}))


def test_the_span_of_a_difference() -> None:
    shares = Crossed(np.array([0.0, 1.0]), {"question": np.arange(2)}, span=(0.0, 1.0))
    assert differences(shares, shares).span == (-1.0, 1.0)
    assert differences(shares, grid({"question": 2})).span is None


def test_orders_within_sets_are_covered_by_the_sets() -> None:
    found = drawn_of(grid({"question": 5, "demonstrations": 4, "order": 3}, nested={"order": "demonstrations"}))
    assert set(found.top) == {"question", "demonstrations"}
    assert found.within == {"order": "demonstrations"}
    assert found.counts == {"question": 5, "demonstrations": 4, "order": 12}


def test_orders_of_a_single_set_are_drawn_and_the_set_is_not() -> None:
    found = drawn_of(grid({"question": 5, "demonstrations": 1, "order": 3}, nested={"order": "demonstrations"}))
    assert set(found.top) == {"question", "order"}
    assert found.fixed == ("demonstrations",)


def test_sets_drawn_anew_for_every_question_are_covered_by_it_and_twins_by_the_first() -> None:
    question = np.repeat(np.arange(6), 2)
    alone = Crossed(np.arange(12.0), {"question": question, "demonstrations": np.arange(12)})
    assert drawn_of(alone).within == {"demonstrations": "question"}
    seed = np.tile(np.arange(2), 6)
    twins = Crossed(np.arange(12.0), {"question": question, "seed": seed, "demonstrations": 1 - seed})
    assert drawn_of(twins).within == {"demonstrations": "seed"}


def test_mean_squares_of_a_balanced_table_are_the_textbooks() -> None:
    sets, questions = 4, 7
    table = np.random.default_rng(3).normal(size=(sets, questions))
    places = np.indices(table.shape).reshape(2, -1)
    sums = sums_of(table.ravel(), terms_of({"s": places[0], "q": places[1]}))
    assert sums.terms == (("s",), ("q",), ("s", "q"))
    mean = table.mean()
    by_set, by_question = table.mean(axis=1), table.mean(axis=0)
    rest = table - by_set[:, None] - by_question + mean
    expected = [questions * ((by_set - mean) ** 2).sum(), sets * ((by_question - mean) ** 2).sum(), (rest**2).sum()]
    assert sums.squares == pytest.approx(expected)
    assert sums.freedom.tolist() == [sets - 1, questions - 1, (sets - 1) * (questions - 1)]
    ms = sums.squares / sums.freedom
    assert sums.components == pytest.approx([(ms[0] - ms[2]) / questions, (ms[1] - ms[2]) / sets, ms[2]])
    assert sums.weights @ sums.squares == pytest.approx((ms[0] + ms[1] - ms[2]) / table.size)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_expectations_of_sums_of_squares_are_traces(missing: float) -> None:
    """E[yᵀ A y] = Σ_v σ²_v tr(A Z_v Z_vᵀ), with A from explicit projections and Z from dummy variables."""
    crossed = grid({"a": 3, "b": 4, "c": 2}, missing, seed=5)
    terms = terms_of({name: numbered(levels) for name, levels in crossed.factors.items()})
    sums = sums_of(crossed.values, terms)
    size = len(crossed.values)
    dummies = [np.eye(int(codes.max()) + 1)[codes] for codes in terms.codes]
    forms: list[np.ndarray] = []
    for u, z in enumerate(dummies):
        form = z @ np.diag(1 / z.sum(axis=0)) @ z.T - np.full((size, size), 1 / size)
        forms.append(form - sum((forms[v] for v in terms.below[u]), np.zeros((size, size))))
        for v, other in enumerate(dummies):
            assert sums.expected[u, v] == pytest.approx(np.trace(forms[u] @ other @ other.T), abs=1e-9)
        assert sums.squares[u] == pytest.approx(max(crossed.values @ forms[u] @ crossed.values, 0.0), abs=1e-9)
        assert sums.share[u] == pytest.approx((z.sum(axis=0) ** 2).sum() / size**2)
        if missing == 0:
            assert sums.freedom[u] == pytest.approx(np.trace(forms[u]))


def test_the_variance_of_the_mean_is_unbiased_with_missing_items() -> None:
    rng = np.random.default_rng(6)
    places = np.indices((5, 12)).reshape(2, -1)[:, rng.random(60) > 0.25]
    terms = terms_of({"s": numbered(places[0]), "q": numbered(places[1])})
    means, estimates = [], []
    for _ in range(4_000):
        y = (
            0.5 * rng.normal(size=5)[places[0]]
            + 0.8 * rng.normal(size=12)[places[1]]
            + rng.normal(size=places.shape[1])
        )
        sums = sums_of(y, terms)
        means.append(y.mean())
        estimates.append(sums.weights @ sums.squares)
    assert np.mean(estimates) == pytest.approx(np.var(means), rel=0.05)


def test_what_refines_what() -> None:
    fine, coarse = np.array([0, 1, 2, 3]), np.array([0, 0, 1, 1])
    assert refines(fine, coarse)
    assert not refines(coarse, fine)
    assert refines(fine, fine)
