"""Who draws the live charts: our own script, or `Plotly.react` from the script inside the plotly package.

    python -m benchmarks.drawing

writes benchmarks/results/drawing.json and .md, and the table in CONTRIBUTING.md. Three servers are edited in turn in
one Chromium, in changing order: the dashboard, the dashboard whose live charts `benchmarks.plotly_charts` hands to
plotly, and the empty app. The clock is that of `benchmarks.dashboard`; beside it stands what each chart's drawing took
of the browser's main thread.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard import STOPWATCH, edit, machine, spread, words
from benchmarks.written import write_results
from tests.browser.app import App
from tests.browser.chromium import find_chromium
from tests.browser.conftest import ARGUMENTS
from tests.browser.server import serve
from tests.browser.tabs import SCREEN

GUIDE = Path(__file__).parents[1] / "CONTRIBUTING.md"
IN_GUIDE = re.compile(r"(?<=results/drawing.json -->\n).*?(?=<!-- end of drawing -->)", re.DOTALL)
WARM, ROUNDS = 3, 15
TARGET_RATIO = 2.0
OWN, PLOTLY, EMPTY = "our own script", "Plotly.react", "empty app"
SERVED = {
    OWN: ("dashboard.py", "streamlit"),
    PLOTLY: ("dashboard.py", "benchmarks.plotly_charts"),
    EMPTY: ("benchmarks/empty.py", "streamlit"),
}
# The class that draws says how long each of its drawings takes, as the charts of plotly do.
CLOCK_OWN = """async () => {
    const [, shelf] = Object.entries(globalThis).find(([name]) => name.startsWith('iclens '));
    const { prototype } = await shelf.chart;
    const draw = prototype.draw;
    prototype.draw = function () {
        const start = performance.now();
        draw.call(this);
        (globalThis.benchmarkDrawn ??= []).push([this.figure?.name, performance.now() - start]);
    };
}"""


def measure() -> dict[str, list[dict[str, Any]]]:
    """Seconds of every edit, and seconds of drawing by chart."""
    rounds: dict[str, list[dict[str, Any]]] = {way: [] for way in SERVED}
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        stack.callback(browser.close)
        apps = {}
        for way, (script, module) in SERVED.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(serve(folder, script, module))
            page = browser.new_page(viewport=SCREEN)
            page.add_init_script(STOPWATCH)
            apps[way] = App(page, server.url).open()
        apps[OWN].page.evaluate(CLOCK_OWN)
        for number, (word, _) in enumerate(words(WARM + ROUNDS)):
            for way in list(SERVED)[:: 1 if number % 2 else -1]:
                rounds[way].append(_edited(apps[way], word))
    return {way: found[WARM:] for way, found in rounds.items()}


def _edited(app: App, word: str) -> dict[str, Any]:
    app.page.bring_to_front()
    app.page.evaluate("globalThis.benchmarkDrawn = []")
    return {"seconds": edit(app, "Query x", word), "charts": _drawn(app.page)}


def _drawn(page: Page) -> dict[str, float]:
    charts: dict[str, float] = {}
    for name, milliseconds in page.evaluate("globalThis.benchmarkDrawn"):
        charts[name] = charts.get(name, 0.0) + milliseconds / 1000
    return charts


def summary(rounds: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Medians by way, and ratios to the empty app's."""
    empty = statistics.median(one["seconds"] for one in rounds[EMPTY])
    ways = {}
    for way, found in rounds.items():
        drawing = [sum(one["charts"].values()) for one in found]
        charts = {
            name: 1000 * statistics.median(one["charts"].get(name, 0.0) for one in found) for name in found[0]["charts"]
        }
        ways[way] = {
            **spread([one["seconds"] for one in found]),
            "ratio": statistics.median(one["seconds"] for one in found) / empty,
            "drawing_ms": 1000 * statistics.median(drawing),
            "drawing_ratio": statistics.median(drawing) / empty,
            "charts_ms": charts,
        }
    return {"rounds": ROUNDS, "target_ratio": TARGET_RATIO, "ways": ways}


def table(results: dict[str, Any]) -> str:
    """Whole redraws and drawing alone, as Markdown."""
    lines = [
        "| edit of the query → all views redrawn | median | least | largest | of an empty rerun | drawing alone |",
        "|---|---|---|---|---|---|",
        *(
            f"| {way} | {t['median_ms']:.0f} ms | {t['least_ms']:.0f} ms | {t['largest_ms']:.0f} ms "
            f"| {t['ratio']:.2f} × | {t['drawing_ms']:.1f} ms, {t['drawing_ratio']:.2f} × |"
            for way, t in results["ways"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def report(results: dict[str, Any]) -> str:
    """All results as Markdown."""
    lines = [
        "# Drawing",
        "",
        "Written by `python -m benchmarks.drawing`; what is measured, and how, stands in `benchmarks/README.md`.",
        "",
        table(results),
        f"Wanted: at most {TARGET_RATIO:g} × an empty rerun.",
        "",
        *(
            f"Drawing by {way}: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in t["charts_ms"].items()) + "."
            for way, t in results["ways"].items()
            if t["charts_ms"]
        ),
        "",
        "Measured on: " + ", ".join(f"{name} {value}" for name, value in results["machine"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    # What else the machine was doing: on a busy one all times are longer, and their ratios less sure.
    load = round(os.getloadavg()[1], 1)
    results = {"machine": {**machine(), "load before": load}, **summary(measure())}
    write_results("drawing", results, report(results))
    guide = GUIDE.read_text(encoding="utf-8")
    GUIDE.write_text(IN_GUIDE.sub(lambda _: table(results), guide), encoding="utf-8")
    print(report(results))


if __name__ == "__main__":
    main()
