"""Progress from deep inside: parts and steps nest, never backwards, nothing where nobody listens."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runtime.progress import Progress, counting, part, reporting
from tests.listening import listening


def test_parts_of_parts() -> None:
    with listening() as told:
        with part(0.0, 0.5):
            with part(0.0, 0.5):
                pass
            with part(0.5, 1.0), counting(2, "texts") as advance:
                advance(1)
        with part(0.5, 1.0):
            pass
    assert told == [0.25, 0.375, 0.5, 1.0]


def test_steps_inside_steps_fill_the_unit_that_comes_next() -> None:
    with listening() as told, counting(2, "questions") as answered:
        for question in (1, 2):
            with counting(2, "passes", inner=True) as passed:
                passed(1)
                passed(2)
            answered(question)
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_units_that_are_worked_on_at_once() -> None:
    with listening() as told, counting(4, "questions", at_once=3) as answered:
        with counting(3, "passes") as passed:
            passed(1)
        answered(3)
        with counting(3, "passes") as passed:
            passed(1)
        answered(4)
    assert told == pytest.approx([0.25, 0.75, 0.75 + 0.25 / 3, 1.0])


def test_what_is_counted_is_the_outermost_thing_of_which_there_are_several() -> None:
    told: list[Progress] = []
    with reporting(told.append):
        with part(0.0, 0.5), counting(1, "studies"), counting(4, "questions") as advance:
            advance(1)
            with counting(2, "passes") as passed:
                passed(1)
        with part(0.5, 1.0):
            pass
    assert told == [
        Progress(0.125, 1, 4, "questions"),
        Progress(0.1875, 1, 4, "questions"),
        Progress(0.25, 1, 4, "questions"),
        Progress(0.5, 4, 4, "questions"),
        Progress(1.0),
    ]


def test_nothing_goes_back_and_inner_steps_are_not_heard_outside_parts() -> None:
    with listening() as told:
        with counting(10, "passes", inner=True) as advance:
            advance(9)  # of what?
        with part(0.0, 1.0), counting(10, "passes", inner=True) as advance:
            advance(6)
            advance(3)
    assert told == [0.6, 1.0]


def test_more_than_all_is_all() -> None:
    with listening() as told, counting(2, "texts") as advance:
        advance(5)
    assert told == [1.0]


def test_nobody_listens() -> None:
    with reporting(None), part(0.0, 1.0), counting(3, "texts") as advance:
        advance(2)
    with counting(0, "texts") as advance:
        advance(0)


def test_an_error_ends_the_part_without_saying_that_it_is_done() -> None:
    with listening() as told:

        def fail() -> None:
            with part(0.0, 0.5), counting(2, "texts") as advance:
                advance(1)
                raise ValueError("x")

        with pytest.raises(ValueError, match="x"):
            fail()
    with part(0.0, 1.0), counting(1, "texts") as advance:  # nobody listens any more
        advance(1)
    assert told == [0.25]


def test_threads_do_not_hear_each_other() -> None:
    def other() -> None:
        with part(0.0, 1.0), counting(2, "texts") as advance:
            advance(1)

    with listening() as told, part(0.0, 1.0):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert told == []


def test_time_left() -> None:
    assert Progress().seconds_left(3.0) is None
    assert Progress(0.25).seconds_left(3.0) == pytest.approx(9.0)
    assert Progress(1.0).seconds_left(3.0) == 0.0


TREES = st.recursive(st.just([]), lambda inner: st.lists(inner, min_size=1, max_size=3), max_leaves=12)


@given(TREES)
def test_any_nesting_rises_to_the_end(tree: list) -> None:  # type: ignore[type-arg]
    def walk(node: list) -> None:  # type: ignore[type-arg]
        with counting(len(node), "nodes") as advance:
            for done, inner in enumerate(node, start=1):
                walk(inner)
                advance(done)

    with listening() as told, part(0.0, 1.0):
        walk(tree)
    assert told == sorted(told)
    assert told[-1] == 1.0
