"""Names that visitors give to studies: given, changed, dropped and brought back. What has a name is kept for good."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from itertools import count

from sqlalchemy import Connection, text

from pages.ui.store.database import Database, StoreError
from pages.ui.store.studies import FORGOTTEN, Firmness, firm

MOST = 500  # names of one visitor


@dataclass(frozen=True)
class Named:
    """A name.

    Attributes:
        id: of the name, whatever it is changed to.
        name: as it was typed.
        address: ids of the study and of its A, "" where there is none.
    """

    id: str
    name: str
    address: tuple[str, str]


class Names:
    """What a database keeps of all visitors' names; each sees his own alone."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def give(self, owner: str, name: str, address: tuple[str, str]) -> tuple[str, str]:
        """Name a kept study; the name's id, and the id of what had the name until now and is dropped for it, else "".

        Raises:
            StoreError: the database cannot be written, or there are `MOST` already.
        """
        new = uuid.uuid4().hex

        def work(connection: Connection) -> str | None:
            former = _id_of(connection, owner, name)
            if not former and _count(connection, owner) >= MOST:
                return None
            for key in filter(None, address):
                firm(connection, key, Firmness.STAYS)
            if former:
                _mark(connection, owner, former, time.time())
            values = {"id": new, "owner": owner, "name": name, "place": ".".join(address), "given": time.time()}
            insert = "INSERT INTO names (id, owner, name, place, given) VALUES (:id, :owner, :name, :place, :given)"
            connection.execute(text(insert), values)
            connection.execute(
                text("DELETE FROM names WHERE dropped < :long_ago"), {"long_ago": time.time() - FORGOTTEN}
            )
            return former

        former = self.database.write(work)
        if former is None:
            raise StoreError(f"You have named {MOST} studies, which is as many as are kept: delete one first.")
        return new, former

    def of(self, owner: str) -> list[Named]:
        """A visitor's names, the latest first.

        Raises:
            StoreError: the database cannot be read.
        """
        query = text(
            "SELECT id, name, place FROM names WHERE owner = :owner AND dropped IS NULL ORDER BY given DESC, id"
        )
        rows = self.database.read(lambda connection: connection.execute(query, {"owner": owner}).all())
        return [Named(row.id, row.name, _address(row.place)) for row in rows]

    def rename(self, owner: str, id: str, name: str) -> bool:
        """Change a name; False where another study has it.

        Raises:
            StoreError: the database cannot be written.
        """

        def work(connection: Connection) -> bool:
            if _id_of(connection, owner, name) not in ("", id):
                return False
            update = text("UPDATE names SET name = :name WHERE id = :id AND owner = :owner")
            connection.execute(update, {"id": id, "owner": owner, "name": name})
            return True

        return self.database.write(work)

    def drop(self, owner: str, id: str) -> None:
        """Take a name away. The study is still found by its link.

        Raises:
            StoreError: the database cannot be written.
        """
        self.database.write(lambda connection: _mark(connection, owner, id, time.time()))

    def restore(self, owner: str, id: str, instead: str = "") -> None:
        """Bring back a name that was dropped, in place of the one that was given `instead`. Where another study has the
        name meanwhile it gets a number.

        Raises:
            StoreError: the database cannot be written.
        """

        def work(connection: Connection) -> None:
            if instead:
                _mark(connection, owner, instead, time.time())
            values = {"id": id, "owner": owner}
            query = text("SELECT name FROM names WHERE id = :id AND owner = :owner")
            name = connection.execute(query, values).scalar()
            if name is None:
                return
            names = (name if number == 1 else f"{name} ({number})" for number in count(1))
            free = next(one for one in names if _id_of(connection, owner, one) in ("", id))
            update = text("UPDATE names SET dropped = NULL, name = :name WHERE id = :id AND owner = :owner")
            connection.execute(update, {**values, "name": free})

        self.database.write(work)


def _id_of(connection: Connection, owner: str, name: str) -> str:
    query = text("SELECT id FROM names WHERE owner = :owner AND name = :name AND dropped IS NULL")
    return connection.execute(query, {"owner": owner, "name": name}).scalar() or ""


def _count(connection: Connection, owner: str) -> int:
    query = text("SELECT COUNT(*) FROM names WHERE owner = :owner AND dropped IS NULL")
    return int(connection.execute(query, {"owner": owner}).scalar_one())


def _mark(connection: Connection, owner: str, id: str, dropped: float) -> None:
    update = text("UPDATE names SET dropped = :dropped WHERE id = :id AND owner = :owner")
    connection.execute(update, {"id": id, "owner": owner, "dropped": dropped})


def _address(place: str) -> tuple[str, str]:
    study, _, a = place.partition(".")
    return study, a
