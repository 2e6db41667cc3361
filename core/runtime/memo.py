"""What strategies have learned, kept in memory and on disk: the same pool, model and seed are never learned twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from core.runtime import artifacts
from core.runtime.cost import Cost, count_learned, metered, remark
from core.runtime.lru import LRU
from core.runtime.once import Once
from core.runtime.progress import Stop

T = TypeVar("T")
MOST = 32
"""Things kept in memory; the longest unused goes first."""

_kept: LRU[str, tuple[Any, Cost]] = LRU(MOST)
_once = Once()


def learned(decides: Iterable[object], learn: Callable[[], T], stop: Stop | None = None, *, about: str = "") -> T:
    """`learn()`, or what came of it before; its cost is told to the open meters either way.

    Two threads that want the same thing learn it once. Where learning is cancelled nothing is kept. What cannot be
    read from disk or written to it is learned and used all the same, and a remark to the open meters says so.

    Args:
        decides: all that decides the result: a name, the model's fingerprint, rows, settings, seed. Told apart by repr.
        learn: gives a value that nobody writes into.
        stop: asked while another thread is learning the same.
        about: what a list of kept things calls it. With it the value, of arrays, numbers, strings and tuples, is kept
            on disk as well (`core.runtime.artifacts`) and outlives the process; without, in memory alone.

    Raises:
        Cancelled: `stop` said so; and whatever `learn` raises.
    """
    key = hashlib.sha256(repr(tuple(decides)).encode(errors="surrogatepass")).hexdigest()
    with _once(key, stop):
        found = _kept.get(key)
        if found is None and about:
            found = _from_disk(key)
        if found is None:
            with metered() as meter:
                value = learn()
            found = (value, meter.spent)
            if about:
                _to_disk(key, found, about)
        _kept.put(key, found)
    count_learned(found[1])
    value = found[0]
    return value


def forget(key: str = "") -> None:
    """Forget what `artifacts.listing` lists under a key, or without one all of it; from memory and from disk."""
    if key:
        _kept.drop(key)
        artifacts.drop(key)
    else:
        _kept.clear()
        artifacts.clear()


def _from_disk(key: str) -> tuple[Any, Cost] | None:
    try:
        return artifacts.fetch(key)
    except artifacts.Unreadable as error:
        remark(str(error))
        return None


def _to_disk(key: str, found: tuple[Any, Cost], about: str) -> None:
    try:
        artifacts.keep(key, *found, about)
    except OSError as error:
        remark(
            f"What was learned could not be kept in {artifacts.folder()} ({type(error).__name__}): "
            "it is forgotten when ICLens ends."
        )
