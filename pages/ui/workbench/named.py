"""Studies that the visitor has named: kept for good, and found again in a list."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.components.buttons import icon_button
from pages.ui.components.text import message, plain
from pages.ui.session import address, session, state, store
from pages.ui.session.history import history
from pages.ui.store.names import Named

P = "frame_"
BOX, NAME = P + "named_box", P + "named_name"
RENAMING, UNDO = P + "named_renaming", P + "named_undo"
LONGEST = 80  # letters of a name
LIST_HEIGHT = 260  # pixels; more names scroll


def reads() -> Any:
    """What the list shows, as long as it is open."""
    if not st.session_state.get(BOX):
        return None
    return _listed(), st.session_state.get(RENAMING), st.session_state.get(UNDO)


def popover() -> None:
    """A name for the study on screen, and the list of those that have one."""
    help = "Keep this study under a name, and find those that have one"
    with st.container(key=f"icon_{BOX}", width="content"):
        box = st.popover("Named", icon=":material/bookmarks:", on_change="rerun", key=BOX, help=help)
    if not box.open:
        return
    with box:
        if not store.visitor():
            st.caption("This browser takes no cookies, so that a list of names could not be told to be yours.")
            return
        _name_field()
        _what_was_done()
        found = _listed()
        if isinstance(found, str):
            st.caption(message(found))
        elif not found:
            st.caption("Nothing has a name yet. What has one is kept, and listed here in this browser.")
        else:
            with st.container(height=LIST_HEIGHT if len(found) > 6 else "content", border=False, key=P + "named_list"):
                for one in found:
                    _row(one)


def _listed() -> tuple[Named, ...] | str:
    """The visitor's names; a sentence where they cannot be read."""
    try:
        return tuple(store.names().of(store.visitor()))
    except store.StoreError as error:
        return str(error)


def _name_field() -> None:
    with (
        st.form(P + "named_form", clear_on_submit=True, border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        st.text_input(
            "Name of this study",
            key=NAME,
            max_chars=LONGEST,
            placeholder="Sentiment, four shots",
            help="The study on screen, with its A if it has one. A name that another study has becomes this one's.",
        )
        st.form_submit_button("Keep", key=P + "named_keep", on_click=_give)


def _what_was_done() -> None:
    """What was done last, and Undo where that took a name away."""
    undo: tuple[str, str, str] | None = st.session_state.get(UNDO)
    if undo is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(plain(undo[0], 200), width="content")
        if undo[1]:
            st.button("Undo", key=P + "named_restore", on_click=_restore, type="tertiary")


def _row(one: Named) -> None:
    """A name that opens its study, and what can be done to it."""
    if st.session_state.get(RENAMING) == one.id:
        with (
            st.form(f"{P}named_form_{one.id}", border=False),
            st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
        ):
            key = f"{P}named_new_{one.id}"
            st.text_input("New name", one.name, key=key, max_chars=LONGEST, help="Empty leaves it as it was.")
            st.form_submit_button("Rename", key=f"{P}named_renamed_{one.id}", on_click=_rename, args=(one,))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        open_, help = f"{P}named_open_{one.id}", "Open this study; Undo brings back the one before"
        st.button(plain(one.name), key=open_, on_click=_open, args=(one,), help=help, type="tertiary", width="stretch")
        icon_button("Rename", "edit", f"{P}named_rename_{one.id}", _begin_renaming, (one,))
        icon_button("Delete", "delete", f"{P}named_delete_{one.id}", _drop, (one,), help="Take the name away")


def _give() -> None:
    name = clean(st.session_state.get(NAME, ""))
    if not name:
        return
    now = history()
    try:
        given, _ = store.save(now.study, now.a)
        new, former = store.names().give(store.visitor(), name, given)
    except store.StoreError as error:
        state.say(str(error))
        return
    said = f"“{name}” was another study’s name." if former else f"Kept as “{name}”."
    st.session_state[UNDO] = (said, former, new)


def _open(one: Named) -> None:
    found = address.load(one.address)
    if found is None:
        state.say(f"The study named “{one.name}” is kept no more.")
        return
    study, a = found
    state.compare(a, study)
    session.mark(None)


def _begin_renaming(one: Named) -> None:
    st.session_state[RENAMING] = one.id


def _rename(one: Named) -> None:
    st.session_state[RENAMING] = None
    name = clean(st.session_state.get(f"{P}named_new_{one.id}", ""))
    if not name or name == one.name:
        return
    try:
        if not store.names().rename(store.visitor(), one.id, name):
            state.say(f"“{name}” is another study’s name.")
    except store.StoreError as error:
        state.say(str(error))


def _drop(one: Named) -> None:
    try:
        store.names().drop(store.visitor(), one.id)
    except store.StoreError as error:
        state.say(str(error))
        return
    st.session_state[UNDO] = (f"“{one.name}” is off the list.", one.id, "")


def _restore() -> None:
    undo: tuple[str, str, str] | None = st.session_state.get(UNDO)
    st.session_state[UNDO] = None
    if undo is None:
        return
    try:
        store.names().restore(store.visitor(), undo[1], undo[2])
    except store.StoreError as error:
        state.say(str(error))


def clean(name: Any) -> str:
    """A name on one line, without control characters and halves of pairs."""
    kept = "".join(letter if letter.isprintable() else " " for letter in str(name))
    return " ".join(kept.split())[:LONGEST].strip()
