"""Parquet files, whose pages are looked at before they are unpacked."""

from __future__ import annotations

from collections.abc import Sequence
from mmap import mmap

from core.errors import DataError
from core.files.arrow import records_of_batches
from core.files.data_cards import classes_of_schema, named
from core.files.parquet_pages import unpacking_of
from core.files.records import table_of
from core.files.table import MAX_COLUMNS, MAX_ROWS, Table
from core.runtime.progress import part

MAX_NAMES = 2**20
"""Bytes of a text in the footer, and entries of a list of it."""


def read_parquet(data: bytes | mmap, notes: Sequence[str] = ()) -> Table:
    """The first 10,000 rows of a Parquet file, with the names of classes where Hugging Face's features have some.

    Raises:
        DataError: not Parquet, or far more in it than its size lets expect.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    how = unpacking_of(data, MAX_ROWS + 1)
    try:
        file = pq.ParquetFile(
            pa.BufferReader(data),
            thrift_string_size_limit=MAX_NAMES,
            thrift_container_size_limit=MAX_NAMES,
            pre_buffer=False,
        )
        names = [str(name) for name in file.schema_arrow.names]
        if len(names) > MAX_COLUMNS:
            raise DataError(f"There are {len(names):,} columns; at most {MAX_COLUMNS} can be read.")
        if len(set(names)) < len(names):
            raise DataError("Two of its columns have the same name.")
        columns = how.columns if how.notes else None
        batches = file.iter_batches(how.batch, row_groups=how.groups, columns=columns)
        with part(0.0, 0.8):
            records = records_of_batches(batches, file.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("It is not a Parquet file that can be read.") from None
    with part(0.8, 1.0):
        return named(table_of(records, (*notes, *how.notes)), classes_of_schema(file.schema_arrow.metadata))
