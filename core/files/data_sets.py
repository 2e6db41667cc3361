"""Data sets of several parts: a folder as `datasets` saves or the hub publishes it, or a name on the hub."""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import DataError
from core.files.arrow_files import read_arrow
from core.files.data_cards import Classes, classes_of_card, classes_of_features, data_files, named, read_card
from core.files.hub_sets import configs_of, parts_of_set, stream
from core.files.parquet import read_parquet
from core.files.reading import read_file
from core.files.table import MAX_BYTES, MAX_ROWS, Table
from core.runtime.allowed import refusal
from core.runtime.progress import Stop, counting, stoppable

MOST_FILES = 5_000
"""Files of a folder that are looked at."""
MOST_PARTS = 20
LONGEST = 1_000
ALL = "all rows"
"""The only part of a set that has no parts."""
KINDS = ("parquet", "arrow", "csv", "tsv", "jsonl", "ndjson", "json", "txt")
LINES = ("csv", "tsv", "jsonl", "ndjson", "txt")
"""Kinds of files of which the beginning can be read."""
_WORDS = {
    "train": "train|training",
    "validation": "validation|valid|dev|val",
    "test": "test|testing|eval|evaluation",
}
_PARTS = {part: re.compile(rf"(?:^|[-._ 0-9/])(?:{words})(?:$|[-._ 0-9/])") for part, words in _WORDS.items()}
_SHARD = re.compile(r"-\d{5}-of-\d{5}")


@dataclass(frozen=True)
class DataSet:
    """A data set.

    Attributes:
        parts: (name, rows) of each, the training part first.
        configs: its configurations, none where it has one.
        config: the one that was read.
    """

    parts: tuple[tuple[str, Table], ...]
    configs: tuple[str, ...] = ()
    config: str = ""


def open_data_set(name: str, config: str | None = None, stop: Stop | None = None) -> DataSet:
    """The first 10,000 rows of every part of a data set.

    Args:
        name: a folder that `save_to_disk` wrote, one of Parquet, Arrow, CSV, TSV, JSON or text files, with a card
            (README.md) that says which are which, or without; else a name on the hub, for which `datasets` is needed.
        config: one of its configurations; the first where there is none of that name.
        stop: asked now and then; True ends the work.

    Raises:
        DataError: it does not exist, is not allowed here, or cannot be read.
        Cancelled: `stop` said so.
    """
    name = name.strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        raise DataError(
            "That cannot be a data set's name: give a folder, or a name such as “SetFit/sst2”, on one line."
        )
    why = refusal(name, "data sets")
    if why:
        raise DataError(why)
    try:
        place = Path(name).expanduser()
        is_folder, is_file = place.is_dir(), place.is_file()
    except (OSError, RuntimeError, ValueError):
        place, is_folder, is_file = Path(name), False, False
    if is_file:
        raise DataError(f"“{name[-80:]}” is a file: choose it above.")
    with stoppable(stop):
        if is_folder:
            return _of_folder(place, config)
        if place.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name:
            raise DataError(f"There is no folder “{name[-80:]}” on the machine of the dashboard.")
        return _of_hub(name, config)


def _of_hub(name: str, config: str | None) -> DataSet:
    configs = configs_of(name)
    chosen = config if config in configs else (configs[0] if configs else None)
    found = _read_parts({part: partial(stream, name, chosen, part) for part in parts_of_set(name, chosen)})
    return DataSet(found, tuple(configs) if len(configs) > 1 else (), chosen or "")


def _of_folder(folder: Path, config: str | None) -> DataSet:
    try:
        saved = _saved_parts(folder)
        if saved is not None:
            files = {part: _saved_files(where) for part, where in saved.items()}
            return DataSet(_read_files(files, {part: _saved_classes(where) for part, where in saved.items()}))
        card = read_card(folder)
        configs = _in_card(folder, data_files(card)) or _by_names(folder)
    except OSError:
        raise DataError(f"The folder “{folder.name[-80:]}” cannot be read.") from None
    if not configs:
        raise DataError(
            f"The folder “{folder.name[-80:]}” holds no data set: no Parquet, Arrow, CSV, JSON or text files."
        )
    chosen = config if config in configs else next(iter(configs))
    read = _read_files(configs[chosen], dict.fromkeys(configs[chosen], classes_of_card(card, chosen)))
    return DataSet(read, tuple(configs) if len(configs) > 1 else (), chosen)


def _saved_parts(folder: Path) -> dict[str, Path] | None:
    """Folders of the parts that `save_to_disk` wrote; None for a folder of another kind."""
    told = folder / "dataset_dict.json"
    if told.is_file():
        names = _json(told).get("splits")
        if not isinstance(names, list) or not all(map(_is_name, names)):
            raise DataError("Its dataset_dict.json does not name its parts.")
        return {name: folder / name for name in names}
    if (folder / "state.json").is_file() and any(folder.glob("*.arrow")):
        return {str(_json(folder / "state.json").get("_split") or ALL): folder}
    return None


def _is_name(value: Any) -> bool:
    """Whether it names something in a folder, and nothing beside or above it."""
    return isinstance(value, str) and value not in ("", "..") and PurePosixPath(value).name == value


