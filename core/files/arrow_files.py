"""Arrow's own files and streams, as `save_to_disk` of `datasets` writes them: uncompressed, and read where they lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import DataError
from core.files.arrow import records_of_batches
from core.files.data_cards import classes_of_schema, named
from core.files.records import table_of
from core.files.table import MAX_COLUMNS, MAX_ROWS, Table
from core.runtime.progress import part

if TYPE_CHECKING:
    import pyarrow as pa

MOST_MESSAGES = 100_000
_FILE = b"ARROW1"
_DICTIONARY, _RECORDS = 2, 3  # kinds of messages
_KIND, _HEADER = 1, 2  # fields of a message
_COMPRESSION = 3  # field of a record batch
_DATA = 1  # field of a dictionary batch


def read_arrow(path: Path) -> Table:
    """The first 10,000 rows of an Arrow file or stream, with the names of classes where its features have some.

    Raises:
        DataError: it is none, is compressed, or holds far more than its size lets expect.
    """
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source:
            in_blocks = source.read(len(_FILE)) == _FILE
            source.seek(8 if in_blocks else 0)  # a file is a stream between its two marks
            rows = _check(source)
            source.seek(8 if in_blocks else 0)
            reader = pa.ipc.open_stream(source)
            if len(reader.schema.names) > MAX_COLUMNS:
                raise DataError(f"There are {len(reader.schema.names):,} columns; at most {MAX_COLUMNS} can be read.")
            if len(set(reader.schema.names)) < len(reader.schema.names):
                raise DataError("Two of its columns have the same name.")
            with part(0.0, 0.8):
                records = records_of_batches(_sound(reader), rows)
            classes = classes_of_schema(reader.schema.metadata)
    except (pa.ArrowException, OSError, ValueError, OverflowError, struct.error, IndexError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("It is not an Arrow file that can be read.") from None
    with part(0.8, 1.0):
        return named(table_of(records, ()), classes)


def _sound(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches, each seen to lie within its buffers before a cell of it is read."""
    for batch in reader:
        batch.validate(full=True)
        yield batch


def _check(source: pa.NativeFile) -> int:
    """How many rows the messages hold, at most as many as are read; none of them is unpacked.

    Raises:
        DataError: one of them is compressed.
    """
    import pyarrow as pa

    rows = 0
    messages = pa.ipc.MessageReader.open_stream(source)
    for _ in range(MOST_MESSAGES):
        try:
            message = messages.read_next_message()
        except StopIteration:
            break
        found = bytes(message.metadata)
        root = _at(found, 0)
        kind = found[_field(found, root, _KIND)] if _field(found, root, _KIND) else 0
        if kind not in (_DICTIONARY, _RECORDS):
            continue
        batch = _at(found, _field(found, root, _HEADER))
        if kind == _DICTIONARY:
            batch = _at(found, _field(found, batch, _DATA))
        if _field(found, batch, _COMPRESSION):
            raise DataError("It is compressed Arrow; save it as Parquet.")
        if kind == _RECORDS and _field(found, batch, 0):
            rows += int(struct.unpack_from("<q", found, _field(found, batch, 0))[0])
        if rows > MAX_ROWS:
            break
    return rows


def _at(data: bytes, place: int) -> int:
    """Where an offset of a flatbuffer leads."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def _field(data: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer's table stands; 0 where it is not there."""
    (back,) = struct.unpack_from("<i", data, table)
    names = table - back
    (length,) = struct.unpack_from("<H", data, names)
    if 4 + 2 * number >= length:
        return 0
    (offset,) = struct.unpack_from("<H", data, names + 4 + 2 * number)
    return table + offset if offset else 0
