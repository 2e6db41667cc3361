"""Bars that can be dragged, one a task: a probability each, on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import streamlit as st

from pages.ui.components.javascript import bundle, style


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        task: its name.
        weight: what it has, unnormalised.
        own: what it has by itself, marked by a dotted line; all tasks' own weights sum to one.
        colour: of the bar.
    """

    task: str
    weight: float
    own: float
    colour: str


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component("iclens_drag", js=bundle("drag"), css=style("drag"), isolate_styles=False)


def drag_bars(bars: Sequence[Bar], rest: float, key: str, alt: str, on_move: Callable[[str, float], None]) -> None:
    """Draw bars whose lengths are their shares of all weight.

    Dragging sets a bar's share and leaves the others their shares among themselves. Arrows move one by a quarter,
    Page Up and Down tenfold, Home rules it out, Delete or a double click brings its own weight back.

    Args:
        rest: weight of what has no bar.
        key: stable key, prefixed by the page.
        alt: one sentence for those who cannot see it.
        on_move: called with a task and its new weight before the next run, several times while a bar is dragged.
    """

    def moved() -> None:
        found = st.session_state[key].moved
        if found:
            on_move(str(found[0]), float(found[1]))

    _mount()(key=key, data={"rows": [asdict(bar) for bar in bars], "rest": rest, "alt": alt}, on_moved_change=moved)
