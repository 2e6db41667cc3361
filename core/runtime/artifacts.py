"""Learned values on disk: one .npz file each in `learned/` of ICLens's folder, read without unpickling anything.

A file holds the value's arrays and a JSON text: the shape of the value around them, what it is called, what it cost,
the version of the code that learned it and the key it was learned under. Other versions' files are as good as absent.
A file is written aside and renamed, so that another process sees all of it or nothing. When all together are larger
than `ROOM`, those read longest ago go.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.runtime.cost import Cost
from core.runtime.paths import home
from core.runtime.version import code_version

FORMAT = 1
ROOM = 64 * 2**20  # bytes of all files
LARGEST = 16 * 2**20  # bytes of one; a larger value is not kept
ABANDONED = 3_600  # seconds after which a file that was being written belongs to a process that died
SCALARS = (bool, int, float, str, type(None))


class Unreadable(Exception):
    """A file is damaged; it has been put out of the way. `str` is one sentence for the user."""


@dataclass(frozen=True)
class Artifact:
    """What a shelf holds under one key.

    Attributes:
        key: hexadecimal.
        about: what it is called.
        cost: what learning it cost.
        size: bytes on disk.
        when: seconds since the epoch at which it was written or last used.
    """

    key: str
    about: str
    cost: Cost
    size: int
    when: float


def folder() -> Path:
    """Where the files lie. It need not exist."""
    return home() / "learned"


def keep(key: str, value: Any, cost: Cost, about: str) -> None:
    """Write a value: arrays, numbers, strings, None, and tuples and lists of them.

    Nothing is kept of what holds anything else, or is larger than `LARGEST`.

    Raises:
        OSError: the folder cannot be written.
    """
    arrays: list[NDArray[Any]] = []
    try:
        tree = _taken_apart(value, arrays)
    except TypeError:
        return
    if sum(array.nbytes for array in arrays) > LARGEST:
        return
    said = {
        "format": FORMAT,
        "code": code_version(),
        "key": key,
        "about": about,
        "cost": [cost.passes, cost.texts, cost.backward],
        "tree": tree,
    }
    text = np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    aside = place / f"{key}.{os.getpid()}-{threading.get_ident()}.part"
    try:
        with aside.open("wb") as file:
            np.savez(file, allow_pickle=False, said=text, **{f"a{i}": array for i, array in enumerate(arrays)})
        aside.replace(_path(key))
    finally:
        aside.unlink(missing_ok=True)
    _make_room()


def fetch(key: str) -> tuple[Any, Cost] | None:
    """The value under a key and what it cost; None where there is none of this code.

    Raises:
        Unreadable: the file is damaged, and has been removed.
    """
    path = _path(key)
    try:
        said, arrays = _read(path)
        if said["format"] != FORMAT or said["code"] != code_version() or said["key"] != key:
            return None
        value, cost = _put_together(said["tree"], arrays), Cost(*map(int, said["cost"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as error:
        drop(key)
        raise Unreadable(
            "What was learned before could not be read from disk, so it was learned again; the damaged file is removed."
        ) from error
    with suppress(OSError):  # a folder that can be read and not written: it counts as unused
        os.utime(path)
    return value, cost


def listing() -> tuple[Artifact, ...]:
    """What can be had, last used first."""
    found = []
    for path in _files():
        try:
            said, _ = _read(path, arrays=False)
            if said["format"] == FORMAT and said["code"] == code_version():
                about, cost = str(said["about"]), Cost(*map(int, said["cost"]))
                found.append(Artifact(path.stem, about, cost, path.stat().st_size, path.stat().st_mtime))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            continue  # whoever wants it will say so
    return tuple(sorted(found, key=lambda entry: -entry.when))


def drop(key: str) -> None:
    """Remove what is under a key, if anything."""
    try:
        _path(key).unlink(missing_ok=True)
    except OSError:  # it stays, and is as unreadable as before
        return


def clear() -> None:
    """Remove everything, other versions' files too."""
    for path in _files():
        drop(path.stem)


def _path(key: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{16,64}", key):
        raise ValueError(f"{key!r} is no key")
    return folder() / f"{key}.npz"


def _files() -> Iterator[Path]:
    try:
        yield from (path for path in folder().glob("*.npz") if re.fullmatch(r"[0-9a-f]{16,64}", path.stem))
    except OSError:
        return


def _read(path: Path, arrays: bool = True) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """The JSON and the arrays of a file. A zip's own check sums find damage; objects are refused."""
    if path.stat().st_size > 2 * LARGEST:
        raise ValueError("larger than anything that was written")
    # Opened here, as numpy leaves a file open where it finds it damaged.
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        said: dict[str, Any] = json.loads(file["said"].tobytes().decode())
        return said, [file[f"a{i}"] for i in range(len(file.files) - 1)] if arrays else []


def _taken_apart(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """JSON for a value, its arrays put into `arrays` and named by their places."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple | list):
        return {type(value).__name__: [_taken_apart(part, arrays) for part in value]}
    if type(value) in SCALARS:
        return {"is": value}
    raise TypeError(f"a {type(value).__name__} is not kept on disk")


def _put_together(tree: dict[str, Any], arrays: list[NDArray[Any]]) -> Any:
    ((kind, inner),) = tree.items()
    if kind == "array":
        return arrays[inner]
    if kind in ("tuple", "list"):
        parts = [_put_together(part, arrays) for part in inner]
        return tuple(parts) if kind == "tuple" else parts
    if kind != "is":
        raise ValueError(f"{kind!r} is no kind of value")
    return inner


def _make_room() -> None:
    """Remove what was used longest ago while there is too much, and what dead processes left half written."""
    sizes: list[tuple[float, int, Path]] = []
    for path in [*_files(), *folder().glob("*.part")]:
        try:
            status = path.stat()
            if path.suffix == ".part":
                if time.time() - status.st_mtime > ABANDONED:
                    path.unlink(missing_ok=True)
                continue
            sizes.append((status.st_mtime, status.st_size, path))
        except OSError:  # another process was quicker
            continue
    total = sum(size for _, size, _ in sizes)
    for _, size, path in sorted(sizes):
        if total <= ROOM:
            return
        drop(path.stem)
        total -= size
