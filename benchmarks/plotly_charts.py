"""The dashboard as `streamlit run dashboard.py` serves it, but with every live chart drawn by `Plotly.react`.

    python -m benchmarks.plotly_charts run dashboard.py

The other side of `benchmarks.drawing`. The script is the one inside the plotly package, sent once a page; each chart is
a component that hands its figure over, with the size that it has room for, as our own drawing is handed it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st
from streamlit.web import cli

from pages.ui.components import live_chart

BUNDLE = files("plotly") / "package_data" / "plotly.min.js"
GIVE = """
globalThis.benchmarkPlotly = globalThis.moduleName;
export default function () {}
"""
MOUNT = """
const reader = new TextDecoder();
const plotly = new Promise((found) => {
    const look = () => globalThis.benchmarkPlotly ? found(globalThis.benchmarkPlotly) : setTimeout(look, 5);
    look();
});
const clear = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: false };

class Chart {
    constructor(parent, Plotly) {
        this.Plotly = Plotly;
        this.root = parent.appendChild(document.createElement("div"));
        this.watcher = new ResizeObserver(([{ contentRect }]) => {
            const { width, height } = contentRect;
            const { color, fontFamily: family } = getComputedStyle(this.root);
            this.room = { width, height, font: { family, size: 12, color } };
            this.draw();
        });
        this.watcher.observe(this.root);
    }

    update(figure, send) {
        Object.assign(this, { figure, send });
        this.root.style.cssText = `width: 100%; height: ${figure.height}`;
        this.draw();
    }

    draw() {
        if (!this.figure || !this.room?.width || !this.room.height) return;
        const { data, layout, name, format } = this.figure;
        const start = performance.now();
        const image = { format, filename: name, scale: 3 };
        const config = { displaylogo: false, displayModeBar: "hover", toImageButtonOptions: image };
        this.Plotly.react(this.root, data, { ...layout, ...clear, ...this.room }, config);
        (globalThis.benchmarkDrawn ??= []).push([name, performance.now() - start]);
        if (this.listens) return;
        this.listens = true;
        this.root.on("plotly_click", ({ points }) => {
            if (points[0]?.customdata && this.figure.clickable) this.send("clicked", points[0].customdata);
        });
    }

    close() {
        this.watcher.disconnect();
        this.Plotly.purge(this.root);
        this.root.remove();
    }
}

export default async function ({ data, parentElement, setTriggerValue }) {
    const Plotly = await plotly;
    parentElement.icl ??= new Chart(parentElement, Plotly);
    parentElement.icl.update(JSON.parse(reader.decode(data)), setTriggerValue);
    return () => {
        parentElement.icl?.close();
        delete parentElement.icl;
    };
}
"""


@cache
def library() -> Callable[..., Any]:
    script = BUNDLE.read_text(encoding="utf-8") + GIVE
    return st.components.v2.component(live_chart.LIBRARY, js=script, isolate_styles=False)


@cache
def mount() -> Callable[..., Any]:
    return st.components.v2.component("iclens_chart", js=MOUNT, isolate_styles=False)


if __name__ == "__main__":
    live_chart._library, live_chart._mount = library, mount
    cli.main(prog_name="streamlit")
