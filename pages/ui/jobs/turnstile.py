"""Who draws now: of all that have clicked, those who clicked first.

Fifty clicks at the same moment are fifty threads that share one interpreter. Where all of them work at once, each is
done when nearly all are, and what the processors keep at hand is another visitor's at every turn. One after the other
takes as long for the last, and half as long for the one in the middle.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ABREAST = 2  # that draw at a time: while one waits for a pass or the disk, another draws


class Turnstile:
    """Lets some through at a time, and of those who wait always whoever arrived first."""

    def __init__(self, abreast: int) -> None:
        self._free, self._lock = abreast, threading.Lock()
        self._waiting: list[tuple[float, int, threading.Lock]] = []
        self._number = itertools.count()
        self._inside = threading.local()

    @contextmanager
    def through(self, arrived: float) -> Iterator[None]:
        """The block is one of those that are let through; inside another one it is part of that.

        Args:
            arrived: when, by `time.monotonic()`, the click came that is drawn.
        """
        if getattr(self._inside, "arrived", None) is not None:
            yield
            return
        self._enter(arrived)
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The block only waits for somebody else: meanwhile another is let through."""
        arrived = getattr(self._inside, "arrived", None)
        if arrived is None:
            yield
            return
        self._leave()
        try:
            yield
        finally:
            self._enter(arrived)

    def _enter(self, arrived: float) -> None:
        with self._lock:
            gate = None
            if self._free:
                self._free -= 1
            else:
                gate = threading.Lock()
                gate.acquire()
                heapq.heappush(self._waiting, (arrived, next(self._number), gate))
        if gate is not None:
            gate.acquire()  # whoever leaves opens it
        self._inside.arrived = arrived

    def _leave(self) -> None:
        self._inside.arrived = None
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].release()
            else:
                self._free += 1


turnstile = Turnstile(ABREAST)


def now() -> float:
    """The clock of arrivals."""
    return time.monotonic()
