"""What 60 one-letter edits of a study with a pool of 10,000 rows take in the store.

    python -m benchmarks.store            seconds; needs nothing; writes benchmarks/results/store.*

Each letter is a state of its own, kept as the dashboard keeps it: on a query that is typed, and in rows of the pool.
Counted is every file of the store, the journal beside it too, and what the same states take one by one as JSON.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.dashboard import machine
from benchmarks.written import write_results
from core.study.demonstrations import Demonstration
from core.study.study import Study
from pages.ui.store.database import Database
from pages.ui.store.studies import Studies

ROWS, EDITS, SEED = 10_000, 60, 13
TARGET = 3_000_000  # bytes
LETTERS = "abcdefghijklmnopqrstuvwxyz "


def pool(rng: random.Random) -> tuple[Demonstration, ...]:
    """Rows of 20 words that begin as often as words do in English (Zipf), none of them alike."""
    words = ["".join(rng.choices(LETTERS[:-1], k=rng.randint(2, 9))) for _ in range(5_000)]
    weights = [1 / (place + 1) for place in range(len(words))]
    return tuple(
        Demonstration(input=" ".join(rng.choices(words, weights, k=20)), label=rng.choice(("positive", "negative")))
        for _ in range(ROWS)
    )


def edits(study: Study, where: str, rng: random.Random) -> list[Study]:
    """The states that one letter after the other leads to."""
    states = [study]
    for _ in range(EDITS):
        before, letter = states[-1], rng.choice(LETTERS)
        if where == "the query":
            changes: dict[str, Any] = {"query": before.query + letter}
        else:
            rows, place = list(before.pool), rng.randrange(ROWS)
            rows[place] = rows[place].model_copy(update={"input": rows[place].input + letter})
            changes = {"pool": rows}
        states.append(Study.model_validate({**dict(before), **changes}))
    return states


def measure(where: str) -> dict[str, Any]:
    """Bytes and milliseconds of `EDITS` edits."""
    states = edits(Study(pool=pool(random.Random(SEED))), where, random.Random(SEED))
    with tempfile.TemporaryDirectory() as folder:
        kept = Studies(Database(Path(folder) / "studies.sqlite"))
        kept.save(Study())
        took, sizes, keys = [], [], []
        for state in states:
            start = time.process_time()
            keys.append(kept.save(state)[0])
            took.append(time.process_time() - start)
            sizes.append(sum(file.stat().st_size for file in Path(folder).iterdir()))
        for key, state in zip(keys, states, strict=True):
            assert Study.model_validate_json(kept.load(key) or "") == state
        kept.database.close()
    return {
        "bytes": sizes[-1],
        "first state": sizes[0],
        "as JSON": sum(len(state.model_dump_json()) for state in states),
        "processor ms a save": 1000 * statistics.median(took[1:]),
    }


def report(found: dict[str, Any]) -> str:
    """The table of both kinds of edits."""
    lines = [
        f"# {EDITS} one-letter edits of a study with a pool of {ROWS:,} rows",
        "",
        f"`python -m benchmarks.store`. Bytes of every file of the store; target: at most {TARGET / 1e6:.0f} MB.",
        "",
        "| letters typed in | store | after the first state | states one by one as JSON | a save |",
        "|---|---|---|---|---|",
    ]
    for where, row in found["edits"].items():
        sizes = f"{row['bytes'] / 1e6:.2f} MB | {row['first state'] / 1e6:.2f} MB | {row['as JSON'] / 1e6:.0f} MB"
        lines.append(f"| {where} | {sizes} | {row['processor ms a save']:.1f} ms of processor time |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Measure, write, and say whether the target is met."""
    found = {"machine": machine(), "edits": {where: measure(where) for where in ("the query", "the pool")}}
    write_results("store", found, report(found))
    print(report(found))
    return int(any(row["bytes"] > TARGET for row in found["edits"].values()))


if __name__ == "__main__":
    sys.exit(main())
