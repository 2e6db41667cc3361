"""Properties that every ordering of the registry has, whatever is chosen from wherever."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import Chosen, Demonstration, Study
from core.ordering import order, orderings
from core.ordering.trials import MAX_PERMUTATIONS
from tests.tiny import REVIEWS, rows, tiny

EXTRA = rows([("a film", "positive"), ("the dog", "negative"), ("the bad bird", "negative"), ("a house", "positive")])
POOL = (*REVIEWS, *EXTRA, *REVIEWS[:2])  # two inputs twice
LABELS = ("positive", "negative")
TRIED = {"globale", "locale", "mdl", "best", "worst"}


def study(name: str, **more: Any) -> Study:
    return Study(ordering=name, pool=POOL, query="a good film", labels=LABELS, probes=3, **more)


def from_pool(name: str, places: tuple[int, ...], **more: Any) -> Chosen:
    return order(study(name, **more), tiny(), Chosen("pool", places))


@pytest.mark.parametrize("name", orderings.names())
@settings(max_examples=6)
@given(places=st.sets(st.integers(0, len(POOL) - 1), max_size=6), seed=st.integers(0, 99))
def test_the_chosen_in_another_order_and_the_same_again(name: str, places: set[int], seed: int) -> None:
    chosen = tuple(sorted(places))
    found = from_pool(name, chosen, ordering_seed=seed)
    assert sorted(found.indices) == list(chosen)
    assert found.indices == from_pool(name, chosen, ordering_seed=seed).indices
    assert (found.source, found.left_out) == ("pool", ())


@pytest.mark.parametrize("name", orderings.names())
@pytest.mark.parametrize("places", [(), (3,)], ids=["none", "one"])
def test_with_none_or_one_there_is_nothing_to_order(name: str, places: tuple[int, ...]) -> None:
    found = from_pool(name, places)
    assert found.indices == places
    assert found.order_scores is None


@pytest.mark.parametrize("name", sorted(set(orderings.names()) - {"random", "nearest-last"}))
def test_equal_demonstrations_stay_as_given(name: str) -> None:
    """Every order of them reads the same; nearest last is by definition the reverse of nearest first, ties included."""
    table = (REVIEWS[0],) * 3
    found = order(study(name, demonstrations=table), tiny(), Chosen("demonstrations", (0, 1, 2)))
    assert found.indices == (0, 1, 2)


@pytest.mark.parametrize("name", sorted(TRIED))
@pytest.mark.parametrize(("k", "count"), [(2, 2), (3, 6), (4, 24), (5, MAX_PERMUTATIONS), (6, MAX_PERMUTATIONS)])
def test_every_order_tried_has_a_score_and_the_one_taken_the_highest(name: str, k: int, count: int) -> None:
    found = from_pool(name, tuple(range(k)), probe_source="pool")
    assert found.order_scores is not None
    assert found.order_scores.shape == (count,)
    assert np.isfinite(found.order_scores).all()


@pytest.mark.parametrize("name", orderings.names())
def test_the_order_depends_on_what_is_read_alone(name: str) -> None:
    """A field that the ordering does not name in `reads` changes nothing."""
    others = {"ordering_seed": 7, "probes": 2, "encoder": "tfidf"}
    unread = {field: value for field, value in others.items() if field not in orderings.find(name).reads}
    before = study(name, encoder="hidden")
    after = before.model_copy(update=unread)
    chosen = Chosen("pool", (0, 3, 5))
    assert order(before, tiny(), chosen).indices == order(after, tiny(), chosen).indices


@pytest.mark.parametrize("name", orderings.names())
@pytest.mark.parametrize("shots", [0, 1, 2])
def test_shots_are_the_first_of_the_order(name: str, shots: int) -> None:
    whole = from_pool(name, (0, 3, 5)).indices
    found = from_pool(name, (0, 3, 5), shots=shots)
    assert (found.indices, found.left_out) == (whole[:shots], whole[shots:])


@pytest.mark.parametrize("name", orderings.names())
def test_demonstrations_that_the_model_wrote(name: str) -> None:
    written = (Demonstration(input="a good plot", label="positive"), Demonstration(input="a bad dog", label="negative"))
    found = order(study(name), tiny(), Chosen("generated", (0, 1), generated=written))
    assert sorted(found.indices) == [0, 1]
    assert found.generated == written
