"""The line of those who wait: turns between visitors, equal requests done once, places, cancelling, loads apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from core.errors import Cancelled
from core.runtime.progress import Progress, Stop, check, counting
from pages.ui.jobs import jobs, view
from pages.ui.jobs.jobs import Job
from pages.ui.jobs.line import Line


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Office:
    """A line whose work goes on until it is told to end, and who began in which order."""

    def __init__(self, threads: int, each: int) -> None:
        self.line = Line("test", threads, each)
        self.began: list[str] = []
        self.ends: dict[str, threading.Event] = {}

    def ask(self, visitor: str, key: str, first: bool = False) -> Job[Any]:
        """A visitor's job, whose result is its key."""
        end = self.ends.setdefault(key, threading.Event())

        def work(stop: Stop) -> str:
            self.began.append(key)
            while not end.wait(0.001):
                check(stop)
            return key

        job: Job[Any] = Job(key, self.line, visitor)
        self.line.join(job, work, first)
        return job

    def begun(self, *keys: str) -> None:
        wait_until(lambda: self.began == list(keys))

    def end(self, *keys: str) -> None:
        for key in keys:
            self.ends[key].set()

    def all_in_turn(self) -> str:
        """End one after the other whatever has begun; who began in which order."""
        ended: set[str] = set()
        while self.line._tasks:
            wait_until(lambda: bool(set(self.began) - ended) or not self.line._tasks)
            for key in [key for key in self.began if key not in ended][:1]:
                ended.add(key)
                self.end(key)
                wait_until(lambda key=key: key not in self.line._tasks)
        return "".join(self.began)


@pytest.fixture
def office() -> Iterator[Callable[[int, int], Office]]:
    made: list[Office] = []

    def make(threads: int, each: int) -> Office:
        made.append(Office(threads, each))
        return made[-1]

    yield make
    for one in made:
        one.end(*one.ends)


def test_visitors_take_turns_however_many_jobs_one_of_them_has(office) -> None:
    one = office(1, 1)
    for key in "abcde":
        one.ask("first", key)
    one.begun("a")
    for key in "xy":
        one.ask("second", key)
    one.ask("third", "p")
    assert one.all_in_turn() == "abxpcyde"


def test_no_visitor_has_all_the_threads(office) -> None:
    one = office(3, 2)
    for key in "abcd":
        one.ask("first", key)
    one.begun("a", "b")
    one.ask("second", "x")
    one.begun("a", "b", "x")
    time.sleep(0.05)
    assert one.began == ["a", "b", "x"]
    one.end("x")
    time.sleep(0.05)
    assert one.began == ["a", "b", "x"], "the third thread is not the first visitor's"
    one.end("a")
    one.begun("a", "b", "x", "c")


def test_what_was_cancelled_and_has_not_stopped_counts_for_nobody(office) -> None:
    """A download that cannot be stopped on its way does not keep its visitor from another load."""
    one = office(2, 1)
    stuck, go_on = threading.Event(), threading.Event()

    def deaf(stop: Stop) -> None:
        stuck.set()
        go_on.wait(10)
        check(stop)

    job: Job[Any] = Job("deaf", one.line, "first")
    one.line.join(job, deaf)
    assert stuck.wait(10)
    job.cancel()
    assert job.cancelling
    one.ask("first", "a")
    one.begun("a")
    go_on.set()
    with pytest.raises(Cancelled):
        job.future.result(10)


def test_a_place_in_the_queue_is_the_order_in_which_it_moves(office) -> None:
    one = office(1, 1)
    running = one.ask("first", "a")
    one.begun("a")
    waiting = [one.ask(visitor, key) for visitor, key in (("first", "b"), ("first", "c"), ("second", "x"))]
    assert running.place is None
    assert [job.place for job in waiting] == [(1, 3), (3, 3), (2, 3)]
    assert view.said(waiting[2], "orders") == "orders … 2nd of 3 in the queue"
    assert waiting[2].seconds_left is None
    urgent = one.ask("first", "z", first=True)
    assert [job.place for job in (urgent, *waiting)] == [(1, 4), (3, 4), (4, 4), (2, 4)]
    waiting[0].cancel()
    assert [job.place for job in (urgent, waiting[2], waiting[1])] == [(1, 3), (2, 3), (3, 3)]
    assert one.all_in_turn() == "azxc"


