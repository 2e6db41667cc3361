"""Charts that follow every key stroke: figures of core.figures, drawn by a small script of our own.

plotly takes tens of milliseconds of the browser's time to redraw one chart, this about one (`benchmarks/drawing.py`),
and it fills the height it is given, so charts grow with the window. It knows what our live figures use (`supported`):
bars, heatmaps, lines, words, frames, legends; hover boxes, clicks, saving as an image, full screen. Other charts are
drawn by plotly (`charts`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import streamlit as st

from core.figures import Spec
from pages.ui.components.charts import IMAGE, encode
from pages.ui.components.javascript import bundle, style
from pages.ui.components.supported import check_supported

LIBRARY = "iclens_drawing"


@cache
def _library() -> Callable[..., Any]:
    return st.components.v2.component(LIBRARY, js=bundle("chart"), css=style("chart"), isolate_styles=False)


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component("iclens_chart", js=bundle("mount"), isolate_styles=False)


def prepare() -> None:
    """Called once a page, above what is redrawn: brings the script that draws.

    And keeps what waits for its redraw as it is. To fade it away is work for the browser, which has better to do.
    """
    hidden = f".st-key-{LIBRARY} {{ display: none; }}"
    waiting = "[data-stale='true'] { opacity: 1 !important; transition: none !important; }"
    st.html(f"<style>{hidden} {waiting}</style>")
    _library()(key=LIBRARY)


def live_chart(
    spec: Spec, key: str, alt: str, height: str, on_click: Callable[[list[Any]], None] | None = None
) -> None:
    """Draw a figure, on a page that called `prepare`.

    Args:
        spec: of a figure function, `answer_figure.spec(…)`.
        key: stable key, prefixed by the page.
        alt: one sentence for those who cannot see it.
        height: as CSS has it; the figure's own height is not read.
        on_click: called with the customdata of a clicked cell before the next run.

    Raises:
        Unsupported: the figure uses what the drawing does not know.
    """
    check_supported(spec)
    body = {
        **spec,
        "alt": alt,
        "height": height,
        "name": f"iclens-{key}",
        "format": st.session_state.get(IMAGE, "png"),
        "clickable": on_click is not None,
    }

    def clicked() -> None:
        if on_click is not None and (data := st.session_state[key].clicked):
            on_click(list(data))

    _mount()(key=key, data=encode(body), on_clicked_change=clicked)
