"""A link brings a study back; what cannot be kept or found is said in one sentence, and the page works on."""

from __future__ import annotations

import pytest

from core import Study
from pages.ui.session import address, store
from pages.ui.session.examples import default_study
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


def test_the_table_is_bounded(playground: Page, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    monkeypatch.setattr(store, "MOST", 10)
    keys = [store.save(Study(query=str(i)).model_dump_json()) for i in range(400)]
    assert sum(store.load(key) is not None for key in keys) < 150
    assert store.load(keys[-1]) == Study(query="399")


def test_a_study_too_large_for_a_link_still_runs(playground: Page, monkeypatch) -> None:
    monkeypatch.setattr(store, "LARGEST", 100)
    playground.edit(query="cat")
    assert "too large" in playground.said
    assert playground.has_chart("answer")


def test_a_kept_study_of_another_version_is_not_found(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    key = store.save('{"no_such_field": 1}')
    assert store.load(key) is None


def test_a_study_kept_under_former_names_of_its_fields_is_found_by_its_old_id(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    study = Study(query="x", shortlist=7, posterior_solver="least-squares")
    body = study.model_dump_json()
    for now, then in (("shortlist", "candidates"), ("posterior_solver", "decoding")):
        body = body.replace(f'"{now}":', f'"{then}":')
    key = store.save(body)

    assert key != store.study_id(study.model_dump_json())
    assert store.load(key) == study
