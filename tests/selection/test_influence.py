"""Leave-one-out influence, by plain loops over texts scored alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core import Study
from core.runtime.memo import forget
from core.selection import select
from core.selection.influence import blocks
from core.selection.learning.splits import ROUNDS, hold_out
from tests.selection.learning.test_splits import LABELS, label_shares
from tests.selection.pools import MANY, choice
from tests.tiny import REVIEWS, tiny


def test_influence_by_plain_loops() -> None:
    forget()
    study = Study(selection="influence", pool=MANY[:8], k=2, query="a good film", validation=3, selection_seed=4)
    rest, held = hold_out(study, range(8), 3)

    def value(places: tuple[int, ...]) -> float:
        total = 0.0
        for v in held:
            p = label_shares([MANY[i] for i in places], MANY[v].input)[LABELS.index(MANY[v].label)]
            total += math.log(p / (1 - p))
        return total / len(held)

    sets = blocks(rest, 2, np.random.default_rng([4, ROUNDS]))
    expected = {i: np.mean([value(c) - value(tuple(j for j in c if j != i)) for c in sets if i in c]) for i in rest}
    picked = select(study, tiny())
    assert picked.scores is not None
    for i in range(8):
        assert picked.scores[i] == pytest.approx(expected.get(i, np.nan), abs=1e-5, nan_ok=True)
    assert set(picked.indices) == set(sorted(expected, key=lambda i: -expected[i])[:2])
    assert picked.learned == picked.cost
    assert picked.learned.texts > 0


def test_it_is_learned_once_for_every_query() -> None:
    forget()
    first = choice("influence", MANY[:8], 3, validation=2)
    again = choice("influence", MANY[:8], 3, validation=2, query="a bird")
    assert first.indices == again.indices
    assert again.cost.passes == 0
    assert again.learned == first.learned
    assert choice("influence", MANY[:8], 3, validation=2, selection_seed=1).cost.passes > 0


@pytest.mark.parametrize(("n", "size"), [(5, 2), (6, 3), (7, 7), (4, 1)])
def test_every_place_is_in_a_set(n: int, size: int) -> None:
    sets = blocks(list(range(n)), size, np.random.default_rng(0))
    assert all(len(set(chosen)) == size for chosen in sets)
    assert len(set(sets)) == len(sets)
    assert {i for chosen in sets for i in chosen} == set(range(n))


def test_nothing_to_measure_on() -> None:
    picked = choice("influence", REVIEWS[:1] * 5, 2)
    assert picked.indices == (0, 1)
    assert picked.notes == (
        "No held-out input can tell the candidates apart, so influence chose the first in the pool.",
    )
