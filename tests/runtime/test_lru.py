"""Least recently used: against a plain list, within its bounds, from many threads."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.runtime.lru import LRU, RowsByText

STEPS = st.lists(st.tuples(st.sampled_from(["get", "put", "drop"]), st.integers(0, 6)), max_size=60)


@given(STEPS, st.integers(1, 4))
def test_as_a_plain_list(steps: list[tuple[str, int]], most: int) -> None:
    cache: LRU[int, str] = LRU(most)
    order: list[int] = []  # the one used last stands last
    for what, key in steps:
        if what == "get":
            assert cache.get(key) == (str(key) if key in order else None)
            order = [*(k for k in order if k != key), key] if key in order else order
        elif what == "put":
            cache.put(key, str(key))
            order = [*(k for k in order if k != key), key][-most:]
        else:
            cache.drop(key)
            order = [k for k in order if k != key]
        assert len(cache) == len(order)
    assert cache.get_all(range(7)) == {key: str(key) for key in order}


def test_by_size() -> None:
    cache: LRU[str, str] = LRU(5, len)
    cache.put_all({"a": "aa", "b": "bb", "c": "cc"})
    assert cache.get_all("abc") == {"b": "bb", "c": "cc"}
    cache.put("b", "too long")
    assert cache.get("b") is None, "an old value would be another one's"
    assert cache.get("c") == "cc"
    cache.clear()
    assert len(cache) == 0


def test_threads_share_it() -> None:
    cache: LRU[int, int] = LRU(8)

    def work(seed: int) -> None:
        for key in np.random.default_rng(seed).integers(20, size=2_000).tolist():
            if cache.get(key) not in (None, key):
                raise AssertionError(key)
            cache.put(key, key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 8


class Owner:
    """Whose rows they are."""


def test_rows_go_with_their_owner_and_one_is_kept_whatever_its_size() -> None:
    kept, asked = RowsByText(), list[str]()

    def compute(texts: list[str]) -> Any:
        asked.extend(texts)
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    one, other = Owner(), Owner()
    assert kept.rows(one, ["a", "bb", "a"], compute, 0).tolist() == [[1, 1], [2, 1], [1, 1]]
    kept.rows(one, ["bb"], compute, 0)
    kept.rows(other, ["bb"], compute, 0)
    assert asked == ["a", "bb", "bb"]
    del one
    gc.collect()
    assert len(kept._owners) == 1
