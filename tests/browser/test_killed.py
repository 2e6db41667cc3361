"""The server is killed while it works on what was typed; another one starts, and the page shows all of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Browser, Page

from core import load_model
from core.study.demonstrations import Demonstration
from core.study.study import Study
from pages.ui.session.examples import default_study
from tests.browser.app import App
from tests.browser.kept import kept_studies, kept_study
from tests.browser.playground import Playground
from tests.browser.server import Server, free_port, serve
from tests.browser.tabs import SCREEN

PATIENCE = 60  # seconds


class Mortal:
    """A server that can be killed and started again where it was, and one visitor's page."""

    def __init__(self, folder: Path, chromium: Browser, stack: ExitStack) -> None:
        self.folder, self.stack, self.port = folder, stack, free_port()
        self.page: Page = stack.enter_context(_page(chromium))
        self.server = self._start()
        self.app = App(self.page, self.server.url).open()

    def _start(self) -> Server:
        return self.stack.enter_context(serve(self.folder, forked=True, port=self.port))

    def kill_when_kept(self, right: Callable[[Study], bool]) -> None:
        """Kill the server as soon as the store has a study, whatever else is still to be done."""
        self.kill_when(lambda: any(right(study) for study in kept_studies(self.server)))

    def kill_when(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, "what was typed was not kept"
        os.kill(self.server.process, signal.SIGKILL)

    def study(self) -> Study:
        """The study that the page's address stands for."""
        return kept_study(self.server, parse_qs(urlparse(self.page.url).query)["study"][0])

    def reopen(self) -> None:
        """Another server; the browser opens what stands in its address."""
        address = self.page.evaluate("location.href")  # as it is now; `url` is what Playwright last heard of
        self.page.goto("about:blank")
        self._start()
        self.page.goto(address)
        self.app.runs = -1
        self.app.settle()


@contextmanager
def _page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=SCREEN)
    yield context.new_page()
    context.close()


@pytest.fixture
def mortal(chromium: Browser, tmp_path: Path) -> Iterator[Mortal]:
    with ExitStack() as stack:
        yield Mortal(tmp_path, chromium, stack)


def test_an_edit(mortal: Mortal) -> None:
    box = mortal.page.get_by_label("Query x", exact=True)
    box.fill("elephant")
    box.press("Enter")
    mortal.kill_when_kept(lambda study: study.query == "elephant")
    mortal.reopen()
    assert mortal.page.get_by_label("Query x", exact=True).input_value() == "elephant"
    mortal.app.key("frame_undo").get_by_role("button").click()
    mortal.app.settle()
    assert mortal.page.get_by_label("Query x", exact=True).input_value() == default_study().query


def test_an_import(mortal: Mortal) -> None:
    page, rows = mortal.page, [(f"word number {number}", f"answer {number % 7}") for number in range(400)]
    page.get_by_role("button", name="Import").click()
    mortal.app.settle()
    box = page.get_by_label("Or paste a table", exact=True)
    box.fill("\n".join(f"{text} -> {label}" for text, label in rows))
    box.press("Control+Enter")
    mortal.app.settle()
    mortal.app.key("frame_import_take").get_by_role("button").click()
    imported = tuple(Demonstration(input=text, label=label) for text, label in rows)
    mortal.kill_when_kept(lambda study: study.pool == imported)  # so many rows are a pool
    mortal.reopen()
    assert mortal.study().pool == imported


def test_a_jobs_save(mortal: Mortal) -> None:
    """The choice that began the job is there, and another one comes to its end, whatever the first had left."""
    Playground(mortal.app, mortal.server, load_model()).example("Sentiment as foo and bar")
    mortal.page.get_by_label("Selection", exact=True).first.click()
    mortal.page.get_by_role("option", name="Latent concept", exact=True).click()
    learned = mortal.server.home / "learned"
    mortal.kill_when(lambda: learned.is_dir() and any(learned.iterdir()))
    mortal.reopen()
    assert mortal.study().selection == "latent-concept"
    mortal.app.key("playground_answer").wait_for(timeout=1000 * PATIENCE)
    assert mortal.app.troubles() == []
