"""The study of a session, and the one it is compared with: two values, edited by callbacks, with a history.

The study is B; A is a study that was put aside, or there is none. Both are in the address, and in every step of undo.
Widgets are views of it (widgets.py): `bind` shows what the study says, and writes the study when the user changes it.
So undo, links and example sets change one value, and a widget that is not on screen loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import streamlit as st

from core.errors import ICLensError, InvalidValue, StudyError
from core.study.study import Study
from pages.ui.session import address, widgets
from pages.ui.session.address import NOTICE
from pages.ui.session.history import HISTORY, history

# The field that a widget's callback edits, and what was typed there.
_typed: ContextVar[tuple[str, Any] | None] = ContextVar("typed", default=None)


def study() -> Study:
    """The session's study."""
    return history().study


def study_a() -> Study | None:
    """A, the study that the session's is compared with, if one was put aside."""
    return history().a


def start() -> None:
    """Called by a page first: give the session a study, from the link if there is one, or follow the browser's Back."""
    if HISTORY not in st.session_state:
        address.begin()
    address.follow()
    listen()


def arrive(page: str) -> None:
    """Called by a page before its widgets, with its name."""
    widgets.arrive(page)


def listen() -> None:
    """Called where a page or a part of it is drawn anew: edits that an interrupted run had no time for."""
    widgets.listen()


def keep() -> None:
    """Called by a page last: keep the study and A, and put their ids into the address."""
    address.keep()


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
    """Make `new` the study, the old one a step of undo. Going on in the same `field` is the same step."""
    address.follow()
    now = history()
    now.advance(new, now.a, (field, None) if field else _typed.get())
    address.secure()


def compare(a: Study | None, b: Study | None = None) -> None:
    """Put `a` aside as A, or nothing, and make `b`, where given, the study: one step of undo."""
    address.follow()
    now = history()
    now.advance(b or now.study, a)
    address.secure()


def edit(**changes: Any) -> None:
    """Change fields of the study.

    Raises:
        ICLensError: a value that a study cannot have; browsers check most, but need not.
    """
    address.follow()
    now = history()
    try:
        new = Study.model_validate({**dict(now.study), **changes})
    except InvalidValue as error:
        raise StudyError(f"“{'.'.join(map(str, error.place))}” was not changed: {error.why.lower()}.") from None
    now.advance(new, now.a, _typed.get())
    address.secure()


def undo() -> None:
    """Back one step."""
    address.follow()
    if not history().back(address.load):
        say("The steps before this one are kept no more.")


def redo() -> None:
    """Forward one step."""
    address.follow()
    if not history().forward(address.load):
        say("The steps after this one are kept no more.")


def can_undo() -> bool:
    return bool(history().undo)


def can_redo() -> bool:
    return bool(history().redo)


def bind(
    key: str,
    value: Hashable | list[Any],
    write: Callable[[Any], dict[str, Any]] | str,
    default: widgets.Argument,
    options: Sequence[Any] = (),
    shape: Hashable = None,
) -> dict[str, Any]:
    """Keyword arguments that tie a widget to the study: a key, and a callback that writes what the user chose.

    Args:
        key: the widget's name; its key begins with it.
        value: what the study says.
        write: the field to set, or a function from the widget's value to the fields to change. It is called with the
            study as it then is, which may be another than the one drawn: let it ask `study()`.
        default: the widget's argument for what it begins with.
        options: of a select box, whose argument is "index".
        shape: what else makes it another widget to Streamlit, such as the ends of a slider.
    """

    def apply(chosen: Any) -> None:
        address.follow()
        goes_on = default == "value" and not isinstance(chosen, bool)
        with typing(key, chosen) if goes_on else nullcontext():
            try:
                edit(**({write: chosen} if isinstance(write, str) else write(chosen)))
            except (ICLensError, ValueError) as error:
                say(str(error))

    return widgets.tie(key, value, apply, default, options, shape)


@contextmanager
def typing(field: str, chosen: Any = None) -> Iterator[None]:
    """Edits made in here go on with those before in the same `field`: one step of undo (see `history.goes_on`).

    Args:
        field: what is typed in.
        chosen: what it came to, where it is text.
    """
    token = _typed.set((field, chosen))
    try:
        yield
    finally:
        _typed.reset(token)
