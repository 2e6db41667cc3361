"""Tables take what is pasted into them cell by cell, an empty last one too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from pages.ui.components.javascript import bundle


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component("iclens_paste", js=bundle("paste"), isolate_styles=False)


def mend_pastes(key: str) -> None:
    """For every table of the page, and as long as it is open.

    Args:
        key: stable key, prefixed by the page.
    """
    st.html(f"<style>.st-key-{key} {{ display: none; }}</style>")
    _mount()(key=key)
