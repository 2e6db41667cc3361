"""A link brings a study back; what cannot be kept or found is said in one sentence, and the page works on."""

from __future__ import annotations

import pytest

from core import Study
from pages.ui.session import address, store
from pages.ui.session.examples import default_study
from pages.ui.store import studies
from pages.ui.store.blocks import digest
from tests.pages.conftest import Page


def test_a_link_in_another_tab(playground: Page, start) -> None:
    playground.edit(query="cat", k=9)
    key = playground.at.query_params["study"]
    other = start(study=key)
    assert other.study == playground.study
    assert other.at.text_input(key="frame_query").value == "cat"


def test_the_first_study_needs_no_id(playground: Page) -> None:
    assert "study" not in playground.at.query_params


def test_an_unknown_id_is_one_sentence_and_the_default_study(start) -> None:
    page = start(study="0123456789abcdef")
    assert "No study is kept" in page.said
    assert page.study == default_study()
    assert "No study is kept" not in page.run().said


@pytest.mark.parametrize("key", ["../../etc/passwd", "'; DROP TABLE studies; --", "é" * 500])
def test_an_id_is_never_more_than_an_id(start, key: str) -> None:
    assert start(study=key).study == default_study()


def test_back_returns_to_the_study_before(playground: Page) -> None:
    playground.edit(query="cat")
    first = playground.at.query_params["study"]
    playground.edit(query="dog")
    # A browser that has never sent the newer address may not have heard of it; one that has was sent back.
    playground.at.query_params["study"] = first
    assert playground.run().study.query == "dog"
    assert playground.run().study.query == "dog"
    playground.at.query_params["study"] = first
    assert playground.run().study.query == "cat"
    playground.press("undo")
    assert playground.study.query == "dog"


@pytest.fixture
def go_to(playground: Page, monkeypatch: pytest.MonkeyPatch):
    """A message that the browser sends for Back or Forward, with the address that it has come to."""

    def go(study: str, **edits: str) -> None:
        page = playground.at.session_state[address.TRAIL].page
        monkeypatch.setattr(address, "_message", lambda: (page, True))
        playground.at.query_params = {"study": study} if study else {}
        for name, text in edits.items():
            playground.at.text_input(key=f"frame_{name}").set_value(text)
        playground.run()
        monkeypatch.setattr(address, "_message", lambda: (page, False))

    return go


def test_back_counts_at_once_and_an_address_on_its_way_does_not(playground: Page, go_to) -> None:
    ids = [str(playground.choose("scoring", name).at.query_params["study"]) for name in ("channel", "perplexity")]
    go_to(ids[0])  # before the browser has sent the newer one
    assert playground.study.scoring == "channel"
    playground.at.query_params = {"study": ids[1]}  # which reaches it now
    playground.run()
    assert playground.study.scoring == "channel"
    assert playground.at.query_params["study"] == ids[0]
    playground.press("undo")  # going back was a step
    assert playground.study.scoring == "perplexity"
    playground.run()
    go_to(ids[0])
    assert playground.study.scoring == "channel"


def test_back_to_an_address_without_ids_is_back_to_what_stood_there(playground: Page, go_to) -> None:
    first = playground.study
    key = str(playground.choose("scoring", "channel").at.query_params["study"])
    go_to("")
    assert playground.study == first
    assert "study" not in playground.at.query_params
    go_to(key)
    assert playground.study.scoring == "channel"


def test_an_edit_that_comes_with_back_is_made_where_it_leads(playground: Page, go_to) -> None:
    first = str(playground.choose("scoring", "channel").at.query_params["study"])
    playground.choose("ordering", "random")
    go_to(first, query="dog")
    study = playground.study
    assert (study.scoring, study.ordering, study.query) == ("channel", "given", "dog")
    playground.press("undo")
    assert playground.study.query == "horse"


