"""A store in a folder of its own, and studies with large pools."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.study.demonstrations import Demonstration
from pages.ui.store.database import Database
from pages.ui.store.studies import Studies

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
    found = Studies(Database(path))
    yield found
    found.database.close()
