"""A listener for tests: the shares that work says are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.runtime.progress import reporting


@contextmanager
def listening() -> Iterator[list[float]]:
    """What is told inside, in order."""
    told: list[float] = []
    with reporting(lambda progress: told.append(progress.share)):
        yield told
