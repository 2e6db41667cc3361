"""The dashboard as a visitor sees it: opens a page, waits for it to come to rest, reads what is on it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError

# Counts how often the script's state changes, from before the page's own code runs.
COUNT_RUNS = """
window.iclensRuns = 0;
new MutationObserver((changes) => { window.iclensRuns += changes.length; })
    .observe(document, {subtree: true, attributes: true, attributeFilter: ['data-test-script-state']});
"""

# At rest: connected, nothing running, nothing grey from the run before, no placeholder, and so for a while. And after a
# run: an input asks for one a moment later, and on a busy machine that moment is long.
AT_REST = """([quiet, seen, patience]) => {
    const app = document.querySelector('[data-testid=stApp]');
    const rest = app
        && app.dataset.testConnectionState === 'CONNECTED'
        && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-stale=true], [data-retained]')
        && !document.querySelector('[data-testid=stSkeleton], [data-testid=stAppSkeleton]');
    const now = performance.now();
    window.iclensAsked ??= now;
    if (!rest) { window.iclensRest = null; return false; }
    window.iclensRest ??= now;
    const ran = window.iclensRuns !== seen || now - window.iclensAsked >= patience;
    return ran && now - window.iclensRest >= quiet;
}"""

# A figure as it is drawn, not as it was sent: the traces of our own chart once it has drawn them, or those that plotly
# computed from, with typed arrays unpacked.
FIGURE = """(node) => {
    const own = node.querySelector('.icl-chart');
    const gd = node.classList.contains('js-plotly-plot') ? node : node.querySelector('.js-plotly-plot');
    const plain = (v) => ArrayBuffer.isView(v) ? Array.from(v, plain) : Array.isArray(v) ? v.map(plain) : v;
    const keep = ['type', 'name', 'x', 'y', 'z', 'text', 'customdata'];
    const traces = own ? own.drawn.data : gd._fullData;
    return traces.map((t) => Object.fromEntries(keep.filter((k) => k in t).map((k) => [k, plain(t[k])])));
}"""


@dataclass
class App:
    """One visitor's tab.

    Attributes:
        page: the Playwright page.
        url: address of the server.
        console: errors that the browser printed.
        runs: changes of the script's state until the page last came to rest.
    """

    page: Page
    url: str
    console: list[str] = field(default_factory=list)
    runs: int = -1

    def __post_init__(self) -> None:
        self.page.add_init_script(COUNT_RUNS)

    def open(self, path: str = "") -> App:
        """Go to a page of the dashboard by its path, "" for the first, or to a whole address of it."""
        self.runs = -1
        self.page.goto(path if path.startswith("http") else f"{self.url}/{path}")
        return self.settle()

    def settle(self, quiet: float = 0.3, patience: float = 3.0, timeout: float = 150) -> App:
        """Wait until the page has run and been at rest for `quiet` seconds; without a run, for `patience` seconds."""
        self.page.evaluate("window.iclensRest = window.iclensAsked = null")
        asked = [1000 * quiet, self.runs, 1000 * patience]
        self.page.wait_for_function(AT_REST, arg=asked, timeout=1000 * timeout, polling=50)
        self.runs = self.page.evaluate("window.iclensRuns")
        return self

    def key(self, key: str) -> Locator:
        """The element that was given this key, or the widget of this name: its key has a number behind it."""
        return self.page.locator(f".st-key-{key}, [class*='st-key-{key}-']")

    def plot(self, key: str) -> Locator:
        """The element of the chart that plotly draws under this key, brought into view, where it is drawn."""
        place = self.key(key).locator(".icl-plot")
        place.scroll_into_view_if_needed()
        self.key(key).locator(".js-plotly-plot:not(.icl-due) .main-svg").first.wait_for()
        return self.key(key)

    def choose(self, label: str, option: str) -> App:
        """Pick an option of the select box with this label."""
        found = self.page.get_by_role("option", name=option, exact=True)
        for _ in range(2):  # a list that has just opened is closed by a run that comes to its end
            self.page.get_by_label(label, exact=True).first.click()
            with suppress(TimeoutError):
                found.wait_for(timeout=5_000)
                break
        found.click()
        return self.settle()

    def options(self, label: str) -> list[str]:
        """All options of the select box with this label."""
        self.page.get_by_label(label, exact=True).first.click()
        self.page.get_by_role("option").first.wait_for()
        names = self.page.get_by_role("option").all_inner_texts()
        self.page.keyboard.press("Escape")
        return names

    def fill(self, label: str, text: str) -> App:
        """Type into the text field with this label, and leave it with Enter."""
        box = self.page.get_by_label(label, exact=True).first
        box.fill(text)
        box.press("Enter")
        return self.settle()

    def figure(self, key: str) -> list[dict[str, Any]]:
        """Traces of the chart with this key, as drawn."""
        own = self.key(key).locator(".icl-chart").count()
        traces: list[dict[str, Any]] = (self.key(key) if own else self.plot(key)).evaluate(FIGURE)
        return traces

    def text(self) -> str:
        """All that can be read on the page."""
        return self.page.locator("[data-testid=stApp]").inner_text()

    def troubles(self) -> list[str]:
        """Tracebacks on the screen. Sentences for the user (st.error) are not troubles."""
        found = self.page.locator("[data-testid=stException]").all_inner_texts()
        text = self.text()
        if re.search(r"Traceback \(most recent call last\)|File \".*\", line \d+", text):
            found.append(text)
        return found + [line for line in self.console if "Uncaught" in line]
