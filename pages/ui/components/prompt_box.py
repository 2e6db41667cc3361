"""The rendered prompt on screen, whose demonstrations can be clicked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from pages.ui.components.javascript import bundle
from pages.ui.components.prompt import STYLE


@cache
def _mount() -> Callable[..., Any]:
    style = STYLE.removeprefix("<style>").removesuffix("</style>")  # sent once: a style in the text is read every time
    return st.components.v2.component("iclens_prompt", js=bundle("prompt"), css=style, isolate_styles=False)


def prompt_box(html: str, key: str, on_click: Callable[[int], None]) -> None:
    """Show a prompt.

    Args:
        html: of `prompt_html`.
        key: stable key, prefixed by the page.
        on_click: called with a demonstration's number when it is clicked, before the next run.
    """

    def clicked() -> None:
        number = st.session_state[key].clicked
        if number is not None:
            on_click(int(number))

    _mount()(key=key, data={"html": html.removeprefix(STYLE)}, on_clicked_change=clicked)
