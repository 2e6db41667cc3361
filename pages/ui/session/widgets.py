"""Widgets as views of values that are kept elsewhere: what a browser says counts once, and no clock decides whether.

Streamlit sends the values of all widgets with every message, and calls back for those that differ from what it holds
itself. A message that left the browser before it heard of an undo therefore reads as an edit, where a widget's value
is overwritten under the same key. Here it never is. A widget is drawn under a key with a generation, begins with the
value as it stands, and from then on only its browser changes it. A value that comes from elsewhere (undo, an example
set, a link, another page) is shown by a new generation, which begins with it.

So what the browser says of a key can be told from what it said before of the same key, whenever it comes: the same is
no edit, and something else is one, also where the key has been replaced meanwhile. Streamlit drops a callback where a
newer message interrupts it, and does not call again; `listen`, at the start of every run, hears those.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st

Argument = Literal["value", "default", "index"]
TIES = "widgets_ties"
REMEMBERED = 8  # keys of a widget whose late messages are understood; a browser drops its own after every whole run


@dataclass
class Tie:
    """A widget by its name.

    Attributes:
        write: takes over what the user chose.
        place: page and shape under which its key is drawn.
        held: what the browser holds under each key, as far as it has said; the last key is the one drawn.
    """

    write: Callable[[Any], None]
    place: tuple[str, Hashable] | None = None
    held: dict[str, Any] = field(default_factory=dict)


@dataclass
class Ties:
    """All of a session. Keys count on from a random number: a tab that outlived its server meets none of its own."""

    count: int = field(default_factory=lambda: 0x100000 + secrets.randbelow(0xE00000))
    page: str = ""
    by_name: dict[str, Tie] = field(default_factory=dict)


def _ties() -> Ties:
    found: Ties = st.session_state.setdefault(TIES, Ties())
    return found


def arrive(page: str) -> None:
    """Called by a page before its widgets: on another page every widget is a new one."""
    _ties().page = page


def tie(
    name: str,
    value: Any,
    write: Callable[[Any], None],
    argument: Argument,
    options: Sequence[Any] = (),
    shape: Hashable = None,
) -> dict[str, Any]:
    """Keyword arguments for a widget that shows `value`: its key, its callback, and what it begins with.

    Args:
        name: of the widget; its key begins with it.
        value: as it stands.
        write: takes over what the user chose.
        argument: the widget's argument for what it begins with.
        options: of a select box, whose argument is "index"; a value that is none of them shows as nothing chosen.
        shape: what else makes it another widget to Streamlit, such as the ends of a slider.
    """
    begins: Any = value
    if argument == "index":
        begins = options.index(value) if value in options else None
        value = value if value in options else None
    ties = _ties()
    found = ties.by_name.setdefault(name, Tie(write))
    found.write = write
    key = next(reversed(found.held), "")
    if found.place != (ties.page, shape) or not _same(found.held[key], value):
        ties.count += 1
        key = f"{name}-{ties.count:x}"
        found.place = (ties.page, shape)
        found.held = dict([*found.held.items(), (key, value)][-REMEMBERED:])
    return {"key": key, "on_change": _hear, "args": (name, key), argument: begins}


def held(name: str) -> Any:
    """What the browser holds in a widget, as far as it has said; None where it was never drawn."""
    found = _ties().by_name.get(name)
    return None if found is None or not found.held else next(reversed(found.held.values()))


def listen() -> None:
    """Called where a run begins: hear what was said while an interrupted run could not."""
    for name, found in list(_ties().by_name.items()):
        for key in list(found.held):
            _hear(name, key)


def _hear(name: str, key: str) -> None:
    """Take over what the browser says of a key, unless it has said so before."""
    found = _ties().by_name[name]
    if key not in found.held or key not in st.session_state:
        return
    chosen = st.session_state[key]
    if not _same(chosen, found.held[key]):
        found.write(chosen)
        found.held[key] = chosen  # after it was written: a run may be interrupted in between


def _same(one: Any, other: Any) -> bool:
    """Equal; lists of choices in any order."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(entry in other for entry in one)
    return bool(one == other)
