"""Total variation and KL over names that need not be the same, against plain loops and textbook cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.compare import align

NAMES = "abcdef"


def distributions() -> st.SearchStrategy[dict[str, float]]:
    weights = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9), min_size=1).filter(lambda d: any(d.values()))
    return weights.map(lambda d: {name: w / sum(d.values()) for name, w in d.items()})


@given(distributions(), distributions())
def test_every_name_once_with_its_two_values(a: dict[str, float], b: dict[str, float]) -> None:
    aligned = align(list(a), list(a.values()), list(b), list(b.values()))
    assert list(aligned.names) == list(a) + [name for name in b if name not in a]
    for name, x, y, change in zip(aligned.names, aligned.a, aligned.b, aligned.change, strict=True):
        assert (math.isnan(x), math.isnan(y)) == (name not in a, name not in b)
        if name in a and name in b:
            assert (x, y, change) == (a[name], b[name], b[name] - a[name])
        else:
            assert math.isnan(change)
    assert aligned.only_a == tuple(name for name in a if name not in b)
    assert aligned.only_b == tuple(name for name in b if name not in a)


@given(distributions(), distributions())
def test_distances_are_those_of_the_shared_names(a: dict[str, float], b: dict[str, float]) -> None:
    aligned = align(list(a), list(a.values()), list(b), list(b.values()))
    shared = [name for name in a if name in b]
    mass_a, mass_b = sum(a[name] for name in shared), sum(b[name] for name in shared)
    if set(a) != set(b) and (len(shared) < 2 or mass_a == 0 or mass_b == 0):
        assert math.isnan(aligned.total_variation)
        assert math.isnan(aligned.kl_from_a)
        return
    p, q = [a[name] / mass_a for name in shared], [b[name] / mass_b for name in shared]
    assert aligned.total_variation == pytest.approx(sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2)
    for one, other, found in ((p, q, aligned.kl_from_a), (q, p, aligned.kl_from_b)):
        if any(x > 0 and y == 0 for x, y in zip(one, other, strict=True)):
            assert found == math.inf
        else:
            expected = sum(x * math.log(x / y) for x, y in zip(one, other, strict=True) if x > 0)
            assert found == pytest.approx(expected, abs=1e-12)


def test_textbook_values() -> None:
    fair, biased = [0.5, 0.5], [0.9, 0.1]
    aligned = align("HT", fair, "TH", biased[::-1])
    assert aligned.total_variation == pytest.approx(0.4)
    assert aligned.kl_from_a == pytest.approx(math.log(5 / 3))  # ½ ln(.5/.9) + ½ ln(.5/.1) = −½ ln .36
    assert aligned.kl_from_b == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2))


def test_a_name_that_comes_twice_meets_its_repetition() -> None:
    aligned = align(["t", "t"], [0.3, 0.7], ["t", "t", "t"], [0.2, 0.5, 0.3])
    np.testing.assert_allclose(aligned.change[:2], [-0.1, -0.2])
    assert math.isnan(aligned.change[2])


def test_conditioning_a_softmax_on_fewer_candidates_is_the_softmax_of_those() -> None:
    """What `total_variation` rests on where a side has candidates of its own."""
    scores = {"a": 0.3, "b": -1.0, "c": 2.0}

    def softmax(names: str) -> list[float]:
        total = sum(math.exp(scores[name]) for name in names)
        return [math.exp(scores[name]) / total for name in names]

    assert align("abc", softmax("abc"), "ab", softmax("ab")).total_variation == pytest.approx(0, abs=1e-15)
