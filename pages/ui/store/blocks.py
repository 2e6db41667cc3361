"""Tables of demonstrations cut into blocks, so that studies whose tables are alike share what they have in common.

A table is cut behind every row whose check sum says so, and so at the same rows whatever stands elsewhere in it
(content-defined chunking: Muthitacharoen, Chen and Mazières 2001). A row that changes, comes or goes therefore makes
a new block or two, and a table that stays makes none.
"""

from __future__ import annotations

import hashlib
import json
import operator
import threading
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.study.demonstrations import Demonstration

FEWEST, MOST = 8, 128  # rows of a block
ONE_IN = 32  # rows that a block ends with; so many a block has beyond FEWEST, in the mean
SMALL = 8_000  # characters of a table that is left where it is, in the study's own JSON
LATEST = 16  # tables whose blocks are at hand


@dataclass(frozen=True)
class Listed:
    """A table as blocks.

    Attributes:
        id: of the table: a digest of its blocks' ids.
        ids: of its blocks, in order.
        blocks: JSON of the rows of each, joined with commas, by id.
    """

    id: str
    ids: tuple[str, ...]
    blocks: Mapping[str, str]


def digest(text: str) -> str:
    """The first 16 hex digits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cut(rows: Sequence[Demonstration]) -> Listed | None:
    """A table as blocks, or None where it is so small that it can stay where it is."""
    texts = [row.model_dump_json() for row in rows]
    if sum(map(len, texts)) <= SMALL:
        return None
    blocks: dict[str, str] = {}
    ids, block = [], list[str]()
    for place, text in enumerate(texts, start=1):
        block.append(text)
        ends = len(block) >= FEWEST and zlib.crc32(text.encode()) % ONE_IN == 0
        if ends or len(block) == MOST or place == len(texts):
            joined = ",".join(block)
            ids.append(digest(joined))
            blocks[ids[-1]] = joined
            block = []
    return Listed(digest("".join(ids)), tuple(ids), blocks)


def pack(text: str) -> bytes:
    """Text as it is kept."""
    return zlib.compress(text.encode(), 6)


def unpack(packed: bytes) -> str:
    """What `pack` was given."""
    return zlib.decompress(packed).decode()


def pack_ids(listed: Listed) -> bytes:
    """The ids of a table's blocks as they are kept."""
    return pack(json.dumps(listed.ids))


def unpack_ids(packed: bytes) -> list[str]:
    """Ids of a table's blocks."""
    found: list[str] = json.loads(unpack(packed))
    return found


class Cutter:
    """`cut`, at once for a table whose rows were cut lately: an edit elsewhere leaves every row the same object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: deque[tuple[Sequence[Demonstration], Listed | None]] = deque(maxlen=LATEST)

    def __call__(self, rows: Sequence[Demonstration]) -> Listed | None:
        with self._lock:
            latest = tuple(self._latest)
        for before, listed in reversed(latest):
            if len(before) == len(rows) and all(map(operator.is_, before, rows)):
                return listed
        listed = cut(rows)
        with self._lock:
            self._latest.append((rows, listed))
        return listed
