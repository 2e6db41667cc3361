"""Charts that plotly draws: a figure, a key, saving as an image, zoom, full screen, and clicks on demonstrations.

Streamlit's own plotly chart takes its figure for its identity, so that the browser builds each chart anew for every
edit. Here a chart keeps its place, and `Plotly.react` changes what is drawn there; the script is the one inside the
plotly package, which the server hands out as a file. A chart below the fold is drawn when it comes into view.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.figures import Spec
from pages.ui.components.javascript import bundle, style

IMAGE = "charts_image"  # "png" or "svg", chosen in the export menu
SERVED = "iclens_plotly"  # plotly's folder, as the server knows it


@cache
def _mount() -> Callable[..., Any]:
    address = f"component/{__name__}.{SERVED}/plotly.min.js?{version('plotly')}"  # a browser keeps it: one a version
    script = bundle("plots").replace("PLOTLY", address)
    return st.components.v2.component("iclens_plot", js=script, css=style("plot"), isolate_styles=False)


@cache
def _serve() -> None:
    """Files of a component of the first version are what a server hands out under a name of ours."""
    st.components.v1.declare_component(SERVED, path=str(files("plotly") / "package_data"))


def chart(
    figure: go.Figure | Spec,
    key: str,
    alt: str,
    on_click: Callable[[list[Any]], None] | None = None,
    modebar: bool = True,
) -> None:
    """Draw a figure.

    Args:
        figure: from core.figures.
        key: stable key, prefixed by the page.
        alt: one sentence for those who cannot see it.
        on_click: called with the customdata of a clicked marker before the next run.
        modebar: whether the bar with zoom and save shows when the mouse is over the chart.
    """
    spec = figure if isinstance(figure, dict) else figure.to_dict()
    layout = {name: value for name, value in spec["layout"].items() if name != "template"}
    body = {
        "data": spec["data"],
        "layout": layout,
        "alt": alt,
        "height": layout["height"],
        "name": f"iclens-{key}",
        "format": st.session_state.get(IMAGE, "png"),
        "modebar": modebar,
        "clickable": on_click is not None,
    }

    def clicked() -> None:
        if on_click is not None and (data := st.session_state[key].clicked):
            on_click(list(data))

    _serve()
    _mount()(key=key, data=encode(body), on_clicked_change=clicked)


def encode(body: dict[str, Any]) -> bytes:
    """JSON, arrays as lists."""
    try:
        import orjson
    except ImportError:  # ten times slower, and all the same
        import json

        return json.dumps(body, default=lambda value: value.tolist()).encode()
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
