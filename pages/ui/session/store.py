"""Studies kept by id, so that a refresh or a link in another tab brings one back.

An id is the first 16 hex digits of SHA-256 of the study's JSON: the same study has the same link, and nobody's study
is overwritten by another's. The steps that led to a study are kept beside it, by browser: after a refresh Undo goes
on, while whoever is given the link learns nothing of what stood there before. The file lies in `.iclens/` beside
dashboard.py, or in the folder ICLENS_HOME names.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import streamlit as st
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.runtime.paths import home
from core.study.study import Study

MOST = 5_000  # studies kept; the longest unused go first
LARGEST = 2_000_000  # characters of JSON; a study above this is not kept
MOST_STEPS = 1_000  # studies whose steps are kept, all visitors together; the oldest go first
COOKIE = "_streamlit_xsrf"  # Streamlit's own, a random token for every browser


class StoreError(Exception):
    """The store cannot be used; `str` of it is one sentence for the user."""


def study_id(body: str) -> str:
    """Id of a study's JSON."""
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def save(body: str) -> str:
    """Keep a study's JSON and return its id.

    Raises:
        StoreError: the folder cannot be written, or the study is too large to be kept.
    """
    if len(body) > LARGEST:
        raise StoreError("This study is too large for a link; export it as a file to keep it.")
    key = study_id(body)
    try:
        with _connection().session as session:
            session.execute(
                text("INSERT INTO studies VALUES (:id, :body, :used) ON CONFLICT (id) DO UPDATE SET used = :used"),
                {"id": key, "body": body, "used": time.time()},
            )
            if int(key, 16) % 64 == 0:  # now and then is enough to keep the table bounded
                session.execute(text(f"DELETE FROM studies WHERE id NOT IN {NEWEST}"), {"most": MOST})
            session.commit()
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(_sentence(error)) from error
    return key


NEWEST = "(SELECT id FROM studies ORDER BY used DESC LIMIT :most)"


def load(key: str) -> Study | None:
    """The study of an id, or None where there is none.

    Raises:
        StoreError: the store cannot be read.
    """
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        return None
    try:
        with _connection().session as session:
            row = session.execute(text("SELECT body FROM studies WHERE id = :id"), {"id": key}).first()
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(_sentence(error)) from error
    try:
        return None if row is None else Study.model_validate_json(row[0])
    except ValidationError:  # kept by a version with other fields
        return None


def visitor() -> str:
    """A name for the browser: a digest of the token that Streamlit gave it; "" where it has none."""
    cookie = st.context.cookies.get(COOKIE)
    parts = cookie.split("|") if isinstance(cookie, str) else []
    try:  # version, mask, token under the mask, time; the mask changes from answer to answer
        mask, token = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    except (IndexError, ValueError):
        return ""
    if not mask or not token:
        return ""
    return hashlib.sha256(bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(token))).hexdigest()[:32]


def save_steps(
    visitor: str, address: tuple[str, str], behind: Sequence[tuple[str, str]], ahead: Sequence[tuple[str, str]]
) -> None:
    """Keep the addresses of the steps behind and ahead of an address, as this visitor took them."""
    values = {"visitor": visitor, "place": ".".join(address), "steps": json.dumps([behind, ahead]), "used": time.time()}
    try:
        with _connection().session as session:
            session.execute(text("INSERT OR REPLACE INTO steps VALUES (:visitor, :place, :steps, :used)"), values)
            if int(address[0], 16) % 64 == 0:
                session.execute(text(f"DELETE FROM steps WHERE rowid NOT IN {LATEST}"), {"most": MOST_STEPS})
            session.commit()
    except (SQLAlchemyError, OSError):
        return  # the study itself is kept, or that it is not was said


LATEST = "(SELECT rowid FROM steps ORDER BY used DESC LIMIT :most)"


def load_steps(visitor: str, address: tuple[str, str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Addresses of the steps behind and ahead of an address, none where this visitor took none."""
    if not visitor:
        return [], []
    try:
        with _connection().session as session:
            found = session.execute(
                text("SELECT steps FROM steps WHERE visitor = :visitor AND place = :place"),
                {"visitor": visitor, "place": ".".join(address)},
            ).first()
    except (SQLAlchemyError, OSError):
        return [], []
    behind, ahead = ([], []) if found is None else json.loads(found[0])
    return [(b, a) for b, a in behind], [(b, a) for b, a in ahead]


def _connection() -> st.connections.SQLConnection:
    path = home() / "studies.sqlite"
    return _connect(str(path), path.exists())


@lru_cache(maxsize=8)
def _connect(path: str, exists: bool) -> st.connections.SQLConnection:
    """Open the file and create its table, once a process (`exists` turns False when someone deletes the file)."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = st.connection(
        "studies", type="sql", url=f"sqlite:///{path}", connect_args={"timeout": 2, "check_same_thread": False}
    )
    with connection.session as session:
        # Another process may write; a lost last edit after a power cut is no harm, a slow edit is.
        session.execute(text("PRAGMA journal_mode = WAL"))
        session.execute(text("PRAGMA synchronous = OFF"))
        session.execute(text("CREATE TABLE IF NOT EXISTS studies (id TEXT PRIMARY KEY, body TEXT, used REAL)"))
        steps = "visitor TEXT, place TEXT, steps TEXT, used REAL, PRIMARY KEY (visitor, place)"
        session.execute(text(f"CREATE TABLE IF NOT EXISTS steps ({steps})"))
        session.commit()
    return connection


def _sentence(error: Exception) -> str:
    return f"Studies cannot be kept in {home()} ({type(error).__name__}): links and refreshes will not bring one back."
