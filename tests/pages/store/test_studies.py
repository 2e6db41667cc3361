"""What goes when there is too much, and what stays, in a file and in PostgreSQL; studies of other versions."""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from core.study.study import Hypothesis, Study
from pages.ui.session import store
from pages.ui.store import database, studies, versions
from pages.ui.store.blocks import digest
from pages.ui.store.database import Database, StoreError
from pages.ui.store.studies import Firmness, Studies
from tests.pages.store.conftest import pool_of


def count(kept: Studies, table: str) -> int:
    return int(
        kept.database.read(lambda connection: connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar())
    )


def test_a_study_has_one_id_and_large_pools_change_it_as_the_rest_does(either: Studies) -> None:
    assert either.save(Study(query="x")) == (digest(Study(query="x").model_dump_json()), True)
    assert either.save(Study(query="x"))[1] is False
    pool = pool_of(500)
    some = [Study(pool=pool), Study(pool=pool[1:]), Study(demonstrations=pool), Study(demonstrations=pool, pool=pool)]
    assert len({either.save(study)[0] for study in some}) == len(some)


def test_what_is_typed_through_goes_and_the_rest_stays(either: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link outlives any number of other studies: 5,200 of them once took it away."""
    monkeypatch.setattr(studies, "PASSING", 20)
    monkeypatch.setattr(studies, "TIDY_ONE_IN", 1)
    opened, stood = either.save(Study(query="opened"))[0], either.save(Study(query="stood"))[0]
    either.firm(opened, Firmness.STAYS)
    passed = []
    for number in range(100):
        passed.append(either.save(Study(query=f"typed {number}"))[0])
        either.firm(passed[-1], Firmness.PASSED)
    either.save(Study(query="last"))
    assert [key for key in passed if either.load(key) is not None] == passed[-20:]
    assert either.load(opened)
    assert either.load(stood)


def test_what_stays_is_not_let_go_and_what_comes_again_is_a_step(either: Studies) -> None:
    key, _ = either.save(Study(query="x"))

    def firmness() -> int:
        query = text("SELECT firmness FROM studies WHERE id = :id")
        return int(either.database.read(lambda connection: connection.execute(query, {"id": key}).scalar()))

    assert firmness() == Firmness.STEP
    either.firm(key, Firmness.PASSED)
    assert firmness() == Firmness.PASSED
    either.save(Study(query="x"))
    assert firmness() == Firmness.STEP
    either.firm(key, Firmness.STAYS)
    either.firm(key, Firmness.PASSED)
    assert firmness() == Firmness.STAYS


def test_without_room_what_was_typed_through_goes_first_then_the_oldest_steps(
    either: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "BATCH", 1)
    made = {}
    for number, (name, firmness) in enumerate(
        {"stays": Firmness.STAYS, "old": Firmness.STEP, "typed": Firmness.PASSED, "new": Firmness.STEP}.items()
    ):
        made[name], _ = either.save(Study(query=name, pool=pool_of(1_000, seed=number)))
        either.firm(made[name], firmness)
    blocks = count(either, "blocks")
    whole = either.database.read(studies.size)
    for part, gone in ((0.95, {"typed"}), (0.7, {"typed", "old"}), (0.0, {"typed", "old", "new"})):
        monkeypatch.setattr(studies, "ROOM", int(whole * part))
        either.database.write(studies.tidy)
        assert {name for name, key in made.items() if either.load(key) is None} == gone
    assert count(either, "lists") == 1
    assert 0 < count(either, "blocks") < blocks / 3
    body = either.load(made["stays"])
    assert body is not None
    assert Study.model_validate_json(body).pool == pool_of(1_000, seed=0)


def test_a_study_too_large(either: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "LARGEST", 20_000)
    either.save(Study(query="x"))
    with pytest.raises(StoreError, match="too large for a link"):
        either.save(Study(pool=pool_of(500)))


@pytest.mark.parametrize(
    ("typed", "opened", "found"),
    [
        ("", "a", None),
        ("ab", "a", "b"),
        ("ab", "b", None),
        ("ab", "c", None),
        ("abcd", "a", "d"),
        ("abcd", "b", "d"),
        ("abcd", "d", None),
        ("aba", "a", None),
        ("aba", "b", "a"),
        ("abac", "b", "c"),
        ("abcb", "a", "b"),
    ],
)
def test_where_a_visitor_had_got_to(either: Studies, monkeypatch, typed: str, opened: str, found: str | None) -> None:
    """Edits whose addresses a browser was sent, and no one knows which of them it got before the server died."""

    def go(before: str, after: str) -> None:
        either.database.write(lambda connection: studies._expect(connection, "one", before, after))

    for before, after in itertools.pairwise(typed):
        go(before, after)
    assert either.expected("one", opened) is None, "this server lives"
    monkeypatch.setattr(studies, "SERVER", "another")
    assert either.expected("two", opened) is None
    assert either.expected("one", opened) == found
    assert either.expected("one", opened) is None, "once is enough"
    monkeypatch.setattr(studies, "SERVER", "a third")
    assert either.expected("one", opened) == found, "the browser has not heard of it yet, and this server died too"
    if opened in typed:
        assert all(either.expected("one", place) is None for place in set(typed[: typed.index(opened)]) - {opened})


def write_old_store(path: Path, bodies: dict[str, str], steps: dict[str, list[list[list[str]]]]) -> None:
    """A store as it was written before its schema had versions."""
    path.parent.mkdir(parents=True)
    old = sqlite3.connect(path)
    old.execute("PRAGMA journal_mode = WAL")
    old.execute("CREATE TABLE IF NOT EXISTS studies (id TEXT PRIMARY KEY, body TEXT, used REAL)")
    columns = "visitor TEXT, place TEXT, steps TEXT, used REAL, PRIMARY KEY (visitor, place)"
    old.execute(f"CREATE TABLE IF NOT EXISTS steps ({columns})")
    for key, body in bodies.items():
        old.execute("INSERT INTO studies VALUES (?, ?, ?)", (key, body, time.time()))
    for place, found in steps.items():
        old.execute("INSERT INTO steps VALUES (?, ?, ?, ?)", ("one", place, json.dumps(found), time.time()))
    old.commit()
    old.close()


def test_a_store_of_before_versions_opens_with_all_that_it_has(kept: Studies, path: Path) -> None:
    whole = Study(query="x", pool=pool_of(500))
    former = Study(shortlist=7).model_dump_json().replace('"shortlist":', '"candidates":')
    keys = [digest(body) for body in (whole.model_dump_json(), former)]
    write_old_store(
        path, dict(zip(keys, (whole.model_dump_json(), former), strict=True)), {f"{keys[0]}.": [[[keys[1], ""]], []]}
    )
    assert versions.read(kept.load(keys[0]) or "") == (whole, ())
    assert versions.read(kept.load(keys[1]) or "") == (Study(shortlist=7), ())
    assert kept.load_steps("one", f"{keys[0]}.") == ([(keys[1], "")], [])
    assert kept.save(Study(query="new"))[1]
    assert kept.save(whole)[1]
    assert versions.read(kept.load(keys[0]) or "") == (whole, ())


def test_the_schema_is_at_the_version_that_the_code_names(kept: Studies, path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [database.HEAD]
    kept.save(Study())
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [(database.HEAD,)]


def test_a_store_of_a_newer_version_is_left_alone_and_said(kept: Studies, path: Path) -> None:
    kept.save(Study())
    kept.database.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer version of ICLens has written it\).*\.$"):
        Studies(Database(path)).save(Study(query="x"))
    assert [file.name for file in path.parent.glob("*damaged*")] == []


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"no_such_field": 1}, ("no_such_field",)),
        ({"model": {"name": "embedded", "quantised": True}}, ("model.quantised",)),
        ({"hypotheses": [{"name": "a", "instruction": "b", "colour": 3, "more": {}}]}, None),
        ({"similarity": "hyperbolic", "query": "x"}, ("similarity",)),
        (
            {"demonstrations": [{"input": "a", "label": "b", "weight": 2}, {"input": "c", "label": "d", "weight": 1}]},
            None,
        ),
    ],
)
def test_what_this_version_does_not_know_is_left_out_and_said(change, left) -> None:
    found, out = versions.read(json.dumps({**Study(query="kept").model_dump(mode="json"), **change}))
    assert found is not None
    assert found.query == change.get("query", "kept")
    assert left is None or out == left
    if "hypotheses" in change:
        assert found.hypotheses == (Hypothesis(name="a", instruction="b"),)
        assert set(out) == {"hypotheses.0.colour", "hypotheses.0.more"}
    if "demonstrations" in change:
        assert [row.input for row in found.demonstrations] == ["a", "c"]


@pytest.mark.parametrize("body", ["", "[]", "7", "{", "null", '"text"', "[" * 3_000])
def test_what_is_no_study_is_none(body: str) -> None:
    assert versions.read(body) == (None, ())


def test_the_sentence_names_what_was_left_out(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    body = json.dumps({"query": "cat", "no_such_field": 1})

    def work(connection) -> None:
        studies.put(connection, "0123456789abcdef", {"body": body})

    store.studies().database.write(work)
    found, sentence = store.load("0123456789abcdef")
    assert found == Study(query="cat")
    assert sentence == (
        "Another version of ICLens kept this study; this one left out “no_such_field”, which it does not know."
    )
