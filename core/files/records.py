"""Records: JSON, JSON Lines and Parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import DataError
from core.files.table import MAX_COLUMNS, MAX_ROWS, Table, build

MAX_TEXT = 64 * 2**20
"""Characters read from a Parquet file, whose compression can hide any number of them."""
EXAMPLE = '[{"input": "cat", "label": "chat"}]'


def read_json(text: str, notes: Sequence[str] = ()) -> Table:
    """A JSON list of records.

    Raises:
        DataError: not JSON, or not a list of records.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise DataError(f"Its JSON is nested too deeply; a list of records is needed, such as {EXAMPLE}.") from None
    except json.JSONDecodeError as error:
        more = "; call it .jsonl if every line is a record" if error.msg == "Extra data" else ""
        raise DataError(f"It is not JSON: {error.msg} at line {error.lineno:,}{more}.") from None
    except ValueError as error:
        raise DataError(f"It is not JSON that can be read: {error}.") from None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise DataError(f"Its JSON is not a list of records, such as {EXAMPLE}.")
    return _table(value, notes)


def read_json_lines(text: str, notes: Sequence[str] = ()) -> Table:
    """One JSON record a line; blank lines are skipped.

    Raises:
        DataError: a line that is not a record, by its number.
    """
    records: list[dict[str, Any]] = []
    # Not splitlines: it also cuts at U+2028, which JSON allows inside a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise DataError(f"Line {number:,} is not JSON; every line must be one record.") from None
        if not isinstance(value, dict):
            raise DataError(f"Line {number:,} is not a record; every line must be one, such as {{…}}.")
        records.append(value)
        if len(records) > MAX_ROWS:
            break
    return _table(records, notes)


def read_parquet(data: bytes, notes: Sequence[str] = ()) -> Table:
    """The first 10,000 rows of a Parquet file.

    Raises:
        DataError: not Parquet, or far more text than its size lets expect.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    records: list[dict[str, Any]] = []
    size = 0
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        names = [str(name) for name in file.schema_arrow.names]
        if len(names) > MAX_COLUMNS:
            raise DataError(f"There are {len(names):,} columns; at most {MAX_COLUMNS} can be read.")
        if len(set(names)) < len(names):
            raise DataError("Two of its columns have the same name.")
        for batch in file.iter_batches(batch_size=64):
            size += batch.nbytes
            if size > MAX_TEXT:
                raise DataError(f"Unpacked, its first rows hold more than {MAX_TEXT // 2**20} MB.")
            records += batch.to_pylist()
            if len(records) > MAX_ROWS:
                break
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("It is not a Parquet file that can be read.") from None
    return _table(records, notes)


def _table(records: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> Table:
    """Columns are the keys in first-seen order; a record without a key has "" there."""
    columns = list(dict.fromkeys(str(key) for record in records[: MAX_ROWS + 1] for key in record))
    if not records:
        raise DataError("There are no rows of data in it.")
    if len(columns) > MAX_COLUMNS:
        raise DataError(f"There are {len(columns):,} columns; at most {MAX_COLUMNS} can be read.")
    return build(columns, ([_text(record.get(name)) for name in columns] for record in records), notes)


def _text(value: object) -> str:
    """A cell as text: nothing for null, JSON for lists, records and truth values."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
