"""The same store in PostgreSQL, named by one line of Streamlit's secrets; several servers on one database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton

from core.study.study import Study
from pages.ui.session import store
from pages.ui.store.database import Database, StoreError
from pages.ui.store.studies import Studies
from tests.pages.conftest import Page
from tests.pages.store.conftest import pool_of


@pytest.fixture
def configured(fresh_url: str, tmp_path: Path) -> Iterator[str]:
    """Streamlit's secrets name the database, in the one line that README says."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'connections.studies.url = "{fresh_url}"\n')
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(secrets)])
    _read_anew()
    yield fresh_url
    store.studies().database.close()
    config.set_option("secrets.files", before)
    _read_anew()


def _read_anew() -> None:
    secrets_singleton._reset()
    store._configured.cache_clear()
    store._elsewhere.cache_clear()
    st.cache_resource.clear()


def test_a_page_keeps_its_study_there_and_nothing_in_a_file(
    configured: str, start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path / "home"))
    page: Page = start()
    page.edit(query="cat", pool=pool_of(300))
    key = page.at.query_params["study"]
    assert not (tmp_path / "home" / store.FILE).exists()
    outside = create_engine(configured, poolclass=NullPool)
    with outside.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM studies WHERE id = :id"), {"id": key}).scalar() == 1
    assert start(study=key).study == page.study


def test_several_servers_write_alike_at_once(fresh_url: str) -> None:
    """Equal tables and blocks, in one transaction each: nobody waits for ever, and nothing is half there."""
    stores = [Studies(Database(lambda: create_engine(fresh_url))) for _ in range(4)]

    def save(number: int) -> tuple[str, Study]:
        study = Study(query=str(number // 4), pool=pool_of(200, seed=number % 3))
        return stores[number % 4].save(study)[0], study

    with ThreadPoolExecutor(8) as threads:
        for key, study in threads.map(save, range(80)):
            body = stores[0].load(key)
            assert body is not None
            assert Study.model_validate_json(body) == study
    for one in stores:
        one.database.close()


def test_several_servers_that_start_at_once_make_one_schema(fresh_url: str) -> None:
    stores = [Studies(Database(lambda: create_engine(fresh_url))) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        keys = {key for key, _ in threads.map(lambda one: one.save(Study(query="x")), stores)}
    assert len(keys) == 1
    for one in stores:
        one.database.close()


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    def nowhere() -> object:
        return create_engine("postgresql+psycopg://tests@/studies?host=/nowhere")

    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"^Studies cannot be kept in the database \(.+\): .*\.$") as said:
        Studies(Database(nowhere)).save(Study())
    assert "\n" not in str(said.value)


def test_connections_that_were_cut_are_made_again(fresh_url: str) -> None:
    """The database was restarted, or a firewall has forgotten who was connected."""
    kept = Studies(Database(lambda: create_engine(fresh_url)))
    key, _ = kept.save(Study(query="before"))
    outside = create_engine(fresh_url, poolclass=NullPool)
    with outside.connect() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
        connection.execute(text(f"{cut} current_database()"))
    assert kept.load(key) is not None
    assert kept.save(Study(query="after"))[1]
    kept.database.close()
