"""Parquet and Arrow: whatever hides in a few bytes is known before it is unpacked, and what is ordinary is read whole.

Limits are small here, and files are made at run time, so that none of them is large anywhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import DataError
from core.files import arrow, parquet_pages, read_file
from core.files.arrow import weight
from core.files.arrow_files import read_arrow
from core.files.parquet_pages import unpacking_of
from core.files.thrift import read_struct

SMALL = 200_000


def written(columns: dict[str, Any] | pa.Table, **how: Any) -> bytes:
    buffer = io.BytesIO()
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, buffer, **{"compression": "zstd", **how})
    return buffer.getvalue()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of 200 KB."""
    for name in ("MAX_PAGE", "MAX_HELD"):
        monkeypatch.setattr(parquet_pages, name, SMALL)
    monkeypatch.setattr(parquet_pages, "MAX_VALUES", 5_000)
    monkeypatch.setattr(arrow, "MAX_TEXT", SMALL)


@contextmanager
def bounded() -> Iterator[None]:
    """What is done inside takes no more than a few times what the limits say."""
    before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    try:
        yield
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() < 8 * SMALL


LONG, HUGE = "x" * 50_000, "x" * 4_000_000
FEW = [f"text {i}" for i in range(100)]
HIDDEN = {
    "one page": (
        written({"a": ["x" * 4_000_000] * 2, "b": ["y"] * 2}, use_dictionary=False),
        "a page of its column “a”",
    ),
    "a dictionary": (written({"a": [HUGE] * 2, "b": ["y"] * 2}), "a page of its column “a”"),
    "cells that share a text": (written({"a": [LONG] * 100, "b": FEW}), "first rows hold more than"),
    "cells that share a beginning": (
        written({"a": [LONG] * 100, "b": FEW}, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"}),
        "first rows hold more than",
    ),
    "a page a row": (
        written({"a": [LONG] * 100, "b": FEW}, use_dictionary=False, data_page_size=1_000, write_batch_size=1),
        "first rows hold more than",
    ),
    "many columns": (written({f"c{i}": [LONG] for i in range(20)}, use_dictionary=False), "columns take more than"),
    "a list of numbers": (written({"a": [[7] * 1_000_000, []], "b": ["y", "z"]}), "one column only"),
    "a list of texts": (written({"a": [[LONG] * 1_000], "b": ["y"]}), "one column only"),
    "a list without a dictionary": (
        written(
            {"a": [["x" * 1_000] * 50] * 20, "b": FEW[:20]}, use_dictionary=False, data_page_size=1, write_batch_size=50
        ),
        "one column only",
    ),
    "nothing but lists": (written({"a": [[7] * 100_000], "b": [[7] * 100_000]}), "lists in its columns are too large"),
    "wide values": (
        written({"a": pa.array([None] * 5, pa.binary(10_000)), "b": FEW[:5]}),
        "takes more than 1,024 bytes",
    ),
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_hides_is_refused_before_it_is_unpacked(kind: str, small: None) -> None:
    data, reason = HIDDEN[kind]
    with bounded(), pytest.raises(DataError, match=reason):
        read_file(data, "a.parquet")


def test_a_column_of_large_lists_is_left_out_and_the_rest_is_read(small: None) -> None:
    data = written({"a": [[7] * 1_000_000, []], "b": ["y", "z"], "c": [1, 2]})
    with bounded():
        table = read_file(data, "a.parquet")
    assert table.columns == ("b", "c")
    assert table.rows == (("y", "1"), ("z", "2"))
    assert table.notes == ("The column “a” was left out: its lists are too large to be unpacked.",)


def test_columns_in_columns_and_pages_without_end() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(DataError, match="nested too deeply"):
        read_file(written({"a": [deep], "b": ["y"]}), "a.parquet")
    with pytest.raises(DataError, match="columns and parts of columns"):
        read_file(written({f"c{i}": [i] for i in range(2_100)}), "a.parquet")


def test_far_more_pages_than_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written({"a": [[i] for i in range(2_000)], "b": FEW * 20}, data_page_size=1, write_batch_size=1)
    assert len(read_file(data, "a.parquet").rows) == 2_000
    monkeypatch.setattr(parquet_pages, "MAX_PAGES", 500)
    with pytest.raises(DataError, match="far more pages"):
        read_file(data, "a.parquet")


ORDINARY: dict[str, list[Any]] = {
    "text": [f"row {i} of many, with some words in it" for i in range(3_000)],
    "label": [("pos", "neg", None)[i % 3] for i in range(3_000)],
    "number": [i * 7 % 1_000 for i in range(3_000)],
    "answers": [{"text": [f"a{i}", "b"], "start": [i]} for i in range(3_000)],
    "tags": [["shared"] * (i % 3) + [f"own {i}"] for i in range(3_000)],
}


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "lz4", "zstd"])
def test_ordinary_files_are_read_whole(codec: str, version: str) -> None:
    how = {"row_group_size": 700, "data_page_size": 2_000, "dictionary_pagesize_limit": 4_000, "write_batch_size": 50}
    data = written(ORDINARY, compression=codec, data_page_version=version, **how)
    table = read_file(data, "a.parquet")
    assert table.columns == ("text", "label", "number", "answers.text", "answers.start", "tags")
    assert len(table.rows) == 3_000
    assert table.rows[1_234] == (
        ORDINARY["text"][1_234],
        "neg",
        "638",
        '["a1234", "b"]',
        "1234",
        '["shared", "own 1234"]',
    )
    assert not table.notes


