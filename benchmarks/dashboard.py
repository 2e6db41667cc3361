"""How long an edit takes: the computation of one study, and in Chromium until all views are redrawn.

    python -m benchmarks.dashboard

writes benchmarks/results/dashboard.json and .md. The redraw is given as a ratio to an empty rerun: a two-line Streamlit
app, edited in turn with the dashboard in the same run, on the same machine, and clocked by the same script.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.app import App
from tests.browser.chromium import find_chromium
from tests.browser.conftest import ARGUMENTS, SCREEN
from tests.browser.server import serve

RESULTS = Path(__file__).parent / "results"
DEMONSTRATIONS = 16
WARM, ROUNDS = 3, 15
TARGET_RATIO, TARGET_SECONDS = 3.0, 0.150

# From the key press that commits the edit to the last change of the page's body before it comes to rest.
STOPWATCH = """
addEventListener('keydown', (event) => {
    if (event.key === 'Enter') window.editedAt = window.changedAt = performance.now();
}, true);
addEventListener('DOMContentLoaded', () => {
    new MutationObserver((changes) => {
        if (changes.some((change) => change.target.parentElement?.closest('[data-testid=stMain]')))
            window.changedAt = performance.now();
    }).observe(document.documentElement, {subtree: true, childList: true, attributes: true, characterData: true});
});
"""


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, least and largest, in milliseconds."""
    return {
        "median_ms": 1000 * statistics.median(seconds),
        "least_ms": 1000 * min(seconds),
        "largest_ms": 1000 * max(seconds),
    }


def words(count: int) -> list[tuple[str, str]]:
    """Distinct examples of one task of the embedded mixture."""
    from core.mixture.mixture import load_mixture

    return list(dict.fromkeys(load_mixture().sample("French", 8 * count, seed=0)))[:count]


def compute() -> dict[str, Any]:
    """One study with posterior, kernels and attention on the embedded model.

    "cold": other demonstrations and another query each time, so that nothing is left from the run before; "query" and
    "demonstration": one edit of the study just run, of which what the edit leaves as it was is kept.
    """
    from core import Demonstration, Study, load_model, run
    from core.mixture.mixture import load_mixture

    model, mixture = load_model(), load_mixture()
    took: dict[str, list[float]] = {"cold": [], "query": [], "demonstration": []}
    stages: dict[str, list[dict[str, float]]] = {name: [] for name in took}
    for seed in range(WARM + ROUNDS):
        pairs = list(dict.fromkeys(mixture.sample("French", 8 * DEMONSTRATIONS, seed=seed)))
        rows = [Demonstration(input=x, label=y) for x, y in pairs]
        shown, spare = rows[:DEMONSTRATIONS], rows[DEMONSTRATIONS:]
        edited = (*shown[:-4], spare[0], *shown[-3:])
        study = Study(demonstrations=tuple(shown), query=spare[1].input)
        for name, changes in (
            ("cold", {}),
            ("query", {"query": spare[2].input}),
            ("demonstration", {"demonstrations": edited}),
        ):
            start = time.perf_counter()
            outcome = run(study.model_copy(update=changes), model)
            took[name].append(time.perf_counter() - start)
            stages[name].append(outcome.timings)
    parts = {}
    for name, seconds in took.items():
        by_stage = {s: 1000 * statistics.median(t[s] for t in stages[name][WARM:]) for s in stages[name][-1]}
        parts[name] = {**spread(seconds[WARM:]), "stages_ms": by_stage}
    whole = parts.pop("cold")
    return {"demonstrations": DEMONSTRATIONS, "model": model.fingerprint, **whole, "after_edit_of": parts}


def edit(app: App, label: str, text: str) -> float:
    """Seconds from Enter to the last change on the page."""
    box = app.page.get_by_label(label, exact=True).first
    box.fill(text)
    box.press("Enter")
    app.settle(quiet=0.8)
    took: float = app.page.evaluate("(window.changedAt - window.editedAt) / 1000")
    assert took > 0, "the page did not change"
    return took


def redraw() -> dict[str, Any]:
    """Edits of the query in the Playground, in turn with edits of an empty app."""
    inputs = [x for x, _ in words(WARM + ROUNDS)]
    took: dict[str, list[float]] = {"dashboard": [], "empty": []}
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as two,
        serve(Path(one)) as dashboard,
        serve(Path(two), "benchmarks/empty.py") as empty,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        apps = {}
        for name, server in (("dashboard", dashboard), ("empty", empty)):
            page = browser.new_page(viewport=SCREEN)
            page.add_init_script(STOPWATCH)
            apps[name] = App(page, server.url).open()
        for word in inputs:
            for name, app in apps.items():
                app.page.bring_to_front()
                took[name].append(edit(app, "Query x", word))
                assert word in app.text() + app.page.locator("[data-testid=stMain]").inner_html()
        browser.close()
    dashboard_times, empty_times = took["dashboard"][WARM:], took["empty"][WARM:]
    return {
        "dashboard": spread(dashboard_times),
        "empty": spread(empty_times),
        "ratio": statistics.median(dashboard_times) / statistics.median(empty_times),
    }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "streamlit", "plotly")},
    }


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    rows = [
        ("one study, computed from nothing", results["compute"], f"under {1000 * TARGET_SECONDS:.0f} ms"),
        *((f"… after an edit of a {what}", part, "") for what, part in results["compute"]["after_edit_of"].items()),
        ("edit → all views redrawn", results["redraw"]["dashboard"], f"{TARGET_RATIO:g} × an empty rerun"),
        ("edit → empty app redrawn", results["redraw"]["empty"], ""),
    ]
    lines = [
        "# Dashboard",
        "",
        "Written by `python -m benchmarks.dashboard`; what is measured, and how, stands in `benchmarks/README.md`.",
        "",
        "| | median | least | largest | target |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {t['median_ms']:.0f} ms | {t['least_ms']:.0f} ms | {t['largest_ms']:.0f} ms | {target} |"
            for name, t, target in rows
        ),
        "",
        f"Redraw against an empty rerun: **{results['redraw']['ratio']:.2f} ×**.",
        "",
        "Stages of one study: "
        + ", ".join(f"{stage} {ms:.1f} ms" for stage, ms in results["compute"]["stages_ms"].items())
        + ".",
        "",
        "Measured on: " + ", ".join(f"{name} {value}" for name, value in results["machine"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    results = {"machine": machine(), "compute": compute(), "redraw": redraw()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "dashboard.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "dashboard.md").write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
