"""The dashboard as a visitor sees it: opens a page, waits for it to come to rest, reads what is on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page

# At rest: connected, nothing running, nothing grey from the run before, no placeholder; and so for a while, because a
# rerun starts a moment after the input that asks for it.
AT_REST = """(quiet) => {
    const app = document.querySelector('[data-testid=stApp]');
    const rest = app
        && app.dataset.testConnectionState === 'CONNECTED'
        && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-stale=true], [data-testid=stSkeleton], [data-testid=stAppSkeleton]');
    const now = performance.now();
    if (!rest) { window.iclensRest = null; return false; }
    window.iclensRest ??= now;
    return now - window.iclensRest >= quiet;
}"""

# A figure as it is drawn, not as it was sent: the traces that plotly computed from, with typed arrays unpacked.
FIGURE = """(node) => {
    const gd = node.classList.contains('js-plotly-plot') ? node : node.querySelector('.js-plotly-plot');
    const plain = (v) => ArrayBuffer.isView(v) ? Array.from(v, plain) : Array.isArray(v) ? v.map(plain) : v;
    const keep = ['type', 'name', 'x', 'y', 'z', 'text', 'customdata'];
    return gd._fullData.map((t) => Object.fromEntries(keep.filter((k) => k in t).map((k) => [k, plain(t[k])])));
}"""


@dataclass
class App:
    """One visitor's tab.

    Attributes:
        page: the Playwright page.
        url: address of the server.
        console: errors that the browser printed.
    """

    page: Page
    url: str
    console: list[str] = field(default_factory=list)

    def open(self, path: str = "") -> App:
        """Go to a page of the dashboard by its path, "" for the first, or to a whole address of it."""
        self.page.goto(path if path.startswith("http") else f"{self.url}/{path}")
        return self.settle()

    def settle(self, quiet: float = 0.4, timeout: float = 150) -> App:
        """Wait until the page has been at rest for `quiet` seconds; fails after `timeout` seconds."""
        self.page.evaluate("window.iclensRest = null")
        self.page.wait_for_function(AT_REST, arg=1000 * quiet, timeout=1000 * timeout, polling=50)
        return self

    def key(self, key: str) -> Locator:
        """The element that was given this key."""
        return self.page.locator(f".st-key-{key}")

    def choose(self, label: str, option: str) -> App:
        """Pick an option of the select box with this label."""
        self.page.get_by_label(label, exact=True).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
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
        traces: list[dict[str, Any]] = self.key(key).evaluate(FIGURE)
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