def test_what_the_headers_say_is_what_pyarrow_says() -> None:
    data = written(ORDINARY, row_group_size=1_000, data_page_size=5_000)
    told = pq.ParquetFile(io.BytesIO(data)).metadata
    length = int.from_bytes(data[-8:-4], "little")
    footer, end = read_struct(memoryview(data), len(data) - 8 - length)
    assert end == len(data) - 8
    assert footer[3] == told.num_rows
    stored = [told.schema.column(place) for place in range(told.num_columns)]
    leaves = [(leaf.column, leaf.repeated) for leaf in parquet_pages._leaves(footer[2])]
    assert leaves == [(one.path.partition(".")[0], one.max_repetition_level > 0) for one in stored]
    for group in range(told.num_row_groups):
        assert footer[4][group][3] == told.row_group(group).num_rows
        for column in range(told.num_columns):
            mine, theirs = footer[4][group][1][column][3], told.row_group(group).column(column)
            sizes = (mine[5], mine[6], mine[7], mine[9])
            assert sizes == (
                theirs.num_values, theirs.total_uncompressed_size, theirs.total_compressed_size, theirs.data_page_offset
            )  # fmt: skip
            pages = list(parquet_pages._walk(data, mine, parquet_pages._Counter(10_000)))
            assert sum(int(header[5][1]) for header, _ in pages if header[1] == 0) == theirs.num_values
            headers = mine[7] - sum(len(body) for _, body in pages)
            assert sum(int(header[2]) for header, _ in pages) + headers == theirs.total_uncompressed_size


def test_rows_that_may_be_large_are_read_few_at_once(small: None) -> None:
    plain = unpacking_of(written({"a": FEW, "b": FEW}), 10_000)
    large = unpacking_of(written({"a": [LONG[:20_000]] * 3, "b": FEW[:3]}), 10_000)
    assert plain.batch == parquet_pages.BATCH
    assert 1 <= large.batch < SMALL / 20_000


def test_row_groups_that_were_not_looked_at_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written({"a": FEW, "b": FEW}, row_group_size=10)
    assert unpacking_of(data, 25).groups == [0, 1, 2]
    monkeypatch.setattr("core.files.parquet.MAX_ROWS", 24)
    assert len(read_file(data, "a.parquet").rows) == 30