def test_a_folder_that_cannot_be_written(start, monkeypatch, tmp_path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("ICLENS_HOME", str(blocked))
    page = start()
    page.edit(query="cat")
    assert "cannot be kept" in page.said
    assert page.has_chart("answer")
    assert "cannot be kept" not in page.run().said  # once is enough


def test_the_folder_is_made_when_absent(start, monkeypatch, tmp_path) -> None:
    home = tmp_path / "a" / "b"
    monkeypatch.setenv("ICLENS_HOME", str(home))
    start().edit(query="cat")
    assert (home / "studies.sqlite").exists()


def test_a_study_too_large_for_a_link_still_runs(playground: Page, monkeypatch) -> None:
    monkeypatch.setattr(studies, "LARGEST", 100)
    playground.edit(query="cat")
    assert "too large" in playground.said
    assert playground.has_chart("answer")


def test_a_study_kept_under_former_names_of_its_fields_is_found_by_its_old_id(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    study = Study(query="x", shortlist=7, posterior_solver="least-squares")
    body = study.model_dump_json()
    for now, then in (("shortlist", "candidates"), ("posterior_solver", "decoding")):
        body = body.replace(f'"{now}":', f'"{then}":')
    key = digest(body)
    store.studies().database.write(lambda connection: studies.put(connection, key, {"body": body}))

    assert key != store.save(study)[0][0]
    assert store.load(key) == (study, "")


@pytest.fixture
def home(monkeypatch, tmp_path):
    """A store that has nothing yet, and whose limit is looked at after every study."""
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    monkeypatch.setattr(studies, "PASSING", 3)
    monkeypatch.setattr(studies, "TIDY_ONE_IN", 1)
    return tmp_path


def type_query(page: Page, text: str) -> str:
    """Type a query letter by letter; the id of the whole."""
    for end in range(1, len(text) + 1):
        page.at.text_input(key="frame_query").set_value(text[:end])
        page.run()
    return str(page.at.query_params["study"])


def test_letters_typed_through_go_and_where_somebody_stood_stays(home, start) -> None:
    page = start()
    page.choose("scoring", "channel")
    step = str(page.at.query_params["study"])
    letters = [type_query(page, "elephant"[:1])]
    for end in range(2, 9):
        page.at.text_input(key="frame_query").set_value("elephant"[:end])
        page.run()
        letters.append(str(page.at.query_params["study"]))
    page.choose("scoring", "direct")
    for number in range(8):
        page.choose("scoring", ("channel", "perplexity")[number % 2])
    kept = [key for key in letters if store.load(key)[0] is not None]
    assert kept == letters[-4:], "the last three of those typed through, and where typing ended"
    assert store.load(step)[0] is not None


def test_a_link_that_was_opened_stays_whatever_comes(home, start, monkeypatch) -> None:
    page = start()
    key = type_query(page, "cat")
    start(study=key)
    monkeypatch.setattr(studies, "ROOM", 0)  # no room for anything that may go
    for name in ("channel", "perplexity"):
        page.choose("scoring", name)
    assert store.load(key)[0] is not None
    assert start(study=key).study.query == "cat"


def test_a_store_deleted_while_the_server_runs_has_the_session_again(home, start) -> None:
    page = start()
    page.choose("scoring", "channel")
    page.choose("scoring", "perplexity")
    for file in home.iterdir():
        file.unlink()
    page.run()  # no edit: what is on screen is kept anew all the same
    key = str(page.at.query_params["study"])
    assert start(study=key).study == page.study
    page.press("undo")
    assert start(study=str(page.at.query_params["study"])).study.scoring == "channel"


@pytest.mark.parametrize("first", ["", "channel"])
def test_what_was_typed_when_the_server_died_is_the_next_step(home, start, monkeypatch, first: str) -> None:
    """The browser has not heard of the address yet, and opens the one that it was given before."""
    monkeypatch.setattr(store, "visitor", lambda: "one")
    page = start()
    if first:
        page.choose("scoring", first)
    before = {"study": str(page.at.query_params["study"])} if first else {}
    with monkeypatch.context() as dying:
        dying.setattr(address, "keep", lambda: None)  # the run never comes to its end
        page.at.text_input(key="frame_query").set_value("elephant")
        page.run()
    assert start(**before).study.query == default_study().query, "the server lives: this is another tab"
    monkeypatch.setattr(studies, "SERVER", "another")
    after = start(**before)
    assert after.study == page.study
    assert "the server had stopped" in after.said.lower()
    monkeypatch.setattr(studies, "UNDERWAY", -1)
    store.studies().forget_told()
    monkeypatch.setattr(studies, "SERVER", "a third")
    assert start(**before).study.query == default_study().query, "the browser was told"
    after.press("undo")
    assert after.study.query == default_study().query
    monkeypatch.setattr(store, "visitor", lambda: "two")
    assert start(**before).study.query == default_study().query


def test_a_damaged_store_is_said_with_where_it_was_put(home, start) -> None:
    (home / "studies.sqlite").write_bytes(b"this is no database" * 1_000)
    page = start()
    page.edit(query="cat")
    (aside,) = home.glob("studies.damaged-*")
    assert f"`{aside}`" in page.said
    assert "put aside" not in page.run().said
    assert start(study=str(page.at.query_params["study"])).study.query == "cat"


def test_a_study_of_another_version_opens_and_says_what_is_left_out(home, start) -> None:
    body = Study(query="cat").model_dump_json()[:-1] + ',"no_such_field":1}'
    key = "0123456789abcdef"
    store.studies().database.write(lambda connection: studies.put(connection, key, {"body": body}))
    page = start(study=key)
    assert page.study == Study(query="cat")
    assert "no_such_field" in page.said.replace("\\", "")
