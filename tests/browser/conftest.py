"""One server and one Chromium for all browser tests; a fresh visitor, with a home page of their own, for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from core import load_model
from core.models import LanguageModel
from tests.browser.app import App
from tests.browser.chromium import find_chromium
from tests.browser.playground import Playground
from tests.browser.server import ROOT, Server, serve

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
SCREEN = {"width": 1440, "height": 900}
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
    with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    assert path, "No Chromium was found: run bin/setup test, or name one in ICLENS_CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(request: pytest.FixtureRequest, chromium: Browser, server: Server) -> Iterator[Callable[[], App]]:
    """Make visitors: each call is a new browser profile. At the end no tab and no log may show a traceback."""
    contexts: list[BrowserContext] = []
    apps: list[App] = []
    before = server.log.stat().st_size

    def arrive() -> App:
        context = chromium.new_context(viewport=SCREEN, accept_downloads=True, reduced_motion="reduce")
        context.set_default_timeout(30_000)
        page = context.new_page()
        app = App(page, server.url)
        page.on("console", lambda message: app.console.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: app.console.append(f"Uncaught {error}"))
        contexts.append(context)
        apps.append(app)
        return app

    yield arrive

    troubles = [trouble for app in apps for trouble in app.troubles()]
    with server.log.open("rb") as log:
        log.seek(before)
        printed = log.read().decode(errors="replace")
    if "Traceback" in printed:
        troubles.append(printed)
    if troubles or not request.node.stash.get(passed, False):
        _photograph(apps, request.node.name)
    for context in contexts:
        context.close()
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
