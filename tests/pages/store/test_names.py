"""Names of studies: what has one stays, each visitor has his own, and what is taken away can be brought back."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import text

from core.study.study import Study
from pages.ui.store import names as naming
from pages.ui.store import studies
from pages.ui.store.database import StoreError
from pages.ui.store.names import Names
from pages.ui.store.studies import FORGOTTEN, Firmness, Studies


def listed(names: Names, owner: str = "one") -> list[tuple[str, tuple[str, str]]]:
    return [(one.name, one.address) for one in names.of(owner)]


def kept_as(names: Names, kept: Studies, name: str, query: str, owner: str = "one") -> tuple[str, str]:
    """Name a study; its key and the name's id."""
    key, _ = kept.save(Study(query=query))
    return key, names.give(owner, name, (key, ""))[0]


def test_what_is_named_stays_when_states_are_let_go(either: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was one of the states that somebody typed through, and went with them."""
    monkeypatch.setattr(studies, "PASSING", 5)
    monkeypatch.setattr(studies, "TIDY_ONE_IN", 1)
    names = Names(either.database)
    both = [either.save(Study(query=query))[0] for query in ("named", "its A")]
    left, _ = either.save(Study(query="not named"))
    for key in (*both, left):
        either.firm(key, Firmness.PASSED)
    names.give("one", "Mine", (both[0], both[1]))
    for number in range(20):
        either.firm(either.save(Study(query=f"typed {number}"))[0], Firmness.PASSED)
    monkeypatch.setattr(studies, "ROOM", 0)  # and there is no room for anything that may go
    either.database.write(studies.tidy)
    assert [either.load(key) is not None for key in (*both, left)] == [True, True, False]
    assert listed(names) == [("Mine", (both[0], both[1]))]


def test_each_visitor_has_his_own(either: Studies) -> None:
    names = Names(either.database)
    key, id = kept_as(names, either, "Mine", "x")
    assert listed(names, "two") == []
    assert names.rename("two", id, "Theirs") is True
    names.drop("two", id)
    assert listed(names) == [("Mine", (key, ""))], "another's name is left alone"
    other, _ = kept_as(names, either, "Mine", "y", owner="two")
    assert (listed(names), listed(names, "two")) == ([("Mine", (key, ""))], [("Mine", (other, ""))])


def test_the_latest_comes_first_and_a_name_is_changed_in_its_place(either: Studies, monkeypatch: Any) -> None:
    clock = iter(range(10**9, 10**9 + 100))
    monkeypatch.setattr(naming.time, "time", lambda: float(next(clock)))
    names = Names(either.database)
    keys = {name: kept_as(names, either, name, name) for name in ("a", "b", "c")}
    assert [name for name, _ in listed(names)] == ["c", "b", "a"]
    assert names.rename("one", keys["b"][1], "d") is True
    assert [name for name, _ in listed(names)] == ["c", "d", "a"]
    assert names.rename("one", keys["b"][1], "a") is False, "another study has it"
    assert names.rename("one", keys["b"][1], "d") is True
    assert [name for name, _ in listed(names)] == ["c", "d", "a"]


def test_a_name_that_is_taken_away_can_be_brought_back(either: Studies) -> None:
    names = Names(either.database)
    key, id = kept_as(names, either, "Mine", "x")
    names.drop("one", id)
    assert listed(names) == []
    assert either.load(key) is not None
    names.restore("one", id)
    assert listed(names) == [("Mine", (key, ""))]


def test_a_name_given_again_goes_over_and_undo_gives_it_back(either: Studies) -> None:
    names = Names(either.database)
    key, first = kept_as(names, either, "Mine", "x")
    other, _ = either.save(Study(query="y"))
    second, former = names.give("one", "Mine", (other, ""))
    assert former == first
    assert listed(names) == [("Mine", (other, ""))]
    names.restore("one", former, second)
    assert listed(names) == [("Mine", (key, ""))]


def test_brought_back_beside_another_of_the_name_it_gets_a_number(either: Studies) -> None:
    names = Names(either.database)
    key, id = kept_as(names, either, "Mine", "x")
    names.drop("one", id)
    other, _ = kept_as(names, either, "Mine", "y")
    names.restore("one", id)
    assert sorted(listed(names)) == sorted([("Mine", (other, "")), ("Mine (2)", (key, ""))])


def test_there_is_an_end_to_names(either: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "MOST", 2)
    names = Names(either.database)
    kept_as(names, either, "a", "a")
    kept_as(names, either, "b", "b")
    with pytest.raises(StoreError, match=r"^You have named 2 studies, .*delete one first\.$"):
        kept_as(names, either, "c", "c")
    kept_as(names, either, "b", "other")
    assert sorted(name for name, _ in listed(names)) == ["a", "b"]


def test_what_was_taken_away_long_ago_is_forgotten(either: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(either.database)
    _, id = kept_as(names, either, "old", "x")
    names.drop("one", id)
    now = time.time()
    monkeypatch.setattr(naming.time, "time", lambda: now + FORGOTTEN + 60)
    kept_as(names, either, "new", "y")
    count = either.database.read(lambda connection: connection.execute(text("SELECT COUNT(*) FROM names")).scalar())
    assert count == 1
