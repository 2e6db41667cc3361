"""The store of this server: studies kept by id, so that a refresh or a link in another tab brings one back.

The steps that led to a study are kept beside it, by browser: after a refresh Undo goes on, while whoever is given the
link learns nothing of what stood there before. The file lies in `.iclens/` beside dashboard.py, or in the folder
ICLENS_HOME names; `[connections.studies]` in Streamlit's secrets names another database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import streamlit as st

from core.runtime.paths import home
from core.study.study import Study
from pages.ui.store import versions
from pages.ui.store.database import Database, StoreError
from pages.ui.store.studies import Firmness, Studies

FILE = "studies.sqlite"
CONNECTION = "studies"
COOKIE = "_streamlit_xsrf"  # Streamlit's own, a random token for every browser


def save(study: Study) -> tuple[str, bool]:
    """Keep a study; its id, and whether nobody had kept it before.

    Raises:
        StoreError: the folder cannot be written, or the study is too large to be kept.
    """
    return studies().save(study)


def load(key: str) -> tuple[Study | None, str]:
    """The study of an id, None where there is none, and a sentence where not all of it could be read, else "".

    Raises:
        StoreError: the store cannot be read.
    """
    if not re.fullmatch(r"[0-9a-f]{16}", key):
        return None, ""
    body = studies().load(key)
    if body is None:
        return None, ""
    found, left = versions.read(body)
    if not left:
        return found, ""
    names = ", ".join(f"“{name}”" for name in left)
    return found, f"Another version of ICLens kept this study; this one left out {names}, which it does not know."


def stay(key: str) -> None:
    """Somebody has opened, shared or named a study: it never goes."""
    _firm(key, Firmness.STAYS)


def pass_by(key: str) -> None:
    """A study was only typed through, by the session that made it: it goes first."""
    _firm(key, Firmness.PASSED)


def _firm(key: str, firmness: Firmness) -> None:
    try:
        studies().firm(key, firmness)
    except StoreError:
        return  # the study itself is kept, or that it is not was said


def file() -> int:
    """The number of the file that studies are kept in: another one where it was deleted, or put aside as damaged."""
    return studies().database.current()


def said() -> list[str]:
    """Take away what is to be said of the store: a damaged file that was put aside."""
    found, studies().database.said = studies().database.said, []
    return found


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
    try:
        studies().save_steps(visitor, ".".join(address), behind, ahead)
    except StoreError:
        return  # the study itself is kept, or that it is not was said


def load_steps(visitor: str, address: tuple[str, str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Addresses of the steps behind and ahead of an address, none where this visitor took none."""
    if not visitor:
        return [], []
    try:
        return studies().load_steps(visitor, ".".join(address))
    except StoreError:
        return [], []


def studies() -> Studies:
    """What all sessions of this server share."""
    if _configured():
        return _elsewhere()
    return _here(home() / FILE)


@lru_cache(maxsize=8)
def _here(path: Path) -> Studies:
    return Studies(Database(path))


@lru_cache(maxsize=1)
def _elsewhere() -> Studies:
    return Studies(Database(lambda: st.connection(CONNECTION, type="sql").engine))


@lru_cache(maxsize=1)
def _configured() -> bool:
    """Whether Streamlit's secrets name a database."""
    return st.secrets.load_if_toml_exists() and CONNECTION in st.secrets.get("connections", {})
