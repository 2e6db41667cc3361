"""The dashboard as a visitor sees it: opens a page, waits for it to come to rest, reads what is on it."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError

# What passes between page and server, from before the page's own code runs: how many runs were asked for, whether one
# is owed, how many requests are under way. Streamlit's messages are fields, each with its number and its kind in front.
# One that asks for a run is `rerun_script`, field 11 of BackMsg; one that ends a run has `script_finished`, field 6 of
# ForwardMsg, which is 2 where the run was ended for another, whose end is then to come.
LISTEN = """
if (window.iclens === undefined) {
    const heard = window.iclens = {asked: 0, owed: true, loading: 0};
    const finished = (bytes) => {
        let at = 0;
        const number = () => {
            for (let value = 0, shift = 1; ; shift *= 128) {
                const byte = bytes[at++];
                value += (byte & 127) * shift;
                if (byte < 128) return value;
            }
        };
        while (at < bytes.length) {
            const tag = number(), value = number();
            if (tag === 6 << 3) return value;
            if ((tag & 7) === 2) at += value;
        }
    };
    const say = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        if (data[0] === (11 << 3 | 2)) { heard.asked += 1; heard.owed = true; }
        return say.call(this, data);
    };
    window.WebSocket = class extends WebSocket {
        constructor(...address) {
            super(...address);
            this.addEventListener('message', ({data}) => {
                if (![undefined, 2].includes(finished(new Uint8Array(data)))) heard.owed = false;
            });
        }
    };
    const load = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function (...body) {
        heard.loading += 1;
        this.addEventListener('loadend', () => heard.loading -= 1);
        return load.apply(this, body);
    };
}
"""

# A page has run when it asked for a run since it last came to rest, or when it has had the time to and did not: what
# an input puts off is put off by a timer of the page, and a longer timer set after it goes off after it, however busy
# the machine. At rest: connected, no run owed, nothing loading, nothing grey from the run before, no placeholder; and
# so at each of several looks, between which the page has worked off what it was told.
ASK = """(patience) => {
    const wait = {looks: 0, over: false};
    window.iclensWait = wait;
    setTimeout(() => wait.over = true, patience);
}"""
AT_REST = """([quiet, look, seen]) => {
    const app = document.querySelector('[data-testid=stApp]');
    const wait = window.iclensWait ??= {looks: 0, over: false};
    const rest = app
        && app.dataset.testConnectionState === 'CONNECTED'
        && app.dataset.testScriptState === 'notRunning'
        && !window.iclens.owed
        && !window.iclens.loading
        && !document.querySelector('[data-stale=true], [data-retained]')
        && !document.querySelector('[data-testid=stSkeleton], [data-testid=stAppSkeleton]');
    wait.looks = rest ? wait.looks + 1 : 0;
    return (window.iclens.asked !== seen || wait.over) && wait.looks > quiet / look;
}"""
LOOK = 50  # milliseconds

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


def names(trace: dict[str, Any]) -> list[str]:
    """What the bars of a trace stand for: their customdata, or the first of it where a bar carries more."""
    return [said[0] if isinstance(said, list) else said for said in trace["customdata"]]


@dataclass
class App:
    """One visitor's tab.

    Attributes:
        page: the Playwright page.
        url: address of the server.
        console: errors that the browser printed.
        runs: runs that the page had asked for when it last came to rest.
    """

    page: Page
    url: str
    console: list[str] = field(default_factory=list)
    runs: int = -1

    def __post_init__(self) -> None:
        self.page.add_init_script(LISTEN)

    def open(self, path: str = "") -> App:
        """Go to a page of the dashboard by its path, "" for the first, or to a whole address of it."""
        self.runs = -1
        self.page.goto(path if path.startswith("http") else f"{self.url}/{path}")
        return self.settle()

    def settle(self, quiet: float = 0.3, patience: float = 1.0, timeout: float = 150) -> App:
        """Wait until the page has run and been at rest for `quiet` seconds; without a run, for `patience` seconds."""
        self.page.evaluate(ASK, 1000 * patience)
        asked = [1000 * quiet, LOOK, self.runs]
        self.page.wait_for_function(AT_REST, arg=asked, timeout=1000 * timeout, polling=LOOK)
        self.runs = self.page.evaluate("window.iclens.asked")
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
