"""Every parser says how far it is, and ends where its user says stop."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import Cancelled
from core.files import Table, read_file, read_text
from core.runtime.progress import Progress, reporting, stoppable, watched
from tests.files.test_parquet import written

ROWS = 9_000
RECORDS = [{"input": f"word {i}", "label": str(i % 2)} for i in range(ROWS)]
PAIRS = "".join(f"word {i} -> {i % 2}\n" for i in range(ROWS))
FIELDS = "".join(f"Input: word {i}\nLabel: {i % 2}\n\n" for i in range(ROWS))
FILES: dict[str, bytes | str] = {
    "a.csv": "input,label\n" + "".join(f"word {i},{i % 2}\n" for i in range(ROWS)),
    "a.tsv": "input\tlabel\n" + "".join(f"word {i}\t{i % 2}\n" for i in range(ROWS)),
    "a.jsonl": "".join(json.dumps(record) + "\n" for record in RECORDS),
    "a.json": json.dumps(RECORDS),
    "a.txt": PAIRS,
    "fields.txt": FIELDS,
    "a.parquet": written({name: [record[name] for record in RECORDS] for name in ("input", "label")}),
}


def read(name: str, stop: Any = None) -> Table:
    data = FILES[name]
    if name.endswith(".txt"):
        assert isinstance(data, str)
        return read_text(data, stop=stop)
    return read_file(data.encode() if isinstance(data, str) else data, name, stop=stop)


@pytest.mark.parametrize("name", FILES)
def test_what_is_told_rises_to_the_whole(name: str) -> None:
    heard: list[Progress] = []
    with reporting(heard.append):
        assert len(read(name).rows) == ROWS
    shares = [one.share for one in heard]
    assert len(shares) > 10
    assert shares == sorted(shares)
    assert shares[-1] > 0.99


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("asked", [0, 3, 12])
def test_it_ends_at_the_next_question(name: str, asked: int) -> None:
    questions = []

    def stop() -> bool:
        questions.append(time.perf_counter())
        return len(questions) > asked

    with pytest.raises(Cancelled):
        read(name, stop)
    assert len(questions) == asked + 1


def test_nobody_is_asked_after_the_work(tmp_path: Path) -> None:
    with stoppable(lambda: True), pytest.raises(Cancelled):
        list(watched(range(3), 3, "things"))
    assert list(watched(range(3), 3, "things")) == [0, 1, 2]
    with stoppable(lambda: True), stoppable(None), pytest.raises(Cancelled):
        list(watched(range(3), 3, "things"))
