"""How long a token map of 512 tokens takes to draw: in Chromium, from the click on a head until its map stands.

    python -m benchmarks.token_map            a minute; needs Chromium; writes benchmarks/results/token_map.*

The embedded model's context is filled with demonstrations. Each round clicks another head of the Attention page: the
pass that reads the head, the map of about 512 × 512 weights, its way into the browser and plotly's drawing of it are
all new each time. Parts of it are given by themselves: the pass with its map, and the figure made ready to be sent.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, sync_playwright

from benchmarks.dashboard import machine, spread
from benchmarks.written import write_results
from core import Demonstration, Study, load_model, run
from core.attention import token_map
from core.figures.attention.maps import stretch_figure
from pages.ui.store.blocks import digest
from tests.browser.app import App
from tests.browser.chromium import find_chromium
from tests.browser.conftest import ARGUMENTS
from tests.browser.kept import keep
from tests.browser.server import serve
from tests.browser.tabs import SCREEN
from tests.browser.test_attention import point, wait_for_charts

TARGET_SECONDS = 1.0
WARM = 2  # rounds before those that count
STUDY = Study(demonstrations=(Demonstration(input="cat dog " * 20, label="chat"),) * 11, query="cat dog " * 16 + "cat")

# From the press of the mouse to the last change of the token map.
STOPWATCH = """
addEventListener('mousedown', () => { window.editedAt = window.changedAt = performance.now(); }, true);
addEventListener('DOMContentLoaded', () => {
    new MutationObserver((changes) => {
        if (changes.some((change) => change.target.parentElement?.closest('.st-key-attention_tokens')))
            window.changedAt = performance.now();
    }).observe(document.documentElement, {subtree: true, childList: true, attributes: true, characterData: true});
});
"""


def parts() -> dict[str, Any]:
    """Seconds of the pass with its map, and of the figure as JSON."""
    model = load_model()
    prompt = run(STUDY, model).prompt
    size = len(model.encode(prompt.text))
    names = [str(i) for i in range(size)]
    passes, figures = [], []
    for layer in range(model.layers):
        for head in range(model.heads):
            start = time.perf_counter()
            found = token_map(model, prompt.text, range(size), range(size), heads=[(layer, head)])
            middle = time.perf_counter()
            stretch_figure(found.weights, names, names, [None] * size, [None] * size, "").to_json()
            passes.append(middle - start)
            figures.append(time.perf_counter() - middle)
    return {"tokens": size, "pass": spread(passes[WARM:]), "figure": spread(figures[WARM:])}


def drawing() -> dict[str, Any]:
    """Seconds from click to drawn, a head a round; and of it the processor time of the page's own thread."""
    model = load_model()
    took: list[float] = []
    worked: list[float] = []
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport=SCREEN)
        page.add_init_script(STOPWATCH)
        page.set_default_timeout(120_000)
        app = App(page, server.url).open(f"attention?study={keep(server, STUDY)}")
        wait_for_charts(app)
        meter = page.context.new_cdp_session(page)
        meter.send("Performance.enable", {"timeDomain": "threadTicks"})
        for layer in range(model.layers):
            for head in range(model.heads):
                x, y = point(app, "atlas", (head + 0.5) / model.heads, (layer + 0.5) / model.layers)
                page.mouse.move(x - 3, y)
                page.mouse.move(x, y)
                page.wait_for_timeout(300)
                before = busy(meter)
                page.mouse.click(x, y)
                app.settle(quiet=0.8)
                worked.append(busy(meter) - before)
                assert f"layer {layer}, head {head}" in app.text()
                seconds = float(page.evaluate("(window.changedAt - window.editedAt) / 1000"))
                assert seconds > 0, "the map did not change"
                took.append(seconds)
        browser.close()
    return {"wall": spread(took[WARM:]), "browser": spread(worked[WARM:])}


def busy(meter: CDPSession) -> float:
    """Seconds of processor time that the page's thread has taken so far."""
    metrics = meter.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    found = results["parts"]
    rows = [
        ("click on a head → its map drawn", results["drawing"]["wall"], f"under {1000 * TARGET_SECONDS:.0f} ms"),
        ("of it: processor time of the page in the browser", results["drawing"]["browser"], ""),
        ("of it: the pass and the map", found["pass"], ""),
        ("of it: the figure, ready to be sent", found["figure"], ""),
    ]
    lines = [
        "# Token map",
        "",
        f"Written by `python -m benchmarks.token_map`: {found['tokens']} × {found['tokens']} tokens on the embedded "
        "model, another head each round, in Chromium at 1440 × 900.",
        "",
        "| | median | least | largest | target |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {t['median_ms']:.0f} ms | {t['least_ms']:.0f} ms | {t['largest_ms']:.0f} ms | {target} |"
            for name, t, target in rows
        ),
        "",
        "Measured on: " + ", ".join(f"{name} {value}" for name, value in results["machine"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write the results beside this file."""
    results = {"machine": machine(), "study": digest(STUDY.model_dump_json()), "parts": parts(), "drawing": drawing()}
    write_results("token_map", results, table(results))
    print(table(results))


if __name__ == "__main__":
    main()
