"""A database that is opened when it is first asked for, and again when its file is gone, another one or damaged.

What is done in it is done by one thread at a time: a file has one writer anyway, and nothing else may hold it open
while it is put aside. Every connection has the same setting, under which what was written outlives a power cut: WAL,
and every commit waits until the disk has it. PostgreSQL has one writer at a time too, whichever server's it is, and
whoever reads sees one state of it: what lets go of tables that no study has must not meet one who has just found his.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

T = TypeVar("T")
MIGRATIONS = Path(__file__).with_name("migrations")
HEAD = "0005"  # the version of the schema that this code reads and writes
WAIT = 2  # seconds for another process that writes
WRITER = 0x1C1E45  # what PostgreSQL's advisory lock is held on by whoever writes
SETTINGS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "wal_autocheckpoint": 200,  # pages; with journal_size_limit, what the journal takes beside the file
    "journal_size_limit": 200 * 4096,
}
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL}
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a file while it is in use
CAUSES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it can be read and not written",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened or made",
    sqlite3.SQLITE_BUSY: "another program holds it",
    sqlite3.SQLITE_LOCKED: "another program holds it",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_PERM: "this user may not open it",
}
log = logging.getLogger(__name__)


class StoreError(Exception):
    """The store cannot be used; `str` of it is one sentence for the user."""


class Database:
    """One SQL database.

    Attributes:
        said: sentences for whoever asks next: what was put aside, and where.
    """

    def __init__(self, where: Path | Callable[[], Engine]) -> None:
        """Args: where: the file of SQLite, or what makes an engine for another database."""
        self.path = where if isinstance(where, Path) else None
        self._make = where if not isinstance(where, Path) else lambda: _sqlite(where)
        self._engine: Engine | None = None
        self._frozen = False  # the file can be read and not written: that is tried again before every write
        self._file: tuple[int, int] | None = None
        self._lock = threading.RLock()
        self._number = 0
        self.said: list[str] = []

    def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` finds, in a transaction of its own.

        Raises:
            StoreError: the database cannot be read.
        """
        return self._run(work, reading=True)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once all that it wrote is on the disk; nothing of it where it raises.

        Raises:
            StoreError: the database cannot be written.
        """
        return self._run(work, reading=False)

    def current(self) -> int:
        """The number of its file, the next one where that was deleted, exchanged or put aside: what was kept in those
        before may be gone."""
        with self._lock:
            if self.path is not None and self._engine is not None and self._file != _identity(self.path):
                self.close()
                self._number += 1
            return self._number

    def close(self) -> None:
        """Let go of the file; whatever is asked next opens it again."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None

    def _run(self, work: Callable[[Connection], T], reading: bool, again: bool = True) -> T:
        with self._lock:
            try:
                with self._open(reading).connect() as connection, _begun(connection, reading):
                    return work(connection)
            except (SQLAlchemyError, OSError, ImportError) as error:
                cut = isinstance(error, DBAPIError) and error.connection_invalidated  # all of them are made anew
                if not (again and (cut or self._is_damaged(error))):
                    raise StoreError(self._sentence(error)) from error
                try:
                    if not cut:
                        self._set_aside()
                except OSError:  # the folder is read-only too
                    raise StoreError(self._sentence(error)) from error
            return self._run(work, reading, again=False)

    def _open(self, reading: bool) -> Engine:
        """The engine, a new one where the file is not the one that was opened."""
        self.current()
        if self._frozen and not reading:
            self.close()
        if self._engine is None:
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                if not self.path.exists():  # what a deleted file has left beside it belongs to no other
                    for end in BESIDE:
                        Path(f"{self.path}{end}").unlink(missing_ok=True)
            self._engine = self._made(reading)
            self._file = None if self.path is None else _identity(self.path)
        return self._engine

    def _made(self, reading: bool) -> Engine:
        """An engine, its schema at `HEAD`. A file that cannot be written is read as it is, where that is asked for."""
        engine, self._frozen = self._make(), False
        try:
            migrate(engine)
        except SQLAlchemyError as error:
            engine.dispose()
            if not (reading and self.path is not None and self.path.exists() and _code(error) in UNWRITABLE):
                raise
            self._frozen = True
            return _sqlite(self.path, frozen=True)
        return engine

    def _is_damaged(self, error: Exception) -> bool:
        return self.path is not None and _code(error) in DAMAGED

    def _set_aside(self) -> None:
        """Rename a damaged file and what belongs to it: a new one is begun where it stood."""
        assert self.path is not None
        self.close()
        self._number += 1
        stamp = time.strftime("%Y%m%d-%H%M%S")
        aside = self.path.with_name(f"{self.path.stem}.damaged-{stamp}-{time.time_ns() % 10**6:06}{self.path.suffix}")
        for end in ("", *BESIDE):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{end}").rename(f"{aside}{end}")
        sentence = f"The file of kept studies was damaged: it was put aside as `{aside}`, and a new one was begun."
        log.warning(sentence)
        self.said.append(sentence)

    def _sentence(self, error: Exception) -> str:
        where = "the database" if self.path is None else str(self.path.parent)
        cause = CAUSES.get(_code(error) & 0xFF)
        if isinstance(error, Newer):
            cause = "a newer version of ICLens has written it"
        if self.path is None and isinstance(error, OperationalError):
            cause = "it cannot be reached"
        if isinstance(error, ImportError):
            cause = f"its driver “{error.name}” is not installed"
        if cause is None:
            cause = getattr(error, "strerror", None) or type(error).__name__
            cause = cause[:1].lower() + cause[1:] if " " in cause else cause
        return (
            f"Studies cannot be kept in {where} ({cause}): what you do now is in this tab alone, "
            "and links and refreshes will not bring it back."
        )


@contextmanager
def _begun(connection: Connection, reading: bool) -> Iterator[None]:
    """A transaction in which one state of the database is read, or what is written is written by nobody else."""
    postgresql = connection.dialect.name == "postgresql"
    level = {"isolation_level": "REPEATABLE READ"} if postgresql and reading else {}
    with connection.execution_options(reading=reading, **level).begin():
        if postgresql and not reading:
            connection.execute(text("SELECT pg_advisory_xact_lock(:writer)"), {"writer": WRITER})
        yield


class Newer(SQLAlchemyError):
    """The schema is of a version that this code does not know."""


def migrate(engine: Engine) -> None:
    """Bring the schema to `HEAD` from whatever version it has, none among them: in one transaction, or not at all."""
    with engine.connect() as connection, connection.execution_options(reading=True).begin():
        if _version(connection) == HEAD:
            return
    with engine.connect() as connection, _begun(connection, reading=False):
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Newer(str(error)) from error


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _sqlite(path: Path, frozen: bool = False) -> Engine:
    """An engine whose connections are all set alike; `frozen` for a file that nobody can write."""
    how = {"timeout": WAIT, "check_same_thread": False}
    if frozen:
        uri = f"{path.resolve().as_uri()}?immutable=1"
        return create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, **how))
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args=how)

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where SQLAlchemy says, not where Python's module guesses
        for name, value in SETTINGS.items():
            connection.execute(f"PRAGMA {name} = {value}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands under a path; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _code(error: Exception) -> int:
    """SQLite's own number for what went wrong, 0 where it has none."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(inner, "sqlite_errorcode", 0) or 0
    return code if code in DAMAGED else code & 0xFF
