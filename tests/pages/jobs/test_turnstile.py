"""Who clicked first is drawn first, so many at a time; who only waits lets others through meanwhile."""

from __future__ import annotations

import threading
import time

import pytest

from pages.ui.jobs.turnstile import Turnstile


def wait_until(true, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Clicks:
    """Threads that go through a turnstile and stay until they are told to leave."""

    def __init__(self, abreast: int) -> None:
        self.turnstile = Turnstile(abreast)
        self.inside: list[str] = []
        self.leave: dict[str, threading.Event] = {}
        self.threads: list[threading.Thread] = []

    def click(self, name: str, arrived: float) -> None:
        self.leave[name] = threading.Event()

        def draw() -> None:
            with self.turnstile.through(arrived), self.turnstile.through(arrived + 1):  # a part within a part
                self.inside.append(name)
                self.leave[name].wait(10)

        before = len(self.inside) + len(self.turnstile._waiting)
        self.threads.append(threading.Thread(target=draw))
        self.threads[-1].start()
        wait_until(lambda: len(self.inside) + len(self.turnstile._waiting) > before)

    def end(self) -> None:
        for event in self.leave.values():
            event.set()
        for thread in self.threads:
            thread.join(10)


def test_who_clicked_first_goes_first_whoever_asks_first() -> None:
    clicks = Clicks(2)
    for name, arrived in (("a", 1), ("b", 2), ("late", 9), ("early", 3), ("middle", 5)):
        clicks.click(name, arrived)
    assert clicks.inside == ["a", "b"]
    for leaves, enters in (("b", "early"), ("a", "middle"), ("early", "late")):
        clicks.leave[leaves].set()
        wait_until(lambda enters=enters: clicks.inside[-1] == enters)
    clicks.end()


def test_who_waits_for_another_lets_somebody_through_and_comes_back() -> None:
    clicks = Clicks(1)
    aside, back, done = threading.Event(), threading.Event(), threading.Event()

    def draw() -> None:
        with clicks.turnstile.through(0):
            with clicks.turnstile.aside():
                aside.set()
                back.wait(10)
            done.set()

    thread = threading.Thread(target=draw)
    thread.start()
    assert aside.wait(10)
    clicks.click("a", 1)
    wait_until(lambda: clicks.inside == ["a"])
    clicks.click("b", 2)
    back.set()
    wait_until(lambda: len(clicks.turnstile._waiting) == 2)
    clicks.leave["a"].set()
    assert done.wait(10), "who clicked first comes back before b"
    wait_until(lambda: clicks.inside == ["a", "b"])
    clicks.end()
    thread.join(10)


def test_an_error_lets_the_next_through() -> None:
    turnstile = Turnstile(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="no"), turnstile.through(0):
            raise ValueError("no")
    assert turnstile._free == 1
    with turnstile.aside():  # outside, nothing to step aside from
        assert turnstile._free == 1
