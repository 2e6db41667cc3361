"""A link brings a study back; what cannot be kept or found is said in one sentence, and the page works on."""

from __future__ import annotations

import pytest

from core import Study
from pages.ui.session import store
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
