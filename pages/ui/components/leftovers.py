"""Widgets that a browser still has in the page after they were replaced.

Streamlit's browser part keeps a widget whose place another has taken, until it hears that a run of the same fragment
came to its end. It hears of no end where a run is ended for the next, nor where the next begins before the word has
left the server: then that is turned into one that changes nothing (`ForwardMsgQueue.clear`), also where the next run
draws another fragment. The server cannot tell whether the word got through; the browser can tell what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from pages.ui.components.javascript import bundle


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component("iclens_leftovers", js=bundle("leftovers"), isolate_styles=False)


def watch_leftovers(key: str, on_found: Callable[[list[str]], None]) -> None:
    """Tell which parts of the page hold a replaced widget, whenever the page has come to rest and one does.

    Args:
        key: stable key, prefixed by the page.
        on_found: called with the keys of the parts (`Card.key`) before the next run, which is this fragment's.
    """

    def found() -> None:
        if parts := st.session_state[key].left:
            on_found([str(part) for part in parts])

    st.html(f"<style>.st-key-{key} {{ display: none; }}</style>")
    _mount()(key=key, on_left_change=found)
