"""What a Parquet file will take once unpacked, read from its headers alone.

Nothing that is compressed in it is unpacked here but dictionaries, whose size is known before: a page says how large it
is, a footer only claims so. So a file of a kilobyte that would become gigabytes is known before it does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from mmap import mmap
from typing import Any

from core.errors import DataError
from core.files.thrift import read_struct

MAX_FOOTER = 2 * 2**20
MAX_PAGE = 32 * 2**20
MAX_HELD = 128 * 2**20
"""Bytes that the columns of a file may take at once while it is read, beyond the texts that are kept."""
MAX_PAGES = 50_000
MAX_LEAVES = 2_000
MAX_WIDTH = 1_024
"""Bytes of a value of fixed width."""
MAX_VALUES = 2_000_000
"""Values of a column of lists."""
DEEPEST = 24
BATCH = 64
"""Rows that are read at once where none of them can be large."""

_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # kinds of pages
_OF_DICTIONARY = (2, 8)  # PLAIN_DICTIONARY, RLE_DICTIONARY
_OF_PREFIXES = 7  # DELTA_BYTE_ARRAY
_BYTES, _FIXED = 6, 7  # BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY
_CODECS = {1: "snappy", 2: "gzip", 4: "brotli", 6: "zstd", 7: "lz4_raw"}
_REPEATED = 2

Fields = dict[int, Any]


@dataclass(frozen=True)
class _Leaf:
    """A column as it is stored: the part of the table's column that it belongs to, its kind, and whether in lists."""

    column: str
    kind: int
    repeated: bool


@dataclass
class _Pages:
    """What the pages of a column chunk say.

    Attributes:
        values: in all of them, nulls too.
        size: bytes of all data pages, unpacked.
        largest: bytes of the largest of them.
        dictionary: bytes of the dictionary, unpacked.
        longest: bytes that a value may take that takes next to none in its page; 0 where there are no such values.
        dense: bytes of a page over its values, in the page where that is most.
    """

    values: int = 0
    size: int = 0
    largest: int = 0
    dictionary: int = 0
    longest: int = 0
    dense: float = 0.0

    def too_many(self) -> bool:
        """Whether a column of lists is too large: one row may hold all of it."""
        return self.values > MAX_VALUES or self.size > MAX_HELD or self.values * self.longest > MAX_HELD


