"""Things kept for a while; the longest unused make room. `cachetools.LRUCache` behind a lock, as threads share them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

K = TypeVar("K")
V = TypeVar("V")
Rows = NDArray[np.float32]


class LRU(Generic[K, V]):
    """At most so much by key.

    Args:
        most: how many things, or how much of what `size` gives.
        size: of a thing, where not every thing counts as one. What is larger than `most` is not kept.
    """

    def __init__(self, most: float, size: Callable[[V], float] | None = None) -> None:
        self._things: LRUCache[K, V] = LRUCache(most, size)
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The thing, which counts as used; None where there is none."""
        with self._lock:
            return self._things.get(key)

    def put(self, key: K, thing: V) -> None:
        """Keep a thing as the one used last."""
        with self._lock:
            self._put(key, thing)

    def get_all(self, keys: Iterable[K]) -> dict[K, V]:
        """Those of these that are kept."""
        with self._lock:
            return {key: self._things[key] for key in keys if key in self._things}

    def put_all(self, things: dict[K, V]) -> None:
        """Keep these, the last one as the one used last."""
        with self._lock:
            for key, thing in things.items():
                self._put(key, thing)

    def drop(self, key: K) -> None:
        """Keep it no longer, if it was kept."""
        with self._lock:
            self._things.pop(key, None)

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._things.clear()

    def values(self) -> list[V]:
        """All that is kept; none of it counts as used by this."""
        with self._lock:
            return list(self._things.values())

    def __len__(self) -> int:
        return len(self._things)

    def _put(self, key: K, thing: V) -> None:
        self._things.pop(key, None)
        if self._things.getsizeof(thing) <= self._things.maxsize:
            self._things[key] = thing


class RowsByText:
    """A row of numbers for a text, as some owner (a model, an encoder) computes it; kept while the owner lives."""

    def __init__(self) -> None:
        self._owners: WeakKeyDictionary[Any, LRU[str, Rows]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def missing(self, owner: object, texts: Sequence[str]) -> list[str]:
        """Those of these texts, each once, whose row is not kept."""
        with self._lock:
            kept = self._owners.get(owner)
        found = kept.get_all(texts) if kept is not None else {}
        return [text for text in dict.fromkeys(texts) if text not in found]

    def rows(self, owner: object, texts: Sequence[str], compute: Callable[[list[str]], Rows], most: int) -> Rows:
        """(N, d) `compute(texts)`, of which only what was not asked for lately is computed.

        Args:
            owner: whose rows they are.
            texts: N, at least one.
            compute: gives a row for each of some texts; called without a lock, so that others need not wait for it.
            most: bytes kept for one owner, read at its first text; one row is kept whatever its size.
        """
        with self._lock:
            kept = self._owners.get(owner)
        found = kept.get_all(texts) if kept is not None else {}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        if missing:
            found |= {text: row.copy() for text, row in zip(missing, compute(missing), strict=True)}
        if kept is None:
            row = next(iter(found.values()))
            with self._lock:
                kept = self._owners.setdefault(owner, LRU(max(1, most // max(1, row.nbytes))))
        kept.put_all(found)
        return np.stack([found[text] for text in texts])
