"""What is learned outlives the process: whole or not at all, by the same code alone, within bounds."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.runtime import artifacts
from core.runtime import memo as keeping
from core.runtime.cost import NOTHING, Cost, count, metered
from core.runtime.memo import forget, learned

KEY = "ab" * 32
COST = Cost(3, 40, 2)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    keeping._kept.clear()
    yield
    keeping._kept.clear()


def learn_it() -> tuple[list[int], np.ndarray, bool]:
    count(passes=3, texts=40, backward=2)
    return [2, 0], np.array([0.5, np.nan]), True


def restart() -> None:
    """What a new process knows: nothing but the disk."""
    keeping._kept.clear()


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=np.int64).reshape(2, 3),
        (np.float32([1.5, -2]), np.array([True, False]), np.zeros((0, 3))),
        [1, 2.5, "zwölf", None, True, (), [np.float64(0.1)]],
        (np.array([np.nan, np.inf]),),
    ],
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    artifacts.keep(KEY, value, COST, "a test")
    found = artifacts.fetch(KEY)
    assert found is not None
    assert found[1] == COST

    def same(a: Any, b: Any) -> bool:
        if isinstance(a, np.ndarray):
            return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        if isinstance(a, tuple | list):
            return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
        return bool(a == b)

    assert same(value, found[0])


def test_what_is_learned_is_there_after_a_restart() -> None:
    with metered() as first:
        learned(("a", 1), learn_it, about="numbers")
    restart()
    with metered() as again:
        picked, values, told = learned(("a", 1), lambda: pytest.fail("learned twice"), about="numbers")  # type: ignore[misc]
    assert (picked, told) == ([2, 0], True)
    np.testing.assert_array_equal(values, [0.5, np.nan])
    assert (first.spent, first.learned) == (COST, COST)
    assert (again.spent, again.learned) == (NOTHING, COST)
    (entry,) = artifacts.listing()
    assert (entry.about, entry.cost) == ("numbers", COST)
    assert 0 < entry.size < 4_000


def test_without_a_name_it_stays_in_memory() -> None:
    learned(("a", 2), learn_it)
    assert artifacts.listing() == ()


def test_forgetting_one_and_all() -> None:
    for i in range(3):
        learned(("a", i), learn_it, about=f"number {i}")
    one, *others = artifacts.listing()
    forget(one.key)
    assert {entry.key for entry in artifacts.listing()} == {entry.key for entry in others}
    forget()
    assert artifacts.listing() == ()
    assert not keeping._kept


@pytest.mark.parametrize("damage", ["cut", "flipped", "noise", "empty", "pickle"])
def test_damaged_files_are_learned_again_and_a_remark_says_so(damage: str) -> None:
    learned(("a", 1), learn_it, about="numbers")
    (path,) = artifacts.folder().glob("*.npz")
    body = bytearray(path.read_bytes())
    if damage == "flipped":
        body[len(body) // 2] ^= 0xFF
    path.write_bytes(
        {"cut": body[: len(body) // 2], "noise": os.urandom(500), "empty": b"", "pickle": pickle.dumps(print)}.get(
            damage, body
        )
    )
    restart()
    with metered() as meter:
        picked, *_ = learned(("a", 1), learn_it, about="numbers")
    assert picked == [2, 0]
    assert meter.spent == COST
    assert any("could not be read from disk" in remark for remark in meter.remarks)
    restart()
    with metered() as meter:
        learned(("a", 1), lambda: pytest.fail("learned twice"), about="numbers")  # type: ignore[misc]
    assert meter.remarks == ()


def test_no_object_is_ever_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    artifacts.folder().mkdir(parents=True)
    np.savez(artifacts.folder() / f"{KEY}.npz", said=np.array([Trap()], dtype=object))
    with pytest.raises(artifacts.Unreadable):
        artifacts.fetch(KEY)
    assert not (tmp_path / "sprung").exists()


def test_other_code_does_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    artifacts.keep(KEY, [1], COST, "a test")
    monkeypatch.setattr(artifacts, "code_version", lambda: "another")
    assert artifacts.fetch(KEY) is None
    assert artifacts.listing() == ()


def test_a_file_under_another_key_is_not_served() -> None:
    artifacts.keep(KEY, [1], COST, "a test")
    other = "cd" * 32
    (artifacts.folder() / f"{KEY}.npz").rename(artifacts.folder() / f"{other}.npz")
    assert artifacts.fetch(other) is None


def test_room_is_bounded_and_the_longest_unused_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"{i:064x}" for i in range(4)]
    for i, key in enumerate(keys[:3]):
        artifacts.keep(key, np.zeros(1_000), NOTHING, str(i))
        os.utime(artifacts.folder() / f"{key}.npz", (i, i))
    assert artifacts.fetch(keys[0]) is not None  # used last now
    monkeypatch.setattr(artifacts, "ROOM", 3 * 9_500)
    artifacts.keep(keys[3], np.zeros(1_000), NOTHING, "3")
    assert {entry.about for entry in artifacts.listing()} == {"0", "2", "3"}


def test_what_is_too_large_or_no_plain_value_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "LARGEST", 100)
    artifacts.keep(KEY, np.zeros(1_000), NOTHING, "large")
    artifacts.keep(KEY, {"a": 1}, NOTHING, "a dictionary")
    artifacts.keep(KEY, np.array(["text"], dtype=object), NOTHING, "objects")
    assert artifacts.listing() == ()


def test_half_written_files_of_dead_processes_go() -> None:
    artifacts.folder().mkdir(parents=True)
    old, new = (artifacts.folder() / f"{name}.1-1.part" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * artifacts.ABANDONED,) * 2)
    artifacts.keep(KEY, [1], NOTHING, "a test")
    assert not old.exists()
    assert new.exists()


def test_a_folder_that_cannot_be_written_costs_a_remark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path / "file"))
    with metered() as meter:
        picked, *_ = learned(("a", 1), learn_it, about="numbers")
    assert picked == [2, 0]
    assert any("could not be kept" in remark for remark in meter.remarks)
    assert artifacts.listing() == ()
    forget()


def test_a_key_is_no_path() -> None:
    with pytest.raises(ValueError, match="no key"):
        artifacts.fetch("../../etc/passwd")


WRITER = """
import numpy as np
from core.runtime import artifacts
from core.runtime.cost import NOTHING
for i in range(25):
    artifacts.keep("ab" * 32, (np.full(20_000, {n}), [{n}]), NOTHING, "writer {n}")
"""


def test_two_processes_write_and_a_reader_sees_whole_values() -> None:
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER.format(n=n)], cwd=root, env={**os.environ}) for n in (1, 2)
    ]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        found = artifacts.fetch(KEY)
        if found is not None:
            values, (n,) = found[0]
            assert (values == n).all()
            seen += 1
        time.sleep(0.01)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen
    assert len(list(artifacts.folder().iterdir())) == 1
