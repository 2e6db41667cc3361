"""The study of a session, and the one it is compared with: two values, edited by callbacks, with a history.

The study is B; A is a study that was put aside, or there is none. Both are in the address, and in every step of undo.
Widgets are views of it. Before a widget is drawn, `bind` puts the study's value into its state where they differ;
when the user changes it, its callback writes the study. So undo, links and example sets change one value, and a
widget that is not on screen loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal

import streamlit as st
from pydantic import ValidationError

from core.errors import ICLensError, StudyError
from core.study.study import Study
from pages.ui.session import store
from pages.ui.session.examples import default_study

HISTORY = 100  # steps of undo
PAUSE = 1.5  # seconds; typing in one field without a longer pause is one step of undo
LAG = 2.0  # seconds after which the browser must have taken over the id we gave it
PATIENCE = 5  # times that long while it has never sent that id back: it may not have seen it yet

STUDY, ASIDE, UNDO, REDO, LAST, NOTICE, LINK, ECHO, UNKNOWN, STORE_ERROR = (
    f"state_{name}"
    for name in ("study", "aside", "undo", "redo", "last", "notice", "link", "echo", "unknown", "store_error")
)
PAGE, DRAWN = "state_page", "state_drawn"  # the page on screen; which page drew a widget last, by key
OVERWRITTEN = "state_overwritten"  # by key, what a widget held before it was filled, and when the browser was told
GRACE = 1.0  # seconds after which the browser must have heard of it
UNTOLD = "state_untold"  # widgets filled by runs none of which has come to its end: the browser may not know
PARAMETERS = ("study", "a")  # of the address: ids of the study and of A
Address = tuple[str, str]
NOWHERE: Address = ("", "")
Step = tuple[Study, Study | None]  # the study and A; frozen, and rows that steps have in common are kept once


def study() -> Study:
    """The session's study."""
    found: Study = st.session_state[STUDY]
    return found


def study_a() -> Study | None:
    """A, the study that the session's is compared with, if one was put aside."""
    found: Study | None = st.session_state.get(ASIDE)
    return found


def start() -> None:
    """Called by a page first: give the session a study, from the link if there is one, or follow the browser's Back."""
    linked = _linked()
    if STUDY not in st.session_state:
        st.session_state[STUDY], st.session_state[ASIDE] = default_study(), None
        st.session_state[UNDO], st.session_state[REDO] = [], []
        if linked != NOWHERE:
            _restore(linked)
        return
    # The address lags behind quick edits; one that stays different was changed by the user, with Back or Forward. A run
    # that brings an edit was asked for by that edit: its address may be as old as the runs before it were slow.
    given, when = st.session_state.get(LINK, (NOWHERE, 0.0))
    _, edited = st.session_state.get(LAST, ("", 0.0))
    if linked == given:
        st.session_state[ECHO] = given
    lag = LAG if st.session_state.get(ECHO) == given else PATIENCE * LAG
    settled = time.monotonic() - when > lag and edited <= when
    # A page just reached has no study in its address yet.
    if linked[0] and given[0] and linked != given and settled and linked != st.session_state.get(UNKNOWN):
        _restore(linked)


def arrive(page: str) -> None:
    """Called by a page before its widgets, with its name: `bind` fills anew what another page drew last."""
    st.session_state[PAGE] = page


def _linked() -> Address:
    """The ids in the address, "" where there is none."""
    study_id, a_id = (st.query_params.get(name) or "" for name in PARAMETERS)
    return study_id, a_id


def _restore(linked: Address) -> None:
    """Make what the address names the study and A: one step of undo."""
    said: list[str] = []
    found = _look_up(linked[0], said, "No study is kept under “{}”; this is the one shown before.")
    a = _look_up(linked[1], said, "No study is kept under “{}”, so there is no A to compare with.")
    if said:
        st.session_state[NOTICE], st.session_state[UNKNOWN] = " ".join(said), linked
    if found is not None or a is not None:
        _advance(found or study(), a)


def _look_up(key: str, said: list[str], otherwise: str) -> Study | None:
    """The study of an id; None, with a sentence in `said`, where there is none."""
    if not key:
        return None
    try:
        found = store.load(key)
    except store.StoreError as error:
        said.append(str(error))
        return None
    if found is None:
        said.append(otherwise.format(key[:16]))
    return found


