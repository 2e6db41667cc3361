"""A lock in turns: who waited longest is next, people come before patient work, and that comes on all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest

from core.runtime.turns import AHEAD, Turns, patient


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextmanager
def in_line(turns: Turns, names: str) -> Iterator[list[str]]:
    """While the block holds it, a thread for each name waits: capitals are patient. Yields who had it, in order."""
    had: list[str] = []

    def take(name: str) -> None:
        with patient() if name.isupper() else nullcontext(), turns:
            had.append(name)

    threads = [threading.Thread(target=take, args=(name,)) for name in names]
    with turns:
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_until(lambda number=number: turns.waiting == number)
        yield had
    for thread in threads:
        thread.join(10)


def test_who_waited_longest_is_next() -> None:
    with in_line(Turns(), "abcdefgh") as had:
        pass
    assert had == list("abcdefgh")


def test_people_come_before_patient_work_and_a_turn_in_five_is_its() -> None:
    assert AHEAD == 4
    with in_line(Turns(), "ABabcdefghij") as had:
        pass
    assert "".join(had) == "abcdAefghBij"


def test_who_lets_go_and_asks_again_at_once_goes_behind() -> None:
    """With a plain lock a loop takes it again before anybody else has woken."""
    turns, had = Turns(), []
    with in_line(turns, "x") as others:
        turns.release()
        turns.acquire()  # behind the one who waited
        had = list(others)
    assert had == ["x"]


def test_its_thread_may_take_it_again() -> None:
    turns = Turns()
    free: list[bool] = []

    def ask() -> None:
        free.append(turns.acquire(blocking=False))
        if free[-1]:
            turns.release()

    def other() -> None:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    with turns:
        with turns:
            other()
        other()
    other()
    assert free == [False, False, True]


def test_only_its_thread_lets_go() -> None:
    with pytest.raises(RuntimeError):
        Turns().release()


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(), 0, 0

    def work(number: int) -> None:
        nonlocal inside, most
        with patient() if number % 2 else nullcontext():
            for _ in range(300):
                with turns:
                    inside += 1
                    most = max(most, inside)
                    inside -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (most, turns.waiting, turns.acquire(blocking=False)) == (1, 0, True)


def test_one_that_is_interrupted_while_it_waits_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns()

    class Broken:
        def acquire(self) -> None:
            raise KeyboardInterrupt

    with in_line(turns, "a") as had:
        failed: list[str] = []

        def interrupted() -> None:
            monkeypatch.setattr(
                "core.runtime.turns._Waiting.__post_init__", lambda self: setattr(self, "gate", Broken())
            )
            try:
                turns.acquire()
            except KeyboardInterrupt:
                failed.append("interrupted")

        thread = threading.Thread(target=interrupted)
        thread.start()
        thread.join(10)
        assert (failed, turns.waiting) == (["interrupted"], 1)
    assert had == ["a"]