def _saved_files(folder: Path) -> list[Path]:
    listed = _json(folder / "state.json").get("_data_files")
    names = [one.get("filename") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not names or not all(map(_is_name, names)):
        raise DataError(f"The state.json of “{folder.name[-60:]}” does not name its files.")
    return [folder / str(name) for name in names]


def _saved_classes(folder: Path) -> Classes:
    info = folder / "dataset_info.json"
    return classes_of_features(_json(info).get("features")) if info.is_file() else {}


def _json(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise DataError(f"Its {path.name} is not there, or too large.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError(f"Its {path.name} is not what save_to_disk writes.")
    return found


def _files_in(folder: Path) -> list[str]:
    """Paths of the data files in a folder and those in it, hidden ones left out."""
    found: list[str] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        inside = Path(place).relative_to(folder)
        known = (name for name in sorted(names) if not name.startswith((".", "_")))
        found += [(inside / name).as_posix() for name in known if name.rpartition(".")[2].lower() in KINDS]
        if len(found) > MOST_FILES:
            raise DataError(f"The folder holds more than {MOST_FILES:,} data files.")
    return [path for path in found if path not in ("dataset_infos.json", "dataset_info.json", "state.json")]


Parts = dict[str, list[Path]]


def _in_card(folder: Path, patterns: dict[str, dict[str, list[str]]]) -> dict[str, Parts]:
    files = _files_in(folder) if patterns else []
    found = {
        config: {
            part: [folder / path for path in files if any(_fits(path, pattern) for pattern in given)]
            for part, given in parts.items()
        }
        for config, parts in patterns.items()
    }
    kept = {config: {part: paths for part, paths in parts.items() if paths} for config, parts in found.items()}
    return {config: parts for config, parts in kept.items() if parts}


def _fits(path: str, pattern: str) -> bool:
    """Whether a path is one that a pattern of a card means: "**/" is any folders, or none."""
    pattern = pattern.removeprefix("./")
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern.replace("**/", ""))


def _by_names(folder: Path) -> dict[str, Parts]:
    """Configurations and parts by the names of files and folders: "data/train-00000-of-00002.parquet", "dev.jsonl"."""
    files = _files_in(folder)
    if any(not path.lower().endswith(".txt") for path in files):  # beside data, these are licences and lists
        files = [path for path in files if not path.lower().endswith(".txt")]
    tops = {path.partition("/")[0] for path in files if "/" in path}
    own = {top for top in tops if top != "data" and _part_of(top + "/") is None}
    apart = len(own) > 1 and all("/" in path for path in files) and tops == own
    found: dict[str, Parts] = {}
    for path in files:
        config = path.partition("/")[0] if apart else "default"
        part = _part_of(path) or "train"
        found.setdefault(config, {}).setdefault(part, []).append(folder / path)
    return found


def _part_of(path: str) -> str | None:
    stem = _SHARD.sub("", path.rpartition(".")[0] or path).lower()
    return next((part for part, words in _PARTS.items() if words.search(stem)), None)


def _read_files(files: Parts, classes: Mapping[str, Classes]) -> tuple[tuple[str, Table], ...]:
    return _read_parts({part: partial(_joined, paths, classes.get(part, {})) for part, paths in files.items()})


def _read_parts(parts: Mapping[str, Callable[[], Table]]) -> tuple[tuple[str, Table], ...]:
    """What each part holds, the training part first."""
    if len(parts) > MOST_PARTS:
        raise DataError(f"It has {len(parts):,} parts; at most {MOST_PARTS} can be read.")
    found = []
    with counting(len(parts), "parts") as advance:
        for done, name in enumerate(sorted(parts, key=lambda one: "train" not in one.lower()), start=1):
            found.append((name, parts[name]()))
            advance(done)
    return tuple(found)


def _joined(paths: Sequence[Path], classes: Classes) -> Table:
    """The rows of files that are one part, one after the other."""
    tables: list[Table] = []
    rows = 0
    for path in paths:
        tables.append(_read(path))
        rows += len(tables[-1].rows)
        if tables[-1].columns != tables[0].columns:
            raise DataError(
                f"“{path.name[-60:]}” has other columns than “{paths[0].name[-60:]}”, with which it is one part."
            )
        if rows >= MAX_ROWS:
            break
    more = len(tables) < len(paths) or rows > MAX_ROWS
    note = f"There are more than {MAX_ROWS:,} rows; the first {MAX_ROWS:,} were kept."
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    every = tuple(row for table in tables for row in table.rows)[:MAX_ROWS]
    return named(Table(tables[0].columns, every, tuple(dict.fromkeys([*notes, *([note] if more else [])]))), classes)


def _read(path: Path) -> Table:
    """A file of a folder; of one in lines that is larger than can be read, the beginning."""
    why = refusal(str(path), "data sets")
    if why:
        raise DataError(why)
    kind = path.suffix.lower().lstrip(".")
    try:
        if not path.is_file():
            raise DataError(f"“{path.name[-80:]}” is no file.")
        if kind == "arrow":
            return read_arrow(path)
        if kind == "parquet":
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                return read_parquet(whole)
        size = path.stat().st_size
        if size > MAX_BYTES and kind not in LINES:
            raise DataError(f"It has {size / 2**20:,.1f} MB and at most {MAX_BYTES // 2**20} can be read.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except DataError as error:
        raise DataError(f"“{path.name[-80:]}” was not read: {str(error)[:1].lower()}{str(error)[1:]}") from None
    except (OSError, ValueError):  # also an empty file, which cannot be mapped
        raise DataError(f"“{path.name[-80:]}” cannot be read.") from None
    if size <= MAX_BYTES:
        return read_file(data, path.name)
    table = read_file(data[: data.rfind(b"\n") + 1] or data, path.name)
    return replace(table, notes=(*table.notes, f"Its first {MAX_BYTES // 2**20} MB were read."))
