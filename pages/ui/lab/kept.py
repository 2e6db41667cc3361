"""Experiments that this browser has begun: opened, renamed, deleted."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import streamlit as st

from core.errors import ICLensError
from pages.ui.components.buttons import icon_button
from pages.ui.components.card import Card, Values
from pages.ui.components.text import message, plain
from pages.ui.lab import runs
from pages.ui.lab.draft import SHOWN, P
from pages.ui.lab.settings import cancel

FORGOTTEN = P + "forgotten"
MOST = 30  # rows on screen
HELP = (
    "Experiments of this browser on this server, the newest first. What is deleted is gone for good, and can be "
    "computed again."
)


def _reads() -> Values:
    rows = []
    for kept in runs.ledger().all(runs.owner())[:MOST]:
        run = runs.runs().of(kept.key)
        under_way = run is not None and not run.ended
        rows.append((kept.key, kept.name, kept.made, -1 if under_way else kept.done, kept.failed, kept.total))
    return tuple(rows), st.session_state.get(SHOWN, ""), st.session_state.get(FORGOTTEN, "")


def _draw(rows: tuple[Any, ...], on_screen: str, asked: str) -> None:
    if not rows:
        st.caption("Nothing yet: what you run is kept here.")
    for key, name, made, done, failed, total in rows:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.text_input(
                "Name",
                name,
                key=f"{P}name_{key}",
                max_chars=120,
                label_visibility="collapsed",
                on_change=_rename,
                args=(key,),
                width=320,
            )
            far = "running" if done < 0 else f"{done:,} of {total:,} items" if done < total else f"{total:,} items"
            bad = f", {failed:,} failed" if failed else ""
            st.caption(f"{time.strftime('%d %b %H:%M', time.localtime(made))}, {far}{bad}", width="stretch")
            st.button(
                "On screen" if key == on_screen else "Open",
                key=f"{P}open_{key}",
                disabled=key == on_screen,
                on_click=_open,
                args=(key,),
            )
            if asked == key:
                st.button("Delete for good", key=f"{P}delete_{key}", type="primary", on_click=_delete, args=(key,))
                st.button("Keep", key=f"{P}keep_{key}", on_click=partial(_ask, ""))
            else:
                icon_button("Delete", "delete", f"{P}ask_{key}", _ask, (key,), help=f"Delete “{plain(name, 40)}”.")


def _open(key: str) -> None:
    st.session_state[SHOWN] = key


def _ask(key: str) -> None:
    st.session_state[FORGOTTEN] = key


def _rename(key: str) -> None:
    name = (st.session_state.get(f"{P}name_{key}") or "").strip()
    if not name:
        return
    try:
        runs.ledger().rename(key, name, runs.owner())
    except ICLensError as error:
        st.error(message(error))


def _delete(key: str) -> None:
    cancel(key)
    st.session_state[FORGOTTEN] = ""
    try:
        runs.ledger().delete(key, runs.owner())
    except ICLensError as error:
        st.error(message(error))
        return
    if st.session_state.get(SHOWN) == key:
        st.session_state[SHOWN] = ""


CARD = Card(P + "kept", "Your experiments", HELP, _reads, _draw, height=60)
