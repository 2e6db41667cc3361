"""One model is made at a time.

While transformers makes a model it replaces functions of its own for every thread, and puts back what it found there.
Where a second load begins within the first and ends after it, that is the replacement: weights are tied in no model
from then on, and one whose output layer is its embedding lacks it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.runtime.progress import Stop, check

_ONE = threading.Lock()
_LOOK = 0.1  # seconds after which one that waits asks whether it should still


@contextmanager
def one_load(stop: Stop | None = None) -> Iterator[None]:
    """Wait until no other thread makes a model; the block is the one that does.

    Raises:
        Cancelled: `stop` said so meanwhile.
    """
    while not _ONE.acquire(timeout=_LOOK):
        check(stop)
    try:
        check(stop)
        yield
    finally:
        _ONE.release()
