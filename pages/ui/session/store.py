"""The store of this server: studies kept by id, so that a refresh or a link in another tab brings one back.

The steps that led to a study are kept beside it, by browser: after a refresh Undo goes on, while whoever is given the
link learns nothing of what stood there before. The file lies in `.iclens/` beside dashboard.py, or in the folder
ICLENS_HOME names; `[connections.studies]` in Streamlit's secrets names another database.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import streamlit as st
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError
from streamlit.errors import StreamlitAPIException

from core.runtime.paths import home
from core.study.study import Study
from pages.ui.store import versions
from pages.ui.store.database import Database, StoreError
from pages.ui.store.names import Names
from pages.ui.store.studies import UNDERWAY, Firmness, Studies

FILE = "studies.sqlite"
CONNECTION = "studies"
SETS_OFF = "sets off "  # in front of a browser's name, from the button to sign in until the provider sends it back
COOKIE = "_streamlit_xsrf"  # Streamlit's own, a random token for every browser


def save(
    study: Study,
    a: Study | None = None,
    passed: AbstractSet[str] = frozenset(),
    given: tuple[str, str] | None = None,
) -> tuple[tuple[str, str], AbstractSet[str]]:
    """Keep a study and its A, if it has one; their address, and those of their ids that nobody had kept.

    Args:
        study: the session's.
        a: what it is compared with.
        passed: ids that this session made and has only typed through on the way here.
        given: the address that this browser was given last, where it is to be given this one later (`save_steps`).

    Raises:
        StoreError: the folder cannot be written, or the study is too large to be kept.
    """
    known = visitor() if given is not None else ""
    pending = (known, ".".join(given)) if known and given is not None else None
    keys, made = studies().save_all([study] if a is None else [study, a], passed, pending)
    return (keys[0], keys[1] if len(keys) > 1 else ""), made


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
    """Somebody has opened a study by its link: it never goes."""
    try:
        studies().firm(key, Firmness.STAYS)
    except StoreError:
        return  # it could be read a moment ago, and is not to be lost for want of this


def file() -> int:
    """The number of the file that studies are kept in: another one where it was deleted, or put aside as damaged."""
    return studies().database.current()


def said() -> list[str]:
    """Take away what is to be said of the store: a damaged file that was put aside."""
    found, studies().database.said = studies().database.said, []
    return found


def visitor() -> str:
    """A name for whoever is there: who is signed in, in whichever browser; else the browser. "" where it has none."""
    return user() or browser()


def user() -> str:
    """A name for who is signed in (`[auth]` in Streamlit's secrets): a digest of what the provider knows him by; "" for
    nobody."""
    found = st.user.to_dict()
    if not found.get("is_logged_in") or not found.get("sub"):
        return ""
    return hashlib.sha256(f"user {found.get('iss', '')} {found['sub']}".encode()).hexdigest()[:32]


def browser() -> str:
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
    _postman.later()


class Postman:
    """Forgets what the browsers have not heard of yet, once they have and nothing else is written."""

    def __init__(self) -> None:
        self._lock, self._timer = threading.Lock(), threading.Timer(0, _forget_told)

    def later(self) -> None:
        """A browser was sent an address."""
        with self._lock:
            self._timer.cancel()
            self._timer = threading.Timer(UNDERWAY + 1, _forget_told)
            self._timer.daemon = True
            self._timer.start()


def _forget_told() -> None:
    with suppress(StoreError):
        studies().forget_told()


_postman = Postman()


def expected(visitor: str, address: tuple[str, str]) -> tuple[str, str] | None:
    """Where a visitor had got to from an address when the server died; None where the browser was told."""
    if not visitor:
        return None
    try:
        found = studies().expected(visitor, ".".join(address))
    except StoreError:
        return None
    if found is None:
        return None
    study, _, a = found.partition(".")
    return study, a


def load_steps(visitor: str, address: tuple[str, str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Addresses of the steps behind and ahead of an address, none where this visitor took none."""
    if not visitor:
        return [], []
    try:
        return studies().load_steps(visitor, ".".join(address))
    except StoreError:
        return [], []


def set_off(study: Study, a: Study | None, behind: Sequence[tuple[str, str]], ahead: Sequence[tuple[str, str]]) -> None:
    """Somebody goes to sign in, and comes back to the bare address: keep where he was, and the steps there."""
    found = browser()
    if not found:
        return
    with suppress(StoreError):
        address, _ = save(study, a)
        studies().save_steps(f"{SETS_OFF}{found}", ".".join(address), behind, ahead)


def come_back() -> tuple[str, str] | None:
    """Where somebody who is signed in goes on at a bare address: where he set off to sign in, or else was last.

    None for nobody.
    """
    known = user()
    if not known:
        return None
    with suppress(StoreError):
        studies().hand_over(f"{SETS_OFF}{browser()}", known)
        place = studies().last_place(known)
        if place is not None:
            study, _, a = place.partition(".")
            return study, a
    return None


def studies() -> Studies:
    """What all sessions of this server share."""
    if _configured():
        return _elsewhere()
    return _here(home() / FILE)


def names() -> Names:
    """Names that visitors gave to studies, in the same database."""
    return Names(studies().database)


@lru_cache(maxsize=8)
def _here(path: Path) -> Studies:
    return Studies(Database(path))


@lru_cache(maxsize=1)
def _elsewhere() -> Studies:
    return Studies(Database(_engine))


def _engine() -> Engine:
    """What Streamlit makes of the secrets."""
    try:
        return st.connection(CONNECTION, type="sql").engine
    except StreamlitAPIException as error:  # no address, or half of one
        raise ArgumentError(str(error)) from error


@lru_cache(maxsize=1)
def _configured() -> bool:
    """Whether Streamlit's secrets name a database."""
    return st.secrets.load_if_toml_exists() and CONNECTION in st.secrets.get("connections", {})
