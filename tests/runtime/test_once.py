"""What several threads ask for at once is worked out by one of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import Cancelled
from core.runtime.once import Once


def test_one_works_and_the_others_find_it() -> None:
    once, kept, worked = Once(), {}, []
    together = threading.Barrier(6)

    def ask(key: str) -> str:
        together.wait(10)
        with once(key):
            if key not in kept:
                worked.append(key)
                kept[key] = key.upper()
            return kept[key]

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(ask, "aabbab")) == list("AABBAB")
    assert sorted(worked) == ["a", "b"]
    assert len(once) == 0


def test_who_waits_may_give_up_and_the_next_takes_over_after_an_error() -> None:
    once = Once()
    stop = threading.Event()

    def wait() -> None:
        with once("key", stop.is_set):
            pass

    with ThreadPoolExecutor(1) as threads:

        def fail() -> None:
            with once("key"):
                given_up = threads.submit(wait)
                stop.set()
                with pytest.raises(Cancelled):
                    given_up.result(10)
                raise ValueError("first")

        with pytest.raises(ValueError, match="first"):
            fail()
        stop.clear()
        threads.submit(wait).result(10)
    assert len(once) == 0
