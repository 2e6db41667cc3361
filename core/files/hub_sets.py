"""Data sets by their names on the hub, row by row through the package `datasets`, which need not be there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from core.errors import DataError, ICLensError
from core.files.arrow import MAX_TEXT
from core.files.data_cards import classes_of_features, named
from core.files.records import table_of
from core.files.table import MAX_ROWS, Table
from core.runtime.progress import counting, pause

_NO_TEXT = ("Image", "Audio", "Video", "Pdf", "Nifti")


def configs_of(name: str) -> list[str]:
    """Names of a data set's configurations, as the hub has them.

    Raises:
        DataError: `datasets` is not installed, or there is no such set, or no network.
    """
    with _asking(name) as library:
        return [str(one) for one in library.get_dataset_config_names(name)]


def parts_of_set(name: str, config: str | None) -> list[str]:
    """Names of its parts.

    Raises:
        DataError: as in `configs_of`.
    """
    with _asking(name) as library:
        return [str(one) for one in library.get_dataset_split_names(name, config)]


def stream(name: str, config: str | None, part: str) -> Table:
    """The first 10,000 rows of a part, of which no more is fetched than that takes; pictures and sounds are left out.

    Raises:
        DataError: as in `configs_of`, or its rows hold too much.
    """
    records: list[dict[str, Any]] = []
    size = 0
    with _asking(name) as library, counting(MAX_ROWS, "rows") as advance:
        rows = library.load_dataset(name, config, split=part, streaming=True)
        features = rows.features or {}
        beside = [one for one, kind in features.items() if type(kind).__name__ in _NO_TEXT]
        rows = rows.remove_columns(beside) if beside else rows
        for row in rows:
            pause()
            size += sum(len(str(cell)) for cell in row.values())
            if size > MAX_TEXT:
                raise DataError(f"The first rows of “{part}” hold more than {MAX_TEXT // 2**20} MB.")
            records.append(row)
            advance(len(records))
            if len(records) > MAX_ROWS:
                break
        classes = classes_of_features(
            {one: {"_type": "ClassLabel", "names": list(k.names)} for one, k in features.items() if hasattr(k, "names")}
        )
    return named(table_of(records, [f"Left out: “{one}”." for one in beside]), classes)


@contextmanager
def _asking(name: str) -> Iterator[Any]:
    """The library, whose errors become sentences."""
    if find_spec("datasets") is None:
        raise DataError(
            f"There is no folder “{name[:80]}” here, and data sets are read by name where the package datasets is "
            "installed: pip install -r requirements-datasets.txt."
        )
    library: Any = import_module("datasets")
    library.disable_progress_bars()
    try:
        yield library
    except ICLensError:
        raise
    except Exception as error:  # what a loader of a set, or the network, makes of it
        reason = " ".join(str(error).split())[:160].rstrip(". ") or type(error).__name__
        raise DataError(
            f"“{name[:80]}” is no folder here and cannot be read from the hub ({reason}): look at name and network."
        ) from error
