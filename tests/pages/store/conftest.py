"""A store of its own, in a file and in PostgreSQL, and studies with large pools."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from core.study.demonstrations import Demonstration
from pages.ui.store.database import Database
from pages.ui.store.studies import Studies
from tests.pages.store.cluster import cluster, why_not

WORDS = ("the", "film", "is", "was", "good", "bad", "plot", "actor", "scene", "long", "dull", "bright", "story", "very")


def pool_of(rows: int, seed: int = 0) -> tuple[Demonstration, ...]:
    """Rows as long as a review's sentence."""
    rng = random.Random(seed)
    return tuple(
        Demonstration(input=" ".join(rng.choices(WORDS, k=22)), label=rng.choice(("good", "bad"))) for _ in range(rows)
    )


def taken(path: Path) -> int:
    """Bytes of a store's file and of all that stands beside it."""
    return sum(file.stat().st_size for file in path.parent.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "studies.sqlite"


@pytest.fixture
def kept(path: Path) -> Iterator[Studies]:
    """A store in a file."""
    found = Studies(Database(path))
    yield found
    found.database.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Path]:
    """The folder of a PostgreSQL server's socket."""
    if sentence := why_not():
        pytest.skip(sentence)
    with cluster() as socket:
        yield socket


@pytest.fixture
def fresh_url(postgresql: Path) -> Iterator[str]:
    """The address of a database of that server with nothing in it."""

    def address(name: str) -> URL:
        return URL.create("postgresql+psycopg", "tests", database=name, query={"host": str(postgresql)})

    name = f"studies_{uuid.uuid4().hex[:12]}"
    outside = create_engine(address("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with outside.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield address(name).render_as_string(hide_password=False)
    with outside.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def either(request: pytest.FixtureRequest) -> Iterator[Studies]:
    """A store in either database: what it keeps and lets go of is the same in both."""
    if request.param == "SQLite":
        found: Studies = request.getfixturevalue("kept")
        yield found
        return
    url = request.getfixturevalue("fresh_url")
    found = Studies(Database(lambda: create_engine(url)))
    yield found
    found.database.close()
