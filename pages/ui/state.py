"""The study of a session: one value, edited by callbacks, with a history.

Widgets are views of it. Before a widget is drawn, `bind` puts the study's value into its state where they differ;
when the user changes it, its callback writes the study. So undo, links and example sets change one value, and a
widget that is not on screen loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st
from pydantic import ValidationError

from core.errors import ICLensError, StudyError
from core.study import Study
from pages.ui import store
from pages.ui.examples import default_study

HISTORY = 100  # steps of undo
PAUSE = 1.5  # seconds; typing in one field without a longer pause is one step of undo
LAG = 2.0  # seconds after which the browser must have taken over the id we gave it
PATIENCE = 5  # times that long while it has never sent that id back: it may not have seen it yet

STUDY, UNDO, REDO, LAST, NOTICE, LINK, ECHO, UNKNOWN, STORE_ERROR = (
    f"state_{name}" for name in ("study", "undo", "redo", "last", "notice", "link", "echo", "unknown", "store_error")
)


def study() -> Study:
    """The session's study."""
    found: Study = st.session_state[STUDY]
    return found


def start() -> None:
    """Called by a page first: give the session a study, from the link if there is one, or follow the browser's Back."""
    linked = st.query_params.get("study")
    if STUDY not in st.session_state:
        st.session_state[STUDY] = default_study()
        st.session_state[UNDO], st.session_state[REDO] = [], []
        if linked:
            _restore(linked)
        return
    # The address lags behind quick edits; one that stays different was changed by the user, with Back or Forward. A run
    # that brings an edit was asked for by that edit: its address may be as old as the runs before it were slow.
    given, when = st.session_state.get(LINK, ("", 0.0))
    _, edited = st.session_state.get(LAST, ("", 0.0))
    if linked == given:
        st.session_state[ECHO] = given
    lag = LAG if st.session_state.get(ECHO) == given else PATIENCE * LAG
    settled = time.monotonic() - when > lag and edited <= when
    if linked and given and linked != given and settled and linked != st.session_state.get(UNKNOWN):
        _restore(linked)


def _restore(key: str) -> None:
    try:
        found = store.load(key)
    except store.StoreError as error:
        st.session_state[NOTICE] = str(error)
        return
    if found is None:
        st.session_state[NOTICE] = f"No study is kept under “{key[:16]}”; this is the one shown before."
        st.session_state[UNKNOWN] = key
    else:
        replace(found)


def keep() -> None:
    """Called by a page last: keep the study and put its id into the address."""
    given, _ = st.session_state.get(LINK, ("", 0.0))
    if not given and study() == default_study():
        return  # the bare address brings back just this
    body = study().model_dump_json()
    key = store.study_id(body)
    if key != given:
        try:
            store.save(body)
        except store.StoreError as error:
            if st.session_state.get(STORE_ERROR) != str(error):  # once is enough
                st.session_state[STORE_ERROR] = str(error)
                st.warning(str(error))
            return
        st.session_state[LINK] = (key, time.monotonic())
    if st.query_params.get("study") != key:
        st.query_params["study"] = key


def notice() -> str:
    """One sentence to show once, or ""."""
    said: str = st.session_state.pop(NOTICE, "")
    return said


def say(sentence: str) -> None:
    """Show a sentence at the next run, until the run after."""
    st.session_state[NOTICE] = sentence


def hint(sentence: str) -> None:
    """Show a sentence in passing, over the page."""
    st.toast(sentence, icon=":material/lightbulb:", duration="long")


def replace(new: Study, field: str = "") -> None:
    """Make `new` the study, the old one a step of undo. Typing on in the same `field` is one step."""
    old = study()
    if new == old:
        return
    now = time.monotonic()
    before, when = st.session_state.get(LAST, ("", 0.0))
    if not (field and field == before and now - when < PAUSE and st.session_state[UNDO]):
        st.session_state[UNDO] = [*st.session_state[UNDO], old.model_dump_json()][-HISTORY:]
    st.session_state[LAST] = (field, now)
    st.session_state[REDO] = []
    st.session_state[STUDY] = new


def edit(**changes: Any) -> None:
    """Change fields of the study.

    Raises:
        ICLensError: a value that a study cannot have; browsers check most, but need not.
    """
    try:
        new = Study.model_validate({**dict(study()), **changes})
    except ValidationError as error:
        first = error.errors()[0]
        raise StudyError(f"“{'.'.join(map(str, first['loc']))}” was not changed: {first['msg'].lower()}.") from None
    replace(new, field=",".join(changes))


def undo() -> None:
    """Back one step."""
    _step(UNDO, REDO)


def redo() -> None:
    """Forward one step."""
    _step(REDO, UNDO)


def can_undo() -> bool:
    return bool(st.session_state[UNDO])


def can_redo() -> bool:
    return bool(st.session_state[REDO])


def _step(source: str, target: str) -> None:
    if st.session_state[source]:
        *rest, body = st.session_state[source]
        st.session_state[target] = [*st.session_state[target], study().model_dump_json()][-HISTORY:]
        st.session_state[source] = rest
        st.session_state[STUDY] = Study.model_validate_json(body)
        st.session_state[LAST] = ("", time.monotonic())


def bind(key: str, value: Hashable | list[Any], write: Callable[[Any], dict[str, Any]] | str) -> dict[str, Any]:
    """Keyword arguments that tie a widget to the study: its key, and a callback that writes what the user chose.

    Args:
        key: the widget's key.
        value: what the study says.
        write: the field to set, or a function from the widget's value to the fields to change.
    """
    if st.session_state.get(key) != value or key not in st.session_state:
        st.session_state[key] = value

    def apply() -> None:
        chosen = st.session_state[key]
        try:
            edit(**({write: chosen} if isinstance(write, str) else write(chosen)))
        except (ICLensError, ValueError) as error:
            say(str(error))

    return {"key": key, "on_change": apply}
