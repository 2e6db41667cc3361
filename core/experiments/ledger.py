"""Where experiments and their items are kept: one row an item, written as it is computed and never computed again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from core.errors import ICLensError
from core.experiments.design import QuestionBlock
from core.experiments.experiment import Experiment, read
from core.experiments.items import ExperimentItem

T = TypeVar("T")
WAIT = 10  # seconds for another process that writes
SETTINGS = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "ON"}
"""A commit waits until the disk has it: an item that was told of is there after a power cut."""

_tables = MetaData()
_experiments = Table(
    "experiments",
    _tables,
    Column("key", String(16), primary_key=True),
    Column("body", Text, nullable=False),
    Column("total", Integer, nullable=False),
)
_names = Table(
    "names",
    _tables,
    Column("owner", String(64), primary_key=True),
    Column("experiment", String(16), ForeignKey("experiments.key", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("made", Float, nullable=False),
)
"""Who has which experiment, and what they call it: two who ask the same share its items."""
_items = Table(
    "items",
    _tables,
    Column("experiment", String(16), ForeignKey("experiments.key", ondelete="CASCADE"), primary_key=True),
    Column("cell", Integer, primary_key=True),
    Column("question", Integer, primary_key=True),
    Column("labels", Text, nullable=False),
    Column("log_shares", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("fingerprint", String(40), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("error", Text, nullable=False),
)


class LedgerError(ICLensError):
    """The ledger cannot be read or written; `str` of it is one sentence."""


@dataclass(frozen=True)
class KeptExperiment:
    """An experiment in the ledger.

    Attributes:
        key: of the experiment.
        name: as the user calls it.
        made: when it was begun, seconds since 1970.
        done, failed, total: items computed, those of them that failed, and items in all.
    """

    key: str
    name: str
    made: float
    done: int
    failed: int
    total: int


class Ledger:
    """Experiments in an SQL database: a file of SQLite, or whatever an engine is made for."""

    def __init__(self, where: Path | str | Engine) -> None:
        """Args: where: the file of SQLite, made where there is none, or an engine of SQLAlchemy."""
        self.path = None if isinstance(where, Engine) else Path(where)
        self._engine = where if isinstance(where, Engine) else None

    def keep(self, experiment: Experiment, total: int, owner: str = "") -> None:
        """Enter an experiment as its owner's, or give one that is there its present name.

        Args:
            total: items in all.
            owner: whose it is; "" where there is one user alone.

        Raises:
            LedgerError: the ledger cannot be written.
        """
        key, body = experiment.key, experiment.model_copy(update={"name": ""}).model_dump_json()
        mine = (_names.c.owner == owner) & (_names.c.experiment == key)

        def enter(connection: Connection) -> None:
            if connection.execute(select(_experiments.c.key).where(_experiments.c.key == key)).first() is None:
                connection.execute(insert(_experiments).values(key=key, body=body, total=total))
            if connection.execute(update(_names).where(mine).values(name=experiment.name)).rowcount == 0:
                values = {"owner": owner, "experiment": key, "name": experiment.name, "made": time.time()}
                connection.execute(insert(_names).values(**values))

        try:
            self._do(enter)
        except LedgerError as error:
            if not isinstance(error.__cause__, IntegrityError):  # another process has entered it meanwhile
                raise
            self._do(enter)

    def write(self, key: str, items: Sequence[ExperimentItem]) -> None:
        """Keep items, in one transaction; one that is there is written anew.

        Raises:
            LedgerError: the ledger cannot be written, or the experiment is not in it (any more).
        """
        rows = [_row(key, item) for item in items]
        cells = {item.cell for item in items}

        def enter(connection: Connection) -> None:
            for cell in cells:
                questions = [item.question for item in items if item.cell == cell]
                connection.execute(
                    delete(_items).where(
                        _items.c.experiment == key, _items.c.cell == cell, _items.c.question.in_(questions)
                    )
                )
            connection.execute(insert(_items), rows)

        self._do(enter)

    def forget_others(self, key: str, fingerprints: Sequence[str]) -> None:
        """Forget what was computed with other checkpoints than these."""
        others = (_items.c.experiment == key) & (_items.c.error == "") & _items.c.fingerprint.not_in(fingerprints)
        self._do(lambda c: c.execute(delete(_items).where(others)))

    def done(self, key: str, blocks: Iterable[QuestionBlock], *, again: bool = False) -> set[QuestionBlock]:
        """Those of the blocks of which every item is there; `again` counts those that failed as not there."""
        columns = select(_items.c.cell, _items.c.question).where(_items.c.experiment == key)
        if again:
            columns = columns.where(_items.c.error == "")
        have = {(cell, question) for cell, question in self._do(lambda c: c.execute(columns).all())}
        return {b for b in blocks if all((b.cell.number, q) in have for q in range(b.start, b.end))}

    def items(self, key: str) -> list[ExperimentItem]:
        """All items, by cell and question."""
        chosen = select(_items).where(_items.c.experiment == key).order_by(_items.c.cell, _items.c.question)
        return [_item(row) for row in self._do(lambda c: c.execute(chosen).all())]

    def count(self, key: str) -> tuple[int, int]:
        """How many items are there, and how many of them failed."""
        failed = func.count().filter(_items.c.error != "")
        chosen = select(func.count(), failed).where(_items.c.experiment == key)
        found = self._do(lambda c: c.execute(chosen).one())
        return int(found[0]), int(found[1])

    def all(self, owner: str = "") -> list[KeptExperiment]:
        """Every experiment of an owner, the newest first."""
        failed = func.count().filter(_items.c.error != "")
        counts = (
            select(_items.c.experiment, func.count().label("done"), failed.label("failed"))
            .group_by(_items.c.experiment)
            .subquery()
        )
        e, n = _experiments.c, _names.c
        chosen = (
            select(e.key, n.name, n.made, func.coalesce(counts.c.done, 0), func.coalesce(counts.c.failed, 0), e.total)
            .join(_names, n.experiment == e.key)
            .outerjoin(counts, counts.c.experiment == e.key)
            .where(n.owner == owner)
            .order_by(n.made.desc())
        )
        return [KeptExperiment(*row) for row in self._do(lambda c: c.execute(chosen).all())]

    def experiment(self, key: str, owner: str = "") -> Experiment | None:
        """The experiment of that key as its owner calls it, None where there is none."""
        name = select(_names.c.name).where(_names.c.owner == owner, _names.c.experiment == key).scalar_subquery()
        chosen = select(_experiments.c.body, name).where(_experiments.c.key == key)
        row = self._do(lambda c: c.execute(chosen).first())
        return None if row is None else read(row[0]).model_copy(update={"name": row[1] or ""})

    def name_of(self, key: str, owner: str = "") -> str | None:
        """What its owner calls it, None where it is not the owner's."""
        chosen = select(_names.c.name).where(_names.c.owner == owner, _names.c.experiment == key)
        return self._do(lambda c: c.execute(chosen).scalar())

    def rename(self, key: str, name: str, owner: str = "") -> None:
        """Give it another name."""
        mine = (_names.c.owner == owner) & (_names.c.experiment == key)
        self._do(lambda c: c.execute(update(_names).where(mine).values(name=name)))

    def delete(self, key: str, owner: str = "") -> None:
        """Forget an owner's experiment, and all its items where nobody else has it."""

        def forget(connection: Connection) -> None:
            connection.execute(delete(_names).where(_names.c.owner == owner, _names.c.experiment == key))
            if connection.execute(select(_names.c.owner).where(_names.c.experiment == key)).first() is None:
                connection.execute(delete(_items).where(_items.c.experiment == key))
                connection.execute(delete(_experiments).where(_experiments.c.key == key))

        self._do(forget)

    def close(self) -> None:
        """Let go of the database; what is asked next opens it again."""
        if self._engine is not None:
            self._engine.dispose()
        if self.path is not None:
            self._engine = None

    def _do(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._opened().begin() as connection:
                return work(connection)
        except (SQLAlchemyError, OSError) as error:
            raise LedgerError(self._sentence(error)) from error

    def _opened(self) -> Engine:
        if self.path is not None and not self.path.exists():
            self.close()
        if self._engine is None:
            assert self.path is not None
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._engine = _sqlite(self.path)
            _make_tables(self._engine)
        elif self.path is None:
            _make_tables(self._engine)
        return self._engine

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, IntegrityError):
            return "This experiment was deleted meanwhile: begin it again."
        where = "the database" if self.path is None else f"“{self.path}”"
        cause = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__)
        return f"Experiments cannot be kept in {where} ({cause.splitlines()[0]}): what was kept before is still there."


