"""Plotly charts with what every one of ours needs: a name, a key, saving as an image, and clicks on demonstrations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

IMAGE = "charts_image"  # "png" or "svg", chosen in the export menu


def chart(
    figure: go.Figure, key: str, alt: str, on_click: Callable[[list[Any]], None] | None = None, modebar: bool = True
) -> None:
    """Draw a figure.

    Args:
        figure: from core.figures.
        key: stable key, prefixed by the page.
        alt: one sentence for those who cannot see it.
        on_click: called with the customdata of a clicked marker before the next run.
        modebar: whether the bar with zoom and save shows when the mouse is over the chart.
    """
    config = {
        "displaylogo": False,
        "displayModeBar": "hover" if modebar else False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d"],
        "toImageButtonOptions": {"format": st.session_state.get(IMAGE, "png"), "filename": f"iclens-{key}", "scale": 3},
    }
    if on_click is None:
        st.plotly_chart(figure, key=key, alt=alt, config=config)
        return

    def clicked() -> None:
        # A selection is forgotten as soon as the figure changes, so it is acted on at once.
        points = st.session_state[key]["selection"]["points"]
        if points and (data := points[0].get("customdata")):
            on_click(list(data))

    st.plotly_chart(figure, key=key, alt=alt, config=config, on_select=clicked, selection_mode="points")
