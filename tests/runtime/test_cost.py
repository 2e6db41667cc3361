"""Counting passes, and keeping what was learned."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.errors import Cancelled
from core.runtime.cost import Cost, count, metered
from core.runtime.memo import MOST, forget, learned
from tests.tiny import tiny


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    forget()
    yield
    forget()


def test_passes_and_texts_are_counted_where_they_happen() -> None:
    model = tiny()
    with metered() as outer:
        model.score([("the film ->", " good"), ("the film ->", " bad")])
        with metered() as inner:
            model.embed(["a film", "a plot", "a film"])
            model.next_logprobs(["a film"])
    assert inner.spent.texts == 4
    assert outer.spent.texts == 6
    assert 0 < inner.spent.passes < outer.spent.passes <= 6
    with metered() as after:
        pass
    assert after.spent == Cost()


def test_other_threads_are_not_counted() -> None:
    with metered() as meter:
        thread = threading.Thread(target=count, kwargs={"passes": 5})
        thread.start()
        thread.join()
    assert meter.spent == Cost()


def test_a_cost_in_words() -> None:
    assert str(Cost(1, 1)) == "1 forward pass over 1 text"
    assert str(Cost(1200, 3, 40)) == "1,200 forward passes and 40 back over 3 texts"


def test_the_same_is_learned_once_and_its_cost_is_told_again() -> None:
    calls = []

    def learn() -> list[int]:
        calls.append(1)
        count(passes=3, texts=7)
        return [1]

    with metered() as first:
        value = learned(("a", 1), learn)
    with metered() as second:
        assert learned(("a", 1), learn) is value
    learned(("a", "1"), learn)
    assert len(calls) == 2
    assert first.learned == second.learned == Cost(3, 7)
    assert first.spent == Cost(3, 7)
    assert second.spent == Cost()


def test_what_is_cancelled_is_not_kept() -> None:
    def broken() -> int:
        raise Cancelled

    with pytest.raises(Cancelled):
        learned("x", broken)
    assert learned("x", lambda: 5) == 5


def test_two_threads_learn_once_and_the_one_that_waits_can_be_cancelled() -> None:
    begun, go, calls = threading.Event(), threading.Event(), []

    def slow() -> int:
        calls.append(1)
        begun.set()
        go.wait(5)
        return 1

    thread = threading.Thread(target=lambda: learned("y", slow))
    thread.start()
    assert begun.wait(5)
    with pytest.raises(Cancelled):
        learned("y", slow, stop=lambda: True)
    go.set()
    assert learned("y", slow) == 1
    thread.join()
    assert len(calls) == 1


def test_the_longest_unused_goes_first() -> None:
    for number in range(MOST + 1):
        learned(("n", number), lambda: 0)
        learned(("n", 0), lambda: 1)
    assert learned(("n", 0), lambda: 2) == 0
    assert learned(("n", 1), lambda: 2) == 2
