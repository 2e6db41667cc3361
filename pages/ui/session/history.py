"""A study, the A beside it, and the steps behind and ahead of them: one value of a session, changed in one go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.study.study import Study

HISTORY = "state_history"
MOST = 100  # steps of undo
Address = tuple[str, str]  # ids of the study and of A; "" where there is none
NOWHERE: Address = ("", "")
Pair = tuple[Study, Study | None]  # the study and A; frozen, and rows that steps have in common are kept once


@dataclass(frozen=True)
class HistoryStep:
    """A study and its A, at hand or by where the store keeps them.

    Attributes:
        pair: None after a refresh, until it is needed.
        address: NOWHERE until they were kept.
    """

    pair: Pair | None
    address: Address = NOWHERE


@dataclass
class History:
    """What a session works on.

    Attributes:
        study: B, the session's study.
        a: what it is compared with, if anything.
        address: where the two are kept, NOWHERE until they are.
        undo: steps behind, the nearest last.
        redo: steps ahead, the nearest last.
        typed: the field that was edited last and what was typed there, where typing on belongs to the same step.
    """

    study: Study
    a: Study | None = None
    address: Address = NOWHERE
    undo: tuple[HistoryStep, ...] = ()
    redo: tuple[HistoryStep, ...] = ()
    typed: tuple[str, Any] | None = None

    def advance(self, study: Study, a: Study | None, typed: tuple[str, Any] | None = None) -> None:
        """Go on to another study or A. That is a step of undo, unless it goes on with what was typed last."""
        if study == self.study and a == self.a:
            return
        if not (self.undo and goes_on(self.typed, typed)):
            self.undo = (*self.undo, HistoryStep((self.study, self.a), self.address))[-MOST:]
        self.study, self.a, self.address = study, a, NOWHERE
        self.redo, self.typed = (), typed

    def back(self, load: Callable[[Address], Pair | None]) -> bool:
        """One step back. `load` finds a step that is not at hand; False where it is gone, and with it those before."""
        if not self.undo:
            return True
        *rest, step = self.undo
        pair = step.pair or load(step.address)
        if pair is None:
            self.undo = ()
            return False
        here = HistoryStep((self.study, self.a), self.address)
        self.undo, self.redo = tuple(rest), (*self.redo, here)[-MOST:]
        (self.study, self.a), self.address, self.typed = pair, step.address, None
        return True

    def forward(self, load: Callable[[Address], Pair | None]) -> bool:
        """One step forward, as `back`."""
        self.undo, self.redo = self.redo, self.undo
        found = self.back(load)
        self.undo, self.redo = self.redo, self.undo
        return found


def history() -> History:
    """The session's."""
    found: History = st.session_state[HISTORY]
    return found


def goes_on(before: tuple[str, Any] | None, after: tuple[str, Any] | None) -> bool:
    """Whether an edit goes on with the one before: the same field, and a number again, or a text typed on.

    Text is typed on where letters came or went in one place; a text put in another's stead is an edit of its own. No
    value depends on this, only how far one step of undo goes.
    """
    if before is None or after is None or before[0] != after[0]:
        return False
    old, new = before[1], after[1]
    if not (isinstance(old, str) and isinstance(new, str)):
        return not isinstance(old, str) and not isinstance(new, str)
    short, long = sorted((old, new), key=len)
    start = next((i for i, (x, y) in enumerate(zip(short, long, strict=False)) if x != y), len(short))
    return bool(short) and long.endswith(short[start:])