def _make_tables(engine: Engine) -> None:
    """Those that are not there. Another process may make one at the same moment: then it is there at the next look."""
    for look in range(len(_tables.sorted_tables) + 1):
        try:
            _tables.create_all(engine)
            return
        except OperationalError:
            if look == len(_tables.sorted_tables):
                raise


def _sqlite(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": WAIT})

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _: Any) -> None:
        for name, value in SETTINGS.items():
            connection.execute(f"PRAGMA {name} = {value}").fetchall()

    return engine


def _row(key: str, item: ExperimentItem) -> dict[str, Any]:
    return {
        "experiment": key,
        "cell": item.cell,
        "question": item.question,
        "labels": json.dumps(item.labels, ensure_ascii=False),
        "log_shares": json.dumps(item.log_shares),  # shortest decimals that give the same float64 back
        "shown": json.dumps(item.shown, ensure_ascii=False),
        "fingerprint": item.fingerprint,
        "seconds": item.seconds,
        "error": item.error,
    }


def _item(row: Row[Any]) -> ExperimentItem:
    shown = json.loads(row.shown)
    return ExperimentItem(
        cell=row.cell,
        question=row.question,
        labels=tuple(json.loads(row.labels)),
        log_shares=tuple(json.loads(row.log_shares)),
        shown=tuple(tuple(one) if isinstance(one, list) else one for one in shown),
        fingerprint=row.fingerprint,
        seconds=row.seconds,
        error=row.error,
    )
