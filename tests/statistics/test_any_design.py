"""Designs of any shape, sparse and unbalanced: every answer is a number with its interval, or says why it is none."""

from __future__ import annotations

import numpy as np
import pytest

from core.statistics.comparisons import compare, sentence
from core.statistics.components import split_variance
from core.statistics.crossed import Crossed
from core.statistics.estimates import mean_of
from core.statistics.permutation import permutation


def drawn(rng: np.random.Generator) -> Crossed:
    factors, items = int(rng.integers(1, 5)), int(rng.integers(1, 40))
    levels = {f"f{i}": rng.integers(0, rng.integers(1, 7), items) for i in range(factors)}
    nested = {"f1": "f0"} if factors > 1 and rng.random() < 0.3 else {}
    binary = rng.random() < 0.6
    values = rng.integers(0, 2, items).astype(float) if binary else rng.normal(size=items)
    return Crossed(values, levels, nested, (0.0, 1.0) if binary else None)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_breaks_and_no_interval_is_a_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(100):
        one = drawn(rng)
        other = Crossed(rng.permutation(one.values), one.factors, one.nested, one.span)
        found = mean_of(one)
        if np.isnan(found.low):
            assert found.notes
        else:
            assert found.low <= found.mean <= found.high
            assert found.high - found.low > 1e-9
        test = permutation(one, draws=19)
        assert (0 < test.p <= 1) or test.why
        shares = [part.share for part in split_variance(one).parts]
        assert np.isnan(shares).all() or np.nansum(shares) == pytest.approx(1.0)
        said = sentence("a", "b", compare(one, other, draws=19))
        assert said.text
        assert not (said.shown and said.refused)