@pytest.mark.parametrize(
    "broken",
    [
        b"PAR1" + b"\0" * 20 + b"PAR1",
        b"PAR1" + b"\xff" * 40 + (30).to_bytes(4, "little") + b"PAR1",
        b"PAR1PAR1",
        b"PAR1",
    ],
)
def test_broken_files_are_one_sentence(broken: bytes) -> None:
    with pytest.raises(DataError, match="not a Parquet file"):
        read_file(broken, "a.parquet")


def test_a_file_cut_or_changed_anywhere_is_a_table_or_a_sentence() -> None:
    data = bytearray(written({"a": FEW, "b": [[i] for i in range(100)]}, compression="none"))
    for place in range(len(data)):
        changed = data.copy()
        changed[place] ^= 0xFF
        for file in (bytes(changed), bytes(data[:place])):
            with suppress(DataError):
                read_file(file, "a.parquet")


CELLS = [
    (pa.array(["ab", None, "c"]), 3),
    (pa.array(["ab", "c"], pa.large_string()), 3),
    (pa.array(["ab", "c" * 40], pa.string_view()), 42),
    (pa.array(["x", "ab", "c" * 40], pa.string_view())[1:], 42),
    (pa.array([b"abc"], pa.binary(3)), 3),
    (pa.array(["ab", "c", "ab"]).dictionary_encode(), 5),
    (pa.array([{"a": "xyz", "b": 1}]), 3 + 8 + 8),
    (pa.array([["ab"], [], ["c", "d"]]), 3 * arrow.INNER + 3 * 8 + 4),
    (pa.array([["ab"], ["c"], ["d"]])[1:2], arrow.INNER + 8 + 1),
    (
        pa.array([[("k", "value")], [("l", "w"), ("m", "x")]], pa.map_(pa.string(), pa.string()))[1:],
        2 * arrow.INNER + 4 * 8 + 4,
    ),
    (pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2)), 4 * arrow.INNER + 4 * 8),
]


@pytest.mark.parametrize(("cells", "beside"), CELLS, ids=[str(cells.type) for cells, _ in CELLS])
def test_what_cells_take_is_what_they_hold(cells: pa.Array, beside: int) -> None:
    assert weight(cells, 10_000) == 8 * len(cells) + beside
    with pytest.raises(DataError):
        weight(cells, 8 * len(cells) + beside - 1)


def stream(path: Path, table: pa.Table, **how: Any) -> Path:
    with pa.ipc.new_stream(str(path), table.schema, options=pa.ipc.IpcWriteOptions(**how)) as writer:
        writer.write_table(table, max_chunksize=50)
    return path


def test_arrow_streams_and_files(tmp_path: Path, small: None) -> None:
    table = pa.table({"text": FEW, "kind": pa.array(["a", "b"] * 50).dictionary_encode()})
    with pa.ipc.new_file(str(tmp_path / "file.arrow"), table.schema) as writer:
        writer.write_table(table)
    for path in (stream(tmp_path / "stream.arrow", table), tmp_path / "file.arrow"):
        found = read_arrow(path)
        assert found.columns == ("text", "kind")
        assert found.rows == tuple((text, "ab"[place % 2]) for place, text in enumerate(FEW))


def test_arrow_that_hides_something_is_refused(tmp_path: Path, small: None) -> None:
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 100), pa.array([LONG]))
    table = pa.table({"a": shared, "b": FEW})
    with pytest.raises(DataError, match="first rows hold more than"):
        read_arrow(stream(tmp_path / "shared.arrow", table))
    with pytest.raises(DataError, match="compressed Arrow"):
        read_arrow(
            stream(tmp_path / "packed.arrow", pa.table({"a": ["x" * 4_000_000], "b": ["y"]}), compression="zstd")
        )
    with pytest.raises(DataError, match="compressed Arrow"):
        read_arrow(stream(tmp_path / "dictionary.arrow", table, compression="zstd"))
    (tmp_path / "none.arrow").write_bytes(b"nothing of the kind, but long enough")
    with pytest.raises(DataError, match="not an Arrow file"):
        read_arrow(tmp_path / "none.arrow")
