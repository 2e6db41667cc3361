"""Cards: each is redrawn when what it reads has changed and only then; what is shown stays in its place meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.app import App
from tests.browser.server import Server, serve
from tests.browser.tabs import SCREEN

HERE = Path(__file__).parent
LONG = 30_000  # milliseconds that a busy machine may take
VIEWS = {f"playground_card_{name}" for name in ("answer", "posterior", "kernels", "attention", "prompt")}
PLACES = """() => Object.fromEntries([...document.querySelectorAll('[class*=st-key-card_]')].map((node) => {
    const box = node.getBoundingClientRect();
    return [node.className.match(/st-key-card_\\w+/)[0], [box.x, box.y, box.width, box.height].map(Math.round)];
}))"""


def visit(chromium: Browser, server: Server) -> App:
    page = chromium.new_page(viewport=SCREEN, reduced_motion="reduce")
    page.set_default_timeout(LONG)
    return App(page, server.url).open()


@pytest.fixture
def counted(chromium: Browser, tmp_path: Path) -> Iterator[tuple[App, Server]]:
    """A Playground that writes down what it draws."""
    with serve(tmp_path, HERE / "counted.py", forked=True) as server:
        app = visit(chromium, server)
        yield app, server
        app.page.close()


def test_an_edit_redraws_what_it_decides_and_nothing_else(counted: tuple[App, Server]) -> None:
    app, server = counted
    log = server.home / "counted.log"

    def after(label: str, text: str) -> list[str]:
        log.write_text("")
        app.fill(label, text)
        return log.read_text().splitlines()

    def drawn(lines: list[str]) -> set[str]:
        return {line.removeprefix("draw ") for line in lines if line.startswith("draw ")}

    lines = after("Right answer", "horse")  # one of the candidates already: it decides no number
    assert drawn(lines) & VIEWS == {"playground_card_answer"}
    assert "pass" not in lines
    assert "page_tables" not in drawn(lines)
    lines = after("Query x", "dog")
    assert drawn(lines) >= VIEWS
    assert "pass" in lines
    assert {"page_tables", "page_strategies"}.isdisjoint(drawn(lines))
    assert len(lines) == len(set(lines)) + lines.count("pass") - 1, "nothing is drawn twice"
    log.write_text("")
    app.page.get_by_role("radio", name="Path", exact=True).click()
    app.settle()
    assert drawn(log.read_text().splitlines()) == {"playground_card_posterior"}
    assert app.troubles() == []


def test_what_is_shown_stays_in_its_place_and_cancel_answers_at_once(chromium: Browser, tmp_path: Path) -> None:
    with serve(tmp_path, HERE / "slow.py", forked=True) as server:
        app = visit(chromium, server)
        page = app.page
        expect(app.key("playground_answer")).to_be_visible(timeout=LONG)
        app.settle()
        places, prompt = page.evaluate(PLACES), page.locator(".icl-prompt").inner_text()
        assert len(places) == 5
        server.home.mkdir(exist_ok=True)
        hold = server.home / "hold"
        hold.touch()  # the model works until Cancel has been pressed, however long that takes
        box = page.get_by_label("Query x", exact=True)
        box.fill("dog")
        box.press("Enter")
        cancel = page.get_by_role("button", name="Cancel", exact=True)
        cancel.wait_for()
        assert page.evaluate(PLACES) == places
        assert page.locator(".icl-prompt").inner_text() == prompt
        assert page.locator("[class*=st-key-dimmed_playground_card]").count() == 5
        cancel.click()
        page.get_by_role("button", name="Cancelling…", exact=True).wait_for()
        hold.unlink()
        page.get_by_role("button", name="Run again", exact=True).wait_for()
        page.get_by_role("button", name="Run again", exact=True).click()
        expect(page.locator(".icl-prompt")).to_contain_text("dog", timeout=LONG)
        app.settle()
        assert page.evaluate(PLACES) == places
        assert app.troubles() == []
        page.close()