def test_time_waited_is_not_time_worked(office) -> None:
    one = office(1, 1)
    one.ask("first", "a")
    one.begun("a")
    job = one.ask("second", "x")
    job.asked -= 100
    job.started -= 100
    one.end("a")
    one.begun("a", "x")
    assert job.seconds < 50 < job.age
    assert view.said(job, "orders") == f"orders … {round(job.seconds)} s"


def test_equal_requests_are_one_piece_of_work_at_the_earliest_turn(office) -> None:
    one = office(1, 1)
    one.ask("first", "a")
    one.begun("a")
    far = [one.ask("first", key) for key in "bcd"][-1]
    same = one.ask("second", "d")  # his first, and so the second that begins
    assert far.place == same.place == (2, 3)
    assert one.all_in_turn() == "abdc"
    assert (far.future.result(), same.future.result()) == ("d", "d")


def test_who_joins_late_hears_how_far_it_is(office) -> None:
    line, go_on = Line("test", 1, 1), threading.Event()

    def work(stop: Stop) -> str:
        with counting(4, "orders") as advance:
            advance(1)
            go_on.wait(10)
        return "done"

    first: Job[Any] = Job("same", line, "first")
    line.join(first, work)
    wait_until(lambda: first.progress.share == 0.25)
    second: Job[Any] = Job("same", line, "second")
    line.join(second, work)
    assert second.progress == first.progress == Progress(0.25, 1, 4, "orders")
    assert second.started == first.started
    go_on.set()
    assert first.future.result(10) == second.future.result(10) == "done"
    assert second.progress.share == 1.0


def test_one_of_two_who_cancels_leaves_the_other_his(office) -> None:
    one = office(1, 1)
    first, second = one.ask("first", "a"), one.ask("second", "a")
    one.begun("a")
    first.cancel()
    assert first.done
    with pytest.raises(CancelledError):
        first.future.result()
    time.sleep(0.02)
    assert not second.done
    one.end("a")
    assert second.future.result(10) == "a"
    assert one.began == ["a"]


def test_the_last_who_cancels_ends_it_and_who_asks_then_begins_anew(office) -> None:
    one = office(1, 1)
    first, second = one.ask("first", "a"), one.ask("second", "a")
    one.begun("a")
    first.cancel()
    second.cancel()
    third = one.ask("third", "a")
    with pytest.raises(Cancelled):
        second.future.result(10)
    one.begun("a", "a")
    one.end("a")
    assert third.future.result(10) == "a"


def test_what_waits_and_is_cancelled_never_begins(office) -> None:
    one = office(1, 1)
    one.ask("first", "a")
    one.begun("a")
    both = [one.ask("second", "x"), one.ask("third", "x")]
    both[0].cancel()
    assert both[1].place == (1, 1), "the other still waits for it"
    both[1].cancel()
    assert all(job.future.cancelled() for job in both)
    one.ask("second", "y")
    assert one.all_in_turn() == "ay"


def test_an_error_is_everybodys(office) -> None:
    line = Line("test", 1, 1)

    def work(stop: Stop) -> None:
        raise ValueError("no")

    asked = [Job("same", line, name) for name in ("first", "second")]
    for job in asked:
        line.join(job, work)
    for job in asked:
        with pytest.raises(ValueError, match="no"):
            job.future.result(10)


def test_loads_wait_apart_from_analyses(monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()

    def work(stop: Stop) -> str:
        while not end.wait(0.001):
            check(stop)
        return threading.current_thread().name

    monkeypatch.setattr(jobs.store, "visitor", lambda: "one")
    monkeypatch.setattr(jobs, "_keep", lambda job: None)
    waiting = [jobs.submit(f"analysis {number}", work) for number in range(jobs.WORKERS + 2)]
    try:
        load = jobs.submit("load", work, load=True)
        wait_until(lambda: load.place is None)
        assert waiting[-1].place is not None
    finally:
        end.set()
    assert load.future.result(10).startswith("iclens-load")
    assert all(job.future.result(10).startswith("iclens-job") for job in waiting)


def test_ordinals() -> None:
    found = [view.ordinal(number) for number in (1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 101, 111)]
    assert found == ["1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "21st", "22nd", "101st", "111th"]
