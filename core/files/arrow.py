"""Rows of Arrow's arrays as records, a few at a time, so that what they take is known before it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DataError
from core.files.table import MAX_ROWS
from core.runtime.progress import counting, pause

if TYPE_CHECKING:
    import pyarrow as pa

MAX_TEXT = 64 * 2**20
"""Bytes of the rows that are read; compression, or cells that share one text, can hide any number of them."""
BATCH = 64
INNER = 32
"""Bytes that a value in a list counts."""


def records_of_batches(batches: Iterable[pa.RecordBatch], rows: int) -> list[dict[str, Any]]:
    """The first rows, one more than a table keeps.

    Args:
        batches: of any length.
        rows: in all of them, by which progress is told.

    Raises:
        DataError: they hold more than `MAX_TEXT`, or what is no cell.
    """
    records: list[dict[str, Any]] = []
    size = 0
    with counting(min(rows, MAX_ROWS + 1), "rows") as advance:
        for piece in _pieces(batches):
            pause()
            for column in piece.columns:
                size += weight(column, MAX_TEXT - size)
            records += piece.to_pylist()
            advance(len(records))
            if len(records) > MAX_ROWS:
                break
    return records


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH):
            yield batch.slice(start, BATCH)


def weight(array: pa.Array, left: int) -> int:
    """Bytes that the cells of an array take one by one, also where they share theirs.

    Raises:
        DataError: more than are `left`, or a kind of array whose cells cannot be known without unpacking them.
    """
    import pyarrow as pa

    kind = array.type
    found = 8 * len(array)
    if isinstance(array, pa.ExtensionArray):
        return weight(array.storage, left)
    if pa.types.is_dictionary(kind):
        texts = array.dictionary
        if not _is_text(texts.type):
            return found if pa.types.is_primitive(texts.type) else _refuse(kind)
        found += _sum(_lengths(texts).take(array.indices))
    elif _is_text(kind):
        found += _sum(_lengths(array))
    elif pa.types.is_struct(kind):
        for inner in array.flatten():
            found += weight(inner, left - found)
    elif pa.types.is_nested(kind):
        found += _of_lists(array, left)
    elif not (pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)):
        if not pa.types.is_fixed_size_binary(kind):
            _refuse(kind)
        found += len(array) * kind.byte_width
    if found > left:
        raise _too_much()
    return found


def _of_lists(array: pa.Array, left: int) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_union(array.type) or pa.types.is_run_end_encoded(array.type):
        return _refuse(array.type)
    if pa.types.is_map(array.type):
        first, last = array.offsets[0].as_py(), array.offsets[len(array)].as_py()
        inner = [array.keys[first:last], array.items[first:last]]
        found = INNER * (last - first)
    else:
        found = INNER * _sum(pc.list_value_length(array))
        inner = [array.flatten()] if found <= left else []
    for part in inner:
        found += weight(part, left - found)
    if found > left:
        raise _too_much()
    return int(found)


def _too_much() -> DataError:
    return DataError(f"Unpacked, its first rows hold more than {MAX_TEXT // 2**20} MB.")


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    plain = types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    return bool(plain or _is_view(kind))


def _is_view(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def _lengths(texts: pa.Array) -> pa.Array:
    """Bytes of each text. A view begins with its length, in four of its sixteen bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _is_view(texts.type):
        return pc.binary_length(texts)
    views = np.frombuffer(texts.buffers()[1], dtype=np.int32).reshape(-1, 4)
    return pa.array(views[texts.offset : texts.offset + len(texts), 0])


def _sum(lengths: pa.Array) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(lengths).as_py() or 0)


def _refuse(kind: object) -> int:
    raise DataError(f"A column of the kind “{str(kind)[:40]}” cannot be read.")