def keep() -> None:
    """Called by a page last: keep the study and A, and put their ids into the address."""
    st.session_state[UNTOLD] = set()
    now = time.monotonic()
    overwritten: dict[str, tuple[Any, float | None]] = st.session_state.get(OVERWRITTEN, {})
    st.session_state[OVERWRITTEN] = {
        key: (held, now if told is None else told)
        for key, (held, told) in overwritten.items()
        if told is None or now - told < GRACE
    }
    given, _ = st.session_state.get(LINK, (NOWHERE, 0.0))
    a = study_a()
    if given == NOWHERE and study() == default_study() and a is None:
        return  # the bare address brings back just this
    key = _kept(study().model_dump_json(), given[0])
    if not key:
        return
    wanted = (key, "" if a is None else _kept(a.model_dump_json(), given[1]))
    if wanted != given:
        st.session_state[LINK] = (wanted, time.monotonic())
    if _linked() != wanted:  # in one message, which is one step of the browser's history
        others = {name: st.query_params.get_all(name) for name in st.query_params if name not in PARAMETERS}
        ids = {name: value for name, value in zip(PARAMETERS, wanted, strict=True) if value}
        if "a" in st.query_params and "a" not in ids:
            st.query_params.from_dict({**others, **ids})
        else:
            st.query_params.update(ids)


def _kept(body: str, given: str) -> str:
    """The id of a study's JSON, kept unless it is the one that was `given` before; "" where that cannot be."""
    key = store.study_id(body)
    if key != given:
        try:
            store.save(body)
        except store.StoreError as error:
            if st.session_state.get(STORE_ERROR) != str(error):  # once is enough
                st.session_state[STORE_ERROR] = str(error)
                st.warning(str(error))
            return ""
    return key


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
    _advance(new, study_a(), field)


def compare(a: Study | None, b: Study | None = None) -> None:
    """Put `a` aside as A, or nothing, and make `b`, where given, the study: one step of undo."""
    _advance(b or study(), a)


def _advance(new: Study, a: Study | None, field: str = "") -> None:
    old, old_a = study(), study_a()
    if new == old and a == old_a:
        return
    now = time.monotonic()
    before, when = st.session_state.get(LAST, ("", 0.0))
    if not (field and field == before and now - when < PAUSE and st.session_state[UNDO]):
        step: Step = (old, old_a)
        st.session_state[UNDO] = [*st.session_state[UNDO], step][-HISTORY:]
    st.session_state[LAST] = (field, now)
    st.session_state[REDO] = []
    st.session_state[STUDY], st.session_state[ASIDE] = new, a


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
        *rest, (before, before_a) = st.session_state[source]
        step: Step = (study(), study_a())
        st.session_state[target] = [*st.session_state[target], step][-HISTORY:]
        st.session_state[source] = rest
        st.session_state[STUDY], st.session_state[ASIDE] = before, before_a
        st.session_state[LAST] = ("", time.monotonic())


def bind(
    key: str,
    value: Hashable | list[Any],
    write: Callable[[Any], dict[str, Any]] | str,
    default: Literal["value", "default", "index"] | None = None,
    options: Sequence[Any] = (),
) -> dict[str, Any]:
    """Keyword arguments that tie a widget to the study: its key, and a callback that writes what the user chose.

    Args:
        key: the widget's key.
        value: what the study says.
        write: the field to set, or a function from the widget's value to the fields to change.
        default: the widget's argument for what it begins with. A slow browser that skips the message which fills the
            widget then begins with what the study says, where an empty field would come back as an edit.
        options: of a select box, whose argument is "index".
    """
    page, drawn = st.session_state.get(PAGE, ""), st.session_state.setdefault(DRAWN, {})
    untold: set[str] = st.session_state.setdefault(UNTOLD, set())
    # On a page just reached the key still answers for the widget of the page before, while the new one starts empty.
    # What an interrupted run was to tell the browser may be lost; its empty field would come back as an edit.
    stale = key in untold or drawn.get(key) != page
    overwritten: dict[str, tuple[Any, float | None]] = st.session_state.setdefault(OVERWRITTEN, {})
    if stale or st.session_state.get(key) != value or key not in st.session_state:
        if key in st.session_state and st.session_state[key] != value:
            overwritten[key] = (st.session_state[key], None)
        st.session_state[key] = value
        untold.add(key)
    drawn[key] = page

    def apply() -> None:
        chosen = st.session_state[key]
        held, told = st.session_state.get(OVERWRITTEN, {}).get(key, (None, 0.0))
        if chosen == held and chosen != value and (told is None or time.monotonic() - told < GRACE):
            # A run that a job's progress asked for brings what the browser held before it heard of an undo or of an
            # example set: no edit.
            st.session_state[key] = value
            st.session_state[UNTOLD].add(key)
            return
        try:
            edit(**({write: chosen} if isinstance(write, str) else write(chosen)))
        except (ICLensError, ValueError) as error:
            say(str(error))

    begins: dict[str, Any] = {} if default is None else {default: value}
    if default == "index":
        begins = {"index": options.index(value) if value in options else 0}
    return {"key": key, "on_change": apply, **begins}