@dataclass
class Unpacking:
    """How a file is to be read.

    Attributes:
        columns: those of the table that can be.
        batch: rows at once.
        groups: the row groups that were looked at, and no others are to be read.
        notes: what was left out, one sentence each.
    """

    columns: list[str]
    batch: int = BATCH
    groups: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def unpacking_of(data: bytes | mmap, rows: int) -> Unpacking:
    """How to read the first rows of a Parquet file in bounded memory.

    Args:
        data: the file.
        rows: that are wanted.

    Raises:
        DataError: it is none, or what of it would have to be unpacked at once is too large.
    """
    try:
        footer = _footer(data)
        leaves = _leaves(footer[2])
        found = Unpacking(list(dict.fromkeys(leaf.column for leaf in leaves)))
        left = rows
        pages = _Counter(MAX_PAGES)
        for number, group in enumerate(footer.get(4, [])):
            if left <= 0:
                break
            if int(group[3]) > 0:
                _read_group(data, leaves, group[1], left, pages, found)
                found.groups.append(number)
                left -= int(group[3])
    except (struct.error, IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("It is not a Parquet file that can be read.") from None
    if found.notes and (not found.columns or any("." in leaf.column for leaf in leaves)):
        raise DataError("The lists in its columns are too large to be unpacked.")  # names with dots are names of parts
    return found


def _footer(data: bytes | mmap) -> Fields:
    if len(data) < 12 or data[-4:] != b"PAR1" or data[:4] != b"PAR1":
        raise ValueError("no footer")
    (length,) = struct.unpack("<I", data[-8:-4])
    if length > min(MAX_FOOTER, len(data) - 12):
        if length > len(data) - 12:
            raise ValueError("footer longer than the file")
        raise DataError(f"Its table of contents has more than {MAX_FOOTER // 2**20} MB; write it in fewer row groups.")
    found, _ = read_struct(memoryview(data), len(data) - 8 - length)
    return found


def _leaves(schema: Sequence[Fields]) -> list[_Leaf]:
    """The stored columns in order, from the tree of the schema as it is written: each node before its children."""
    if len(schema) > MAX_LEAVES:
        raise DataError(f"It has {len(schema):,} columns and parts of columns; at most {MAX_LEAVES:,} can be read.")
    open_: list[list[Any]] = [[int(schema[0].get(5, 0)), "", False]]  # children to come, column, in a list
    found = []
    for node in schema[1:]:
        while open_ and open_[-1][0] == 0:
            open_.pop()
        open_[-1][0] -= 1
        name = bytes(node[4]).decode("utf-8", "replace")
        column = open_[-1][1] or name
        repeated = open_[-1][2] or node.get(3) == _REPEATED
        if node.get(5):
            open_.append([int(node[5]), column, repeated])
            if len(open_) > DEEPEST:
                raise DataError("Its columns are nested too deeply to be read.")
            continue
        if node[1] == _FIXED and not 0 <= int(node.get(2, 0)) <= MAX_WIDTH:
            raise DataError(f"Each value of its column “{column[:40]}” takes more than {MAX_WIDTH:,} bytes.")
        found.append(_Leaf(column, int(node[1]), repeated))
    return found


class _Counter:
    """Counts down to a refusal."""

    def __init__(self, most: int) -> None:
        self._left = most

    def count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise DataError("It is cut into far more pages than its rows need; write it anew.")


def _read_group(
    data: bytes | mmap, leaves: Sequence[_Leaf], chunks: Sequence[Fields], rows: int, pages: _Counter, found: Unpacking
) -> None:
    """Take one row group into account: b rows of a column without lists take the two pages that they begin and end in,
    and b times what a row takes in the page where that is most, or what a value may grow to."""
    held, growing = 0, 0.0
    for leaf, chunk in zip(leaves, chunks, strict=True):
        seen = _pages(data, leaf, chunk[3], rows, pages)
        if leaf.repeated and seen.too_many():
            _leave_out(found, leaf.column)
            continue
        held += 2 * seen.largest + seen.dictionary
        growing += 0 if leaf.repeated else max(seen.longest, seen.dense)
    if held + growing > MAX_HELD:
        raise DataError(f"Unpacked, its columns take more than {MAX_HELD // 2**20} MB at once.")
    if growing:
        found.batch = min(found.batch, max(1, int((MAX_HELD - held) / growing)))


def _leave_out(found: Unpacking, column: str) -> None:
    if column in found.columns:
        found.columns.remove(column)
        found.notes.append(f"The column “{column[:40]}” was left out: its lists are too large to be unpacked.")


def _pages(data: bytes | mmap, leaf: _Leaf, chunk: Fields, rows: int, counter: _Counter) -> _Pages:
    """What the pages of a column chunk say, up to the last one that holds one of the rows."""
    found = _Pages()
    for header, body in _walk(data, chunk, counter):
        size, kind = int(header[2]), header[1]
        if not 0 <= size <= MAX_PAGE:
            raise DataError(
                f"Unpacked, a page of its column “{leaf.column[:40]}” has more than {MAX_PAGE // 2**20} MB."
            )
        if kind == _DICTIONARY:
            found.dictionary = max(found.dictionary, size)
            longest = _longest(body, size, int(header[7][1]), chunk.get(4, 0)) if leaf.kind == _BYTES else 0
            found.longest = max(found.longest, longest)
        elif kind in (_DATA, _DATA_2):
            found.largest = max(found.largest, size)
            about = header[5 if kind == _DATA else 8]
            found.values += int(about[1])
            found.size += size
            found.dense = max(found.dense, size / max(1, int(about[1])))
            if about[2 if kind == _DATA else 4] == _OF_PREFIXES:
                found.longest = max(found.longest, size)
        if found.values >= rows and not leaf.repeated:
            break
    return found


def _walk(data: bytes | mmap, chunk: Fields, counter: _Counter) -> Iterator[tuple[Fields, memoryview]]:
    """(header, compressed body) of the pages of a column chunk."""
    view, place = memoryview(data), int(chunk[9])
    if 0 < int(chunk.get(11, 0)) < place:
        place = int(chunk[11])
    end = place + int(chunk[7])
    if not 0 <= place <= end <= len(data):
        raise ValueError("outside of the file")
    while place < end:
        counter.count()
        header, place = read_struct(view, place)
        length = int(header[3])
        if not 0 <= length <= end - place:
            raise ValueError("a page longer than its column")
        yield header, view[place : place + length]
        place += length


def _longest(body: memoryview, size: int, entries: int, codec: int) -> int:
    """Bytes of the longest text of a dictionary, each of them written as its length and itself; the whole size where
    that cannot be known."""
    import pyarrow as pa

    if codec and codec not in _CODECS:
        return size
    try:
        plain = pa.decompress(bytes(body), size, _CODECS[codec], asbytes=True) if codec else bytes(body)
    except (pa.ArrowException, OSError, ValueError):
        return size
    longest = place = 0
    for _ in range(min(entries, MAX_VALUES)):
        if place + 4 > len(plain):
            break
        (length,) = struct.unpack_from("<I", plain, place)
        longest, place = max(longest, length), place + 4 + length
    return min(longest, size)
