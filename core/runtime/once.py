"""One thread at a time for each key: what several ask for at once is worked out by the first of them alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.runtime.progress import Stop, check

_LOOK = 0.05  # seconds after which one that waits asks whether it should still


@dataclass
class _Way:
    """A key that somebody works on or waits for."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    people: int = 0


class Once:
    """Locks by key, each there for as long as somebody has it or waits for it.

    with once(key, stop):
        found = kept.get(key) or work()
    """

    def __init__(self) -> None:
        self._ways: dict[str, _Way] = {}
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, key: str, stop: Stop | None = None) -> Iterator[None]:
        """The only block of this key meanwhile.

        Raises:
            Cancelled: `stop` said so before it was this one's turn.
        """
        with self._lock:
            way = self._ways.setdefault(key, _Way())
            way.people += 1
        try:
            while not way.lock.acquire(timeout=_LOOK):
                check(stop)
            try:
                yield
            finally:
                way.lock.release()
        finally:
            with self._lock:
                way.people -= 1
                if not way.people:
                    del self._ways[key]

    def __len__(self) -> int:
        """Keys that somebody has or waits for."""
        return len(self._ways)
