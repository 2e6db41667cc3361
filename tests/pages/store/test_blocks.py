"""Tables are cut at the same rows whatever else stands in them, and come back as they were."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.study.demonstrations import Demonstration, Step
from core.study.study import Study
from pages.ui.store import blocks
from pages.ui.store.blocks import Cutter, cut
from pages.ui.store.studies import Studies
from tests.pages.store.conftest import pool_of, taken


def test_a_small_table_stays_where_it_is() -> None:
    assert cut(()) is None
    assert cut(pool_of(20)) is None


def test_blocks_joined_are_the_table() -> None:
    pool = pool_of(1_000)
    listed = cut(pool)
    assert listed is not None
    assert ",".join(listed.blocks[one] for one in listed.ids) == ",".join(row.model_dump_json() for row in pool)


@pytest.mark.parametrize("change", ["letter", "gone", "new", "moved"])
def test_a_change_of_one_row_makes_few_new_blocks(change: str) -> None:
    pool, rng = list(pool_of(2_000)), random.Random(1)
    before = cut(pool)
    place = rng.randrange(len(pool))
    if change == "letter":
        pool[place] = Demonstration(input=pool[place].input + "s", label=pool[place].label)
    elif change == "gone":
        del pool[place]
    elif change == "new":
        pool.insert(place, Demonstration(input="one more", label="good"))
    else:
        pool.append(pool.pop(place))
    after = cut(pool)
    assert before is not None
    assert after is not None
    assert 1 <= len(after.blocks.keys() - before.blocks.keys()) <= 4


def test_rows_all_alike_are_one_block_kept_once() -> None:
    listed = cut([Demonstration(input="the same", label="good")] * 5_000)
    assert listed is not None
    assert len(listed.blocks) <= 2


def test_rows_at_hand_are_not_cut_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cutter, pool = Cutter(), pool_of(500)
    first = cutter(pool)
    monkeypatch.setattr(blocks, "cut", lambda rows: None)
    assert cutter(tuple(pool)) is first
    other = [*pool[:-1], Demonstration(input="another", label="bad")]
    assert cutter(other) is None  # cut anew


row = some.builds(
    Demonstration,
    input=some.text(max_size=300),
    label=some.text(max_size=20),
    excluded=some.booleans(),
    steps=some.lists(some.builds(Step, question=some.text(max_size=9), answer=some.text(max_size=9)), max_size=2).map(
        tuple
    ),
)


@given(pool=some.lists(row, max_size=200), shown=some.lists(row, max_size=5))
def test_any_table_comes_back(kept_once: Studies, pool: list[Demonstration], shown: list[Demonstration]) -> None:
    study = Study(pool=tuple(pool) * 3, demonstrations=tuple(shown), query="x")
    key, _ = kept_once.save(study)
    body = kept_once.load(key)
    assert body is not None
    assert Study.model_validate_json(body) == study


@pytest.fixture(scope="module")
def kept_once(tmp_path_factory: pytest.TempPathFactory):
    from pages.ui.store.database import Database

    found = Studies(Database(tmp_path_factory.mktemp("kept") / "studies.sqlite"))
    yield found
    found.database.close()


@pytest.mark.parametrize("where", ["query", "pool"])
def test_sixty_letters_take_little_more_than_one(kept: Studies, path, where: str) -> None:
    """Whole, every state would take as much as the first again: 60 times as much, not twice."""
    pool, rng, query = pool_of(5_000), random.Random(2), ""
    kept.save(Study(pool=pool))
    first = taken(path)
    states = [Study(pool=pool)]
    for _ in range(60):
        if where == "query":
            query += rng.choice("abcdefgh ")
        else:
            place, rows = rng.randrange(len(pool)), list(pool)
            rows[place] = rows[place].model_copy(update={"input": rows[place].input + rng.choice("abcdefgh")})
            pool = tuple(rows)
        states.append(Study(pool=pool, query=query))
    keys = [kept.save(state)[0] for state in states]
    # The journal beside the file takes as much whatever is kept: it is not what a state takes.
    assert taken(path) - 2**20 < 2 * first
    for key, state in zip(keys, states, strict=True):
        body = kept.load(key)
        assert body is not None
        assert Study.model_validate_json(body) == state
