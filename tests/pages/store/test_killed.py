"""A process that writes is killed, at any time: what it said was kept is there, and nothing is half written."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.study.study import Study
from pages.ui.store.database import Database
from pages.ui.store.studies import Studies

ROOT = Path(__file__).parents[3]
TYPING = """
import itertools, sys
from pathlib import Path
from core.study.study import Study
from pages.ui.store.database import Database
from pages.ui.store.studies import Studies
from tests.pages.store.conftest import pool_of

kept, pool = Studies(Database(Path(sys.argv[1]))), pool_of(2_000)
for number in itertools.count():
    if number % 5 == 4:
        pool = (*pool[1:], pool[0])  # as if imported anew
    (key,), _ = kept.save_all([Study(query=f"{number}", pool=pool)], pending=("one", f"place {number}"))
    print(key, number, flush=True)
"""
LEARNING = """
import itertools
import numpy as np
from core.runtime import artifacts
from core.runtime.cost import Cost

rng = np.random.default_rng(0)
print("ready", flush=True)
for number in itertools.count():
    array = np.full(300_000, number, dtype=np.float64)
    artifacts.keep("0123456789abcdef", (array, int(number)), Cost(1, 1, 0), "numbers")
"""


def killed_after(code: str, seconds: float, *arguments: str, **environment: str) -> list[str]:
    """Run code in a process of its own, kill it so long after its first line, and return the lines that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read()
    process.wait(30)
    process.stdout.close()
    lines = (first + rest).split("\n")
    return lines[:-1]  # the last was not printed whole


@pytest.mark.parametrize("seed", range(3))
def test_every_study_that_was_kept_is_there(path: Path, seed: int) -> None:
    lines = killed_after(TYPING, random.Random(seed).uniform(0.05, 1.0), str(path))
    assert len(lines) > 1
    kept = Studies(Database(path))
    for line in lines:
        key, number = line.split()
        body = kept.load(key)
        assert body is not None
        assert Study.model_validate_json(body).query == number
        assert kept.expected("one", f"place {number}") == f"{key}."
    assert kept.database.said == []
    kept.database.close()
    with sqlite3.connect(path) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("seed", range(3))
def test_what_a_job_learned_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    from core.runtime import artifacts

    killed_after(LEARNING, random.Random(seed).uniform(0.05, 0.5), ICLENS_HOME=str(tmp_path))
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    found = artifacts.fetch("0123456789abcdef")
    assert found is not None
    (array, number), _ = found
    assert (array == number).all()
