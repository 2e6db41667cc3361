"""One setting for every connection; files deleted, damaged, read-only and full; sentences."""

from __future__ import annotations

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from core.study.study import Study
from pages.ui.store import database
from pages.ui.store.database import Database, StoreError
from pages.ui.store.studies import Studies
from tests.pages.store.conftest import pool_of


def test_every_connection_has_the_setting_that_outlives_a_power_cut(kept: Studies) -> None:
    kept.save(Study())
    engine = kept.database._engine
    assert engine is not None
    together = threading.Barrier(8)

    def ask(_: int) -> tuple[str, int, int]:
        with engine.connect() as connection:
            together.wait(timeout=30)  # so that each has a connection of its own
            names = ("journal_mode", "synchronous", "foreign_keys")
            return tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {("wal", 2, 1)}  # 2 is FULL


def test_writers_do_not_mix(path: Path) -> None:
    """Two servers on one file, four threads each."""
    stores = [Studies(Database(path)) for _ in range(2)]

    def save(number: int) -> tuple[str, Study]:
        study = Study(query=str(number), pool=pool_of(200, seed=number % 3))
        return stores[number % 2].save(study)[0], study

    with ThreadPoolExecutor(8) as threads:
        for key, study in threads.map(save, range(60)):
            body = stores[0].load(key)
            assert body is not None
            assert Study.model_validate_json(body) == study
    for one in stores:
        one.database.close()


def test_a_deleted_file_is_begun_anew_and_counted(kept: Studies, path: Path) -> None:
    before, _ = kept.save(Study(query="before"))
    number = kept.database.current()
    path.unlink()
    assert kept.database.current() != number
    assert kept.load(before) is None
    after, _ = kept.save(Study(query="after"))
    kept.database.close()
    assert Studies(Database(path)).load(after) is not None


def test_a_deleted_folder_too(kept: Studies, path: Path) -> None:
    kept.save(Study(query="before"))
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    after, _ = kept.save(Study(query="after"))
    assert kept.load(after) is not None


@pytest.mark.parametrize("damage", ["no database", "cut off", "a page", "while it is open"])
def test_a_damaged_file_is_put_aside_and_a_new_one_begun(path: Path, damage: str) -> None:
    kept = Studies(Database(path))
    for number in range(40):
        kept.save(Study(query=str(number), pool=pool_of(300, seed=number)))
    if damage != "while it is open":
        kept.database.close()
    whole = path.read_bytes() if damage != "while it is open" else b""
    if damage in ("no database", "while it is open"):
        with path.open("r+b") as file:  # the same file: nothing else shows that it is another
            file.write(b"this is no database" * 1_000)
        for end in database.BESIDE:
            Path(f"{path}{end}").unlink(missing_ok=True)
    elif damage == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    else:
        path.write_bytes(whole[:4096] + b"\xff" * 8192 + whole[12288:])
    number = kept.database.current()
    if damage == "while it is open":  # its pages are still in memory, as far as they were read
        kept.database.close()
    key, _ = kept.save(Study(query="after"))
    assert kept.load(key) is not None
    (aside,) = [file for file in path.parent.glob("studies.damaged-*") if file.suffix == ".sqlite"]
    (sentence,) = kept.database.said
    assert str(aside) in sentence
    assert sentence.count("\n") == 0
    assert kept.database.current() != number
    assert not whole or aside.stat().st_size > 0


def test_a_full_disk_is_one_sentence_and_over_when_there_is_room(kept: Studies) -> None:
    key, _ = kept.save(Study(query="before"))
    engine = kept.database._engine
    assert engine is not None
    limit: list[int] = [1]

    @event.listens_for(engine, "begin")
    def _limit(connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit[0]}")

    with pytest.raises(StoreError, match=r"\(the disk is full\).*\.$") as said:
        kept.save(Study(pool=pool_of(3_000)))
    assert "\n" not in str(said.value)
    assert kept.load(key) is not None
    limit[0] = 2**30
    assert kept.save(Study(pool=pool_of(3_000)))[1]


def test_a_file_that_can_only_be_read_is_read_and_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Studies(Database(path))
    key, _ = kept.save(Study(query="before"))
    kept.database.close()
    make = database._sqlite

    def read_only(where: Path, frozen: bool = False):
        """As on a disk that is mounted so; who runs the tests may be allowed everything."""
        engine = make(where, frozen)
        if not frozen:

            @event.listens_for(engine, "do_connect")
            def _connect(dialect, record, arguments, named):
                return sqlite3.connect(f"{where.as_uri()}?mode=ro", uri=True, check_same_thread=False)

            path.with_name(path.name + "-wal").unlink(missing_ok=True)
        return engine

    with monkeypatch.context() as patched:
        patched.setattr(database, "_sqlite", read_only)
        for _ in range(2):
            assert kept.load(key) is not None
            with pytest.raises(StoreError, match=r"\(it can be read and not written\).*\.$"):
                kept.save(Study(query="new"))
    kept.database.close()
    assert kept.save(Study(query="new"))[1]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="whoever may write everywhere can here too")
def test_a_read_only_folder(kept: Studies, path: Path) -> None:
    key, _ = kept.save(Study(query="before"))
    kept.database.close()
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert kept.load(key) is not None
        with pytest.raises(StoreError, match=r"cannot be kept in"):
            kept.save(Study(query="new"))
    finally:
        path.parent.chmod(0o755)
        path.chmod(0o644)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match=r"^Studies cannot be kept in .*file \(.+\): .*\.$"):
        Studies(Database(tmp_path / "file" / "studies.sqlite")).save(Study())


def test_nothing_is_left_half_written(kept: Studies) -> None:
    class Interrupted(Exception):
        pass

    def work(connection) -> None:
        connection.exec_driver_sql("INSERT INTO lists VALUES ('a', x'00')")
        raise Interrupted

    with pytest.raises(Interrupted):
        kept.database.write(work)
    found = kept.database.read(lambda connection: connection.exec_driver_sql("SELECT COUNT(*) FROM lists").scalar())
    assert found == 0
