"""The domain of long sums: exact Bayes against plain dictionaries over its four maps, and its inputs in two halves."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest

from core.mixture.codebook import ALPHA
from core.mixture.domain import IN_RANGE, NOISE, STRAY, EnumeratedDomain
from core.mixture.families import KIND_PRIOR
from core.mixture.mixture import load_mixture
from core.pretraining.teacher import _codebook_inputs

MIXTURE = load_mixture()
ANY = MIXTURE.anything
BLOCK = next(block for block in MIXTURE.blocks if block.domain.name == "long sums")
DOMAIN = BLOCK.domain


def sums_by_hand() -> dict[str, tuple[int, ...]]:
    """Every input and its addends."""
    return {
        " + ".join(map(str, addends)): addends
        for count in (3, 4)
        for addends in itertools.product(range(1, 10), repeat=count)
    }


INPUTS = sums_by_hand()
MAPS = {
    "total": (2.0, lambda a: sum(a)),
    "long sums: largest": (0.4, lambda a: max(a)),
    "long sums: first": (0.3, lambda a: a[0]),
    "long sums: last": (0.3, lambda a: a[-1]),
}


def joint(demonstrations: list[tuple[str, str]]) -> dict[str, float]:
    """P(T) Π p(x, y|T) of the four maps, written out from the definition."""
    out = {}
    for family, (weight, function) in MAPS.items():
        reached = {str(function(addends)) for addends in INPUTS.values()}
        value = 0.04 * (1 - KIND_PRIOR["codebook"]) * weight / 3.0
        for x, y in demonstrations:
            p_x = 0.0
            if x in INPUTS:
                p_x = 0.5 / (9**3 if len(INPUTS[x]) == 3 else 9**4)
            noise = IN_RANGE * (y in reached) / len(reached) + (1 - IN_RANGE) * math.exp(ANY.log_text(y))
            p_y = (1 - NOISE) * (str(function(INPUTS[x])) == y) + NOISE * noise if x in INPUTS else noise
            value *= ((1 - STRAY) * p_x + STRAY * math.exp(ANY.log_text(x))) * p_y
        out[family] = value
    return out


@pytest.mark.parametrize(
    "demonstrations",
    [
        [],
        [("2 + 3 + 4", "9"), ("1 + 1 + 1 + 6", "9")],
        [("9 + 2 + 3", "9"), ("8 + 1 + 8 + 8", "8")],
        [("5 + 2 + 7", "7"), ("dog", "9"), ("4 + 4 + 4", "4")],
        [("2 + 3 + 4", "5"), ("3 + 3", "6")],
    ],
)
def test_posterior_equals_brute_force(demonstrations: list[tuple[str, str]]) -> None:
    weights, _ = MIXTURE.posterior(demonstrations)
    by_hand = joint(demonstrations)
    ours = {family: weights[-1, MIXTURE.families.index(family)] for family in by_hand}
    total, mine = sum(by_hand.values()), sum(ours.values())
    for family, value in by_hand.items():
        assert ours[family] / mine == pytest.approx(value / total, rel=1e-9), family


def test_prior_and_families() -> None:
    share = sum(f.prior for f in MIXTURE.details if f.domain == "long sums")
    assert share == pytest.approx(0.04)
    assert sum(block.domain.prior for block in MIXTURE.blocks) == pytest.approx(1)
    assert [f.name for f in DOMAIN.families] == list(MAPS)


def test_predictive_equals_brute_force() -> None:
    shown, query = [("9 + 2 + 3", "9")], "4 + 4 + 9"
    labels = ["17", "9", "4"]
    by_hand = np.zeros(len(labels))
    for j, y in enumerate(labels):
        by_hand[j] = sum(joint([*shown, (query, y)]).values())
    ours = MIXTURE.predictive(shown, query, labels)[-1]
    # The codebook and the strays of other domains hold a little of the mass.
    assert ours / ours.sum() == pytest.approx(by_hand / by_hand.sum(), abs=2e-3)


def test_inputs_are_distributions() -> None:
    assert isinstance(DOMAIN, EnumeratedDomain)
    assert set(DOMAIN.inputs) == set(INPUTS)
    p = np.exp([DOMAIN.log_input(x) for x in DOMAIN.inputs])
    assert p.sum(axis=0) == pytest.approx(1)
    base = np.exp([DOMAIN.log_base(x) for x in DOMAIN.inputs])
    assert base.sum() == pytest.approx(1)
    assert base == pytest.approx(p[:, 0])


def test_either_length_comes_half_of_the_time() -> None:
    rng = random.Random(2)
    for draw in (lambda: DOMAIN.draw(0, rng)[0], lambda: DOMAIN.draw_input(rng)):
        counts = Counter(len(INPUTS[draw()]) for _ in range(2000))
        assert counts[3] / 2000 == pytest.approx(0.5, abs=4 * (0.25 / 2000) ** 0.5)


def test_draws_are_answered_rightly() -> None:
    rng = random.Random(4)
    for latent, (_, function) in enumerate(MAPS.values()):
        for _ in range(50):
            x, y = DOMAIN.draw(latent, rng)
            assert y == str(function(INPUTS[x]))


def test_codebook_inputs_follow_its_urn() -> None:
    """p(x, y | history) summed over the domain's inputs is what they hold of p(y | history)."""
    assert isinstance(DOMAIN, EnumeratedDomain)
    book = BLOCK.codebooks[0]
    state = book.fresh().after("2 + 3 + 4", "foo").after("1 + 1 + 1 + 1", "bar")
    mass = _codebook_inputs(DOMAIN, state, "foo")
    assert mass[DOMAIN.place("2 + 3 + 4")] == pytest.approx(
        state.input_probability("2 + 3 + 4") * state.label_probability("2 + 3 + 4", "foo")
    )
    fresh = "9 + 9 + 9"
    # Beside the stray that the base holds too.
    stray = STRAY * math.exp(ANY.log_text(fresh)) * ALPHA / (ALPHA + state.count)
    expected = (state.input_probability(fresh) - stray) * state.label_probability(fresh, "foo")
    assert mass[DOMAIN.place(fresh)] == pytest.approx(expected, rel=1e-9)
