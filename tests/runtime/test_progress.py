"""Progress from deep inside: parts of parts, never backwards, nothing where nobody listens."""

from __future__ import annotations

import threading

import pytest

from core.runtime.progress import advance, part, reporting


def test_parts_of_parts() -> None:
    told: list[float] = []
    with reporting(told.append):
        with part(0.0, 0.5):
            advance(0.5)
            with part(0.5, 1.0):
                advance(0.5)
        with part(0.5, 1.0):
            advance(1.0)
    assert told == [0.25, 0.375, 0.5, 1.0]


def test_nothing_goes_back_and_nothing_is_heard_outside_parts() -> None:
    told: list[float] = []
    with reporting(told.append):
        advance(0.9)  # of what?
        with part(0.0, 1.0):
            advance(0.6)
            advance(0.3)
    assert told == [0.6, 1.0]


def test_nobody_listens() -> None:
    with reporting(None), part(0.0, 1.0):
        advance(0.5)
    advance(0.5)


def test_an_error_ends_the_part_without_saying_that_it_is_done() -> None:
    told: list[float] = []

    def fail() -> None:
        with reporting(told.append), part(0.0, 0.5):
            advance(0.5)
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    with part(0.0, 1.0):  # nobody listens any more
        advance(1.0)
    assert told == [0.25]


def test_threads_do_not_hear_each_other() -> None:
    told: list[float] = []

    def other() -> None:
        with part(0.0, 1.0):
            advance(0.7)

    with reporting(told.append), part(0.0, 1.0):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert told == []
