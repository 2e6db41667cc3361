"""One server and one Chromium for all browser tests of a worker; a visitor whom the dashboard does not know for each.

Opening a tab and reading Streamlit's scripts for the first time costs the browser twice what reading them again does,
and was what most tests spent most of their time on. So tabs are kept from test to test, without anything that the
dashboard could tell a visitor by (`tests/browser/tabs.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from core import load_model
from core.models import LanguageModel
from tests.browser.app import App
from tests.browser.chromium import find_chromium
from tests.browser.playground import Playground
from tests.browser.server import ROOT, Server, serve
from tests.browser.tabs import Tabs

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
RESULTS = ROOT / "test-results"
passed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Leave word for the fixtures whether the test itself passed: a failed one is photographed."""
    report = yield
    if report.when == "call":
        item.stash[passed] = report.passed
    return report


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server"), forked=True) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    assert path, "No Chromium was found: run bin/setup test, or name one in ICLENS_CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tabs(chromium: Browser, server: Server) -> Iterator[Tabs]:
    kept = Tabs(chromium, server.url)
    yield kept
    kept.close()


@pytest.fixture
def visitor(request: pytest.FixtureRequest, tabs: Tabs, server: Server) -> Iterator[Callable[[], App]]:
    """Make visitors: each call is another browser profile. At the end no tab and no log may show a traceback."""
    before = server.log.stat().st_size
    yield tabs.take

    troubles = [trouble for app in tabs.used for trouble in app.troubles()]
    with server.log.open("rb") as log:
        log.seek(before)
        printed = log.read().decode(errors="replace")
    if "Traceback" in printed:
        troubles.append(printed)
    well = not troubles and request.node.stash.get(passed, False)
    if not well:
        _photograph(tabs.used, request.node.name)
    tabs.give_back(keep=well)
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def app(visitor: Callable[[], App]) -> App:
    """One visitor, who has not opened anything yet."""
    return visitor()


@pytest.fixture(scope="session")
def model() -> LanguageModel:
    """The embedded model in this process: the oracle of what the page must show."""
    return load_model()


@pytest.fixture
def playground(app: App, server: Server, model: LanguageModel) -> Playground:
    """One visitor on the Playground."""
    return Playground(app, server, model).open()


def _photograph(apps: list[App], test: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in test)[:100]
    for number, app in enumerate(apps):
        path: Path = RESULTS / f"{name}-{number}.png"
        app.page.screenshot(path=path, full_page=True)
