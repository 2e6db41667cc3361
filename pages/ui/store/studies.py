"""Studies and steps of undo in a database: kept, found, and let go of when there is too much.

A study is kept under an id that is a digest of what it says: the same study has the same link, and nobody's study is
overwritten by another's. Its tables, where they are large, are kept as blocks (`blocks.py`), each of them once.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from enum import IntEnum
from typing import Any

from sqlalchemy import Connection, bindparam, text

from core.study.study import Study
from pages.ui.store.blocks import Cutter, Listed, digest, pack, pack_ids, unpack, unpack_ids
from pages.ui.store.database import Database, StoreError

TABLES = ("demonstrations", "pool", "questions")
LARGEST = 64_000_000  # characters of JSON; a study above this is not kept
PASSING = 5_000  # states that somebody typed through
STEPS = 10_000  # studies whose steps are kept, all visitors together; the oldest go first
SERVER = uuid.uuid4().hex  # this process
UNDERWAY = 5  # seconds after which a browser that was sent an address has it, however busy it is
FORGOTTEN = 30 * 86_400  # seconds after which nobody comes back to what a server that died left
ROOM = 2 * 2**30  # bytes of all that is kept
BATCH = 256  # studies that go at once
TIDY_ONE_IN = 64  # studies kept, after one of which the limits are looked at: often enough to be bounded

Steps = Sequence[tuple[str, str]]


class Firmness(IntEnum):
    """How firmly a study is kept. What is less firm goes first, and of it what was used longest ago."""

    PASSED = 0  # typed through on the way to another
    STEP = 1  # where somebody stood: a step of undo, or where a session was left
    STAYS = 2  # named, or opened by its link: never goes


class Studies:
    """What a database keeps of all visitors."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._cut = Cutter()

    def save(self, study: Study) -> tuple[str, bool]:
        """Keep a study; its id, and whether it was not kept before.

        Raises:
            StoreError: the database cannot be written, or the study is too large to be kept.
        """
        (key,), made = self.save_all((study,))
        return key, key in made

    def save_all(
        self, some: Sequence[Study], passed: AbstractSet[str] = frozenset(), pending: tuple[str, str] | None = None
    ) -> tuple[tuple[str, ...], AbstractSet[str]]:
        """Keep studies, all or none; their ids, and which of these were not kept before.

        Args:
            some: the studies; where a session stands.
            passed: ids of those that were only typed through on the way here, and go first.
            pending: a visitor, and the place that the visitor's browser was given last. Until it is given this one
                (`save_steps`) and has it, the store knows where the visitor has got to.

        Raises:
            StoreError: the database cannot be written, or a study is too large to be kept.
        """
        ready = [self._taken_apart(study) for study in some]
        keys = tuple(key for key, _, _ in ready)

        def work(connection: Connection) -> set[str]:
            made = set()
            for key, values, lists in ready:
                if not _used(connection, key):
                    made.add(key)
                    for listed in lists:
                        _put_list(connection, listed)
                    put(connection, key, values)
            for key in passed - set(keys):
                firm(connection, key, Firmness.PASSED)
            _forget_told(connection)
            if pending is not None:
                _expect(connection, *pending, ".".join(keys) + "." * (2 - len(keys)))
            if any(int(key, 16) % TIDY_ONE_IN == 0 for key in made):
                tidy(connection)
            return made

        return keys, self.database.write(work)

    def _taken_apart(self, study: Study) -> tuple[str, dict[str, Any], list[Listed]]:
        """Id, row and large tables of a study."""
        lists = {name: self._cut(getattr(study, name)) for name in TABLES}
        apart = {name: listed for name, listed in lists.items() if listed is not None}
        body = study.model_dump_json(exclude=set(apart))
        size = len(body) + sum(len(one.blocks[key]) for one in apart.values() for key in one.ids)
        if size > LARGEST:
            raise StoreError("This study is too large for a link; export it as a file to keep it.")
        key = digest(body + "".join(f"{name}={one.id}" for name, one in apart.items()))
        return key, {"body": body, **{name: one.id for name, one in apart.items()}}, list(apart.values())

    def load(self, key: str) -> str | None:
        """JSON of the study of an id, as whoever kept it wrote it; None where there is none.

        Raises:
            StoreError: the database cannot be read.
        """
        return self.database.read(lambda connection: _found(connection, key))

    def firm(self, key: str, firmness: Firmness) -> None:
        """Keep a study more firmly than before, or let one go that was only typed through."""
        self.database.write(lambda connection: firm(connection, key, firmness))

    def expected(self, visitor: str, place: str) -> str | None:
        """Where a visitor had got to from a place when another server died; None where the browser was told.

        That is where the last of the edits led that hang together with the place: which of their addresses the browser
        has got, nobody knows. It gets this one now.
        """
        query = text("SELECT place, next FROM pending WHERE visitor = :visitor AND server != :server ORDER BY used")
        values = {"visitor": visitor, "server": SERVER}
        rows = self.database.read(lambda connection: connection.execute(query, values).all())
        together = {place}
        while more := {end for row in rows if together & set(row) for end in row} - together:
            together |= more
        edits = [row for row in rows if row.place in together]
        if not edits:
            return None
        last = str(edits[-1].next)

        def work(connection: Connection) -> None:
            for row in edits:
                delete = text("DELETE FROM pending WHERE visitor = :visitor AND place = :place AND server != :server")
                connection.execute(delete, {**values, "place": row.place})
            if last != place:
                _expect(connection, visitor, place, last)

        self.database.write(work)
        return last if last != place else None

    def forget_told(self) -> None:
        """Forget what browsers were given the address of a while ago: it has arrived."""
        self.database.write(_forget_told)

    def save_steps(self, visitor: str, place: str, behind: Steps, ahead: Steps) -> None:
        """Keep the addresses of the steps behind and ahead of a place, which begins with an id, as this visitor took
        them. The browser is given the place now."""
        values = {"visitor": visitor, "place": place, "steps": json.dumps([behind, ahead]), "used": time.time()}

        def work(connection: Connection) -> None:
            connection.execute(
                text(
                    "INSERT INTO steps (visitor, place, steps, used) VALUES (:visitor, :place, :steps, :used) "
                    "ON CONFLICT (visitor, place) DO UPDATE SET steps = excluded.steps, used = excluded.used"
                ),
                values,
            )
            told = "UPDATE pending SET given = :used WHERE visitor = :visitor AND next = :place"
            connection.execute(text(told), values)
            if int(place[:16], 16) % TIDY_ONE_IN == 0:
                _drop_old_steps(connection)

        self.database.write(work)

    def load_steps(self, visitor: str, place: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Addresses of the steps behind and ahead of a place, none where this visitor took none."""
        query = text("SELECT steps FROM steps WHERE visitor = :visitor AND place = :place")
        values = {"visitor": visitor, "place": place}
        found = self.database.read(lambda connection: connection.execute(query, values).scalar())
        behind, ahead = ([], []) if found is None else json.loads(found)
        return [(b, a) for b, a in behind], [(b, a) for b, a in ahead]

    def last_place(self, visitor: str) -> str | None:
        """Where a visitor stood last; None where steps of none are kept."""
        query = text("SELECT place FROM steps WHERE visitor = :visitor ORDER BY used DESC LIMIT 1")
        return self.database.read(lambda connection: connection.execute(query, {"visitor": visitor}).scalar())

    def hand_over(self, before: str, after: str) -> None:
        """Steps of one visitor are another's from now on, taken last of all."""
        query = text("SELECT place FROM steps WHERE visitor = :before")
        names = {"before": before, "after": after, "used": time.time()}
        places = self.database.read(lambda connection: connection.execute(query, names).scalars().all())
        if not places:
            return

        def work(connection: Connection) -> None:
            for place in places:
                delete = text("DELETE FROM steps WHERE visitor = :after AND place = :place")
                connection.execute(delete, {**names, "place": place})
            connection.execute(text("UPDATE steps SET visitor = :after, used = :used WHERE visitor = :before"), names)

        self.database.write(work)


def put(connection: Connection, key: str, values: dict[str, Any]) -> None:
    """Write a row of `studies`: its JSON without the tables that are kept apart, and the ids of these."""
    row = {**dict.fromkeys(TABLES), **values, "id": key, "used": time.time()}
    names, places = ", ".join(TABLES), ", ".join(f":{name}" for name in TABLES)
    connection.execute(
        text(
            f"INSERT INTO studies (id, body, used, {names}, firmness) "
            f"VALUES (:id, :body, :used, {places}, {int(Firmness.STEP)}) ON CONFLICT (id) DO NOTHING"
        ),
        row,
    )


def _used(connection: Connection, key: str) -> bool:
    """Whether a study is kept; it counts as used now, and as a step, since somebody stands there again."""
    query = text(
        "UPDATE studies SET used = :used, firmness = CASE WHEN firmness < :step THEN :step ELSE firmness END "
        "WHERE id = :id"
    )
    found = connection.execute(query, {"id": key, "used": time.time(), "step": int(Firmness.STEP)})
    return found.rowcount > 0


def firm(connection: Connection, key: str, firmness: Firmness) -> None:
    """`Studies.firm`, within what is written anyway."""
    softer = firmness < Firmness.STEP
    condition = "firmness = :before" if softer else "firmness < :firmness"
    values = {"id": key, "firmness": int(firmness), **({"before": int(Firmness.STEP)} if softer else {})}
    connection.execute(text(f"UPDATE studies SET firmness = :firmness WHERE id = :id AND {condition}"), values)


def _expect(connection: Connection, visitor: str, place: str, following: str) -> None:
    """Keep where a visitor has got to from the last place that the browser was given, until it is given this."""
    values = {"visitor": visitor, "place": place, "next": following, "server": SERVER, "used": time.time()}
    kept = "next = excluded.next, server = excluded.server, used = excluded.used, given = NULL"
    connection.execute(
        text(
            "INSERT INTO pending (visitor, place, next, server, used) VALUES (:visitor, :place, :next, :server, :used) "
            f"ON CONFLICT (visitor, place) DO UPDATE SET {kept}"
        ),
        values,
    )


def _forget_told(connection: Connection) -> None:
    query = text("DELETE FROM pending WHERE server = :server AND given < :arrived")
    connection.execute(query, {"server": SERVER, "arrived": time.time() - UNDERWAY})


def _put_list(connection: Connection, listed: Listed) -> None:
    if connection.execute(text("SELECT 1 FROM lists WHERE id = :id"), {"id": listed.id}).first() is not None:
        return
    have = _which(connection, listed.blocks)
    new = [{"id": key, "rows": pack(rows)} for key, rows in listed.blocks.items() if key not in have]
    if new:
        connection.execute(text('INSERT INTO blocks (id, "rows") VALUES (:id, :rows)'), new)
    connection.execute(
        text("INSERT INTO lists (id, blocks) VALUES (:id, :blocks)"), {"id": listed.id, "blocks": pack_ids(listed)}
    )


def _which(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Those of the ids that blocks are kept under."""
    found: set[str] = set()
    query = text("SELECT id FROM blocks WHERE id IN :keys").bindparams(bindparam("keys", expanding=True))
    for some in _batches(list(keys)):
        found |= set(connection.execute(query, {"keys": some}).scalars())
    return found


def _batches(keys: list[str]) -> Iterable[list[str]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def _found(connection: Connection, key: str) -> str | None:
    query = text(f"SELECT body, {', '.join(TABLES)} FROM studies WHERE id = :id")
    row = connection.execute(query, {"id": key}).first()
    if row is None:
        return None
    body: str = row[0]
    apart = {name: table for name, table in zip(TABLES, row[1:], strict=True) if table is not None}
    tables = {name: _table(connection, table) for name, table in apart.items()}
    if not tables:
        return body
    members = ",".join(f'"{name}":[{rows}]' for name, rows in tables.items())
    return f"{{{members},{body.lstrip()[1:]}"


def _table(connection: Connection, key: str) -> str:
    """JSON of a table's rows, joined with commas."""
    packed = connection.execute(text("SELECT blocks FROM lists WHERE id = :id"), {"id": key}).scalar_one()
    ids = unpack_ids(packed)
    query = text('SELECT id, "rows" FROM blocks WHERE id IN :keys').bindparams(bindparam("keys", expanding=True))
    found: dict[str, str] = {}
    for some in _batches(list(dict.fromkeys(ids))):
        found |= {block: unpack(rows) for block, rows in connection.execute(query, {"keys": some})}
    return ",".join(found[one] for one in ids)


def tidy(connection: Connection) -> None:
    """Let states go that were typed through, all but the last `PASSING`, and whatever may go for which there is no
    room."""
    gone = _drop(connection, Firmness.PASSED, beyond=PASSING)
    for firmness in (Firmness.PASSED, Firmness.STEP):
        while size(connection) > ROOM and _drop(connection, firmness, most=BATCH):
            _sweep(connection)
            gone = 0
    if gone:
        _sweep(connection)


def _drop(connection: Connection, firmness: Firmness, beyond: int = 0, most: int = -1) -> int:
    """Delete studies of a firmness: those used longest ago, `most` of them, or all but the last `beyond`."""
    values: dict[str, Any] = {"firmness": int(firmness), "number": most if most >= 0 else beyond}
    some = "ORDER BY used LIMIT :number" if most >= 0 else "ORDER BY used DESC LIMIT :number"
    chosen = f"id {'IN' if most >= 0 else 'NOT IN'} (SELECT id FROM studies WHERE firmness = :firmness {some})"
    return connection.execute(text(f"DELETE FROM studies WHERE firmness = :firmness AND {chosen}"), values).rowcount


def _sweep(connection: Connection) -> None:
    """Delete tables that no study has any more, and blocks that no table has."""
    used = " UNION ".join(f"SELECT {name} FROM studies WHERE {name} IS NOT NULL" for name in TABLES)
    if connection.execute(text(f"DELETE FROM lists WHERE id NOT IN ({used})")).rowcount == 0:
        return
    wanted: set[str] = set()
    for (packed,) in connection.execute(text("SELECT blocks FROM lists")):
        wanted |= set(unpack_ids(packed))
    unused = [key for key in connection.execute(text("SELECT id FROM blocks")).scalars() if key not in wanted]
    query = text("DELETE FROM blocks WHERE id IN :keys").bindparams(bindparam("keys", expanding=True))
    for some in _batches(unused):
        connection.execute(query, {"keys": some})


def _drop_old_steps(connection: Connection) -> None:
    oldest = connection.execute(
        text("SELECT used FROM steps ORDER BY used DESC LIMIT 1 OFFSET :most"), {"most": STEPS}
    ).scalar()
    if oldest is not None:
        connection.execute(text("DELETE FROM steps WHERE used <= :oldest"), {"oldest": oldest})
    connection.execute(text("DELETE FROM pending WHERE used < :long_ago"), {"long_ago": time.time() - FORGOTTEN})


def size(connection: Connection) -> int:
    """Bytes that all that is kept takes, without what has been let go of."""
    if connection.dialect.name == "sqlite":
        used = "SELECT (p.page_count - f.freelist_count) * s.page_size FROM "
        tables = "pragma_page_count p, pragma_freelist_count f, pragma_page_size s"
        return int(connection.execute(text(used + tables)).scalar_one())
    held = {"studies": "body", "lists": "blocks", "blocks": '"rows"', "steps": "steps"}
    sums = [f"(SELECT COALESCE(SUM(OCTET_LENGTH({column})), 0) FROM {table})" for table, column in held.items()]
    return int(connection.execute(text(f"SELECT {' + '.join(sums)}")).scalar_one())
