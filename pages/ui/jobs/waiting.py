"""Why a result is not there: an exception each, which a card turns into what it shows in the result's place."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui.components.text import message
from pages.ui.jobs import jobs, view

Done = Callable[[], None]


class Waiting(Exception):
    """A result that a card reads is not there.

    Attributes:
        why: one sentence in place of the view.
        token: what decides how it looks; two with the same look alike.
        slot: of its job, "" where there is none: of the cards that wait for one job, the first says so.
        keeps: whether what was shown before stays, dimmed.
        acts: whether `show` draws something.
    """

    slot = ""
    keeps = False
    acts = False

    def __init__(self, why: str, *token: str) -> None:
        super().__init__(why)
        self.why, self.token = why, (type(self).__name__, why, *token)

    def show(self, done: Done) -> None:
        """Draw what can be done about it.

        Args:
            done: called from a fragment once the result may be there.
        """


class Nothing(Waiting):
    """There is nothing to show: `raise Nothing("There is no pool.")`."""


class Failed(Waiting):
    """It cannot be computed, and the sentence says why not."""

    acts = True

    def __init__(self, why: str, slot: str = "") -> None:
        super().__init__(why, slot)
        self.slot = slot

    def show(self, done: Done) -> None:
        st.error(message(self.why))


class Running(Waiting):
    """A job computes it."""

    keeps = acts = True

    def __init__(self, slot: str, what: str, key: str) -> None:
        super().__init__(f"Comes when this is done: {what}.", slot, key)
        self.slot, self.what = slot, what

    def show(self, done: Done) -> None:
        view.progress(self.slot, self.what, done)


class Asked(Waiting):
    """It is dear, and its job starts when it is asked for."""

    acts = True

    def __init__(self, slot: str, what: str, key: str, cost: str, want: Callable[[], None]) -> None:
        super().__init__(f"Comes when it is asked for: {what}.", slot, key)
        self.slot, self.what, self.cost, self.want = slot, what, cost, want

    def show(self, done: Done) -> None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(self.cost, width="content")
            st.button(f"Compute {self.what}", key=f"{self.slot}_compute", on_click=self.want)


class Stopped(Waiting):
    """The user has stopped its job."""

    acts = True

    def __init__(self, slot: str, what: str, key: str) -> None:
        super().__init__(f"Stopped: {what}.", slot, key)
        self.slot = slot

    def show(self, done: Done) -> None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(message(self.why), width="content")
            st.button("Run again", key=f"{self.slot}_again", on_click=jobs.replace, args=(self.slot, None))
