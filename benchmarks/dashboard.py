"""How long an edit takes: the computation of one study, and in Chromium until all views are redrawn.

    python -m benchmarks.dashboard

writes benchmarks/results/dashboard.json and .md. The redraw is given as a ratio to an empty rerun: a two-line Streamlit
app, edited in turn with the dashboard in the same run, on the same machine, and clocked by the same script.

    python -m benchmarks.dashboard --only pages     # the redraw of every page, and no other figure is changed
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import sync_playwright

from benchmarks.written import RESULTS, write_results
from tests.browser.app import App
from tests.browser.chromium import find_chromium
from tests.browser.conftest import ARGUMENTS
from tests.browser.server import serve
from tests.browser.tabs import SCREEN

DEMONSTRATIONS = 16
WARM, ROUNDS = 3, 15
TARGET_RATIO, TARGET_PAGES, TARGET_SECONDS = 2.0, 3.0, 0.150
EXAMPLE = "Next, double or plus two?"  # four demonstrations: every analysis ends soon
PAGES = ("posterior", "kernel", "attention", "influence", "selection", "ordering", "scoring", "format", "reasoning",
         "compare")  # fmt: skip
QUERIES = ("two", "five")  # edited in turn, so that what is computed once is there from then on
PAGE_WARM, PAGE_ROUNDS = 2, 8
PATIENCE = 300  # seconds for the analyses of a page on a busy machine

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
    with visits() as apps:
        for app in apps.values():
            app.open()
        return in_turn(apps, inputs, WARM)


def redraw_pages() -> dict[str, Any]:
    """The same on every other page that shows the study, each between two queries whose analyses are there already:
    what is clocked is the page, and not what it computes. The model card shows no study."""
    found = {}
    with visits() as apps:
        apps["empty"].open()
        visitor = apps["dashboard"]
        visitor.open()
        visitor.page.get_by_role("button", name="Example sets").click()
        visitor.page.get_by_role("menuitem", name=EXAMPLE).or_(visitor.page.get_by_role("option", name=EXAMPLE)).click()
        visitor.settle()
        study = parse_qs(urlparse(visitor.page.url).query)["study"][0]
        for name in PAGES:
            visitor.open(f"{name}?study={study}")
            if name == "compare":
                visitor.page.get_by_role("button", name="Keep this study as A", exact=True).click()
                visitor.settle()
            for query in QUERIES:
                visitor.fill("Query x", query)
                wait_for_analyses(visitor)
            found[name] = in_turn(apps, [QUERIES[i % 2] for i in range(PAGE_WARM + PAGE_ROUNDS)], PAGE_WARM)
            print(f"{name}: {found[name]['ratio']:.2f} × an empty rerun", flush=True)
    return found


@contextmanager
def visits() -> Iterator[dict[str, App]]:
    """A visitor of the dashboard, and one of the empty app."""
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
            apps[name] = App(page, server.url)
        yield apps
        browser.close()


def wait_for_analyses(app: App) -> None:
    """Until no job is under way."""
    waiting = app.page.get_by_role("button", name=re.compile("Cancel"))
    deadline = time.monotonic() + PATIENCE
    while waiting.count():
        assert time.monotonic() < deadline, "an analysis did not come to its end"
        time.sleep(0.5)
    app.settle()


def in_turn(apps: dict[str, App], queries: Sequence[str], warm: int) -> dict[str, Any]:
    """Edits of the query in both apps, in changing order; the first few do not count."""
    took: dict[str, list[float]] = {name: [] for name in apps}
    for place, query in enumerate(queries):
        for name, app in list(apps.items())[:: 1 if place % 2 else -1]:
            app.page.bring_to_front()
            took[name].append(edit(app, "Query x", query))
            assert query in app.text() + app.page.locator("[data-testid=stMain]").inner_html()
    counted = {name: seconds[warm:] for name, seconds in took.items()}
    ratio = statistics.median(counted["dashboard"]) / statistics.median(counted["empty"])
    return {**{name: spread(seconds) for name, seconds in counted.items()}, "ratio": ratio}


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
    pages = [
        f"| {name} | {t['dashboard']['median_ms']:.0f} ms | {t['empty']['median_ms']:.0f} ms | {t['ratio']:.2f} × |"
        for name, t in sorted(results.get("pages", {}).items(), key=lambda entry: -entry[1]["ratio"])
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
        f"Every other page that shows the study, at most {TARGET_PAGES:g} × wanted, its analyses there already:",
        "",
        "| page | edit → all views redrawn | empty app | ratio |",
        "|---|---|---|---|",
        *pages,
        "",
        "Stages of one study: "
        + ", ".join(f"{stage} {ms:.1f} ms" for stage, ms in results["compute"]["stages_ms"].items())
        + ".",
        "",
        "Measured on: " + ", ".join(f"{name} {value}" for name, value in results["machine"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("compute", "redraw", "pages"), help="measure this and keep the rest")
    only = parser.parse_args().only
    kept = RESULTS / "dashboard.json"
    results = json.loads(kept.read_text(encoding="utf-8")) if only else {}
    results["machine"] = machine()
    for part, measure in (("compute", compute), ("redraw", redraw), ("pages", redraw_pages)):
        if only in (None, part):
            results[part] = measure()
    write_results("dashboard", results, table(results))
    print(table(results))


if __name__ == "__main__":
    main()
