"""Addresses: every page from a cold start, a refresh, the same link elsewhere, links that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from pages.ui.session.examples import default_study
from tests.browser.app import App
from tests.browser.playground import Playground
from tests.browser.server import serve
from tests.browser.tabs import SCREEN

SCRIPTS = Path(__file__).parents[2] / "pages"
HEADINGS = {"model_card": "The embedded model"}  # every other page is headed by its name
PAGES = {path.stem: HEADINGS.get(path.stem, path.stem.capitalize()) for path in sorted(SCRIPTS.glob("*.py"))}


@pytest.mark.parametrize("path", PAGES)
def test_cold_deep_link(path: str, chromium: Browser, tmp_path: Path) -> None:
    """On a server that has just started, a deep link shows the page inside its frame, not the bare script.

    Nothing of ours is imported there yet, and for one page no library either.
    """
    with serve(tmp_path, forked=path != "playground") as server:
        page = chromium.new_page(viewport=SCREEN)
        app = App(page, server.url).open(path)
        assert page.get_by_role("heading", name=PAGES[path], exact=True).is_visible()
        for name in ("Playground", "Model card"):
            assert page.get_by_role("link", name=name, exact=True).count() == 1
        assert "model_card" not in app.text(), "streamlit's own menu shows raw names"
        assert page.get_by_text("Page not found").count() == 0
        assert app.troubles() == []
        page.close()


def test_pages_are_reached_from_the_menu(playground: Playground) -> None:
    page = playground.app.page
    page.get_by_role("link", name="Model card", exact=True).click()
    playground.app.settle()
    assert page.get_by_role("heading", name="The embedded model").is_visible()
    page.get_by_role("link", name="Playground", exact=True).click()
    playground.app.settle()
    playground.check()


def test_a_study_survives_a_look_at_another_page(playground: Playground) -> None:
    playground.ask("moon")
    for name in ("Model card", "Playground"):
        playground.app.page.get_by_role("link", name=name, exact=True).click()
        playground.app.settle()
    assert playground.study().query == "moon"
    playground.check()


def test_refresh_restores_the_study(playground: Playground) -> None:
    playground.ask("bird")
    playground.app.choose("Scorer", "Channel")
    before = playground.study()
    playground.app.page.reload()
    playground.app.runs = -1
    playground.app.settle()
    assert playground.study() == before
    assert playground.app.page.get_by_label("Query x", exact=True).input_value() == "bird"
    playground.check()


def test_the_link_restores_the_study_in_another_browser(playground: Playground, visitor: Callable[[], App]) -> None:
    playground.grid.type(0, 2, "tiger")
    playground.ask("house")
    other = Playground(visitor(), playground.server, playground.model)
    other.app.open(playground.app.page.url)
    assert other.study() == playground.study()
    assert other.grid.rows()[0][1] == "tiger"
    other.check()


@pytest.mark.parametrize("key", ["0123456789abcdef", "../../etc/passwd", "<script>alert(1)</script>"])
def test_a_link_that_leads_nowhere_says_so(app: App, key: str) -> None:
    app.open(f"?study={key}")
    assert "No study is kept under" in app.text()
    assert app.key("playground_answer").is_visible()


def test_back_at_once_takes_an_edit_back(playground: Playground) -> None:
    page = playground.app.page
    box = page.get_by_label("Query x", exact=True)
    first = box.input_value()
    for query in ("moon", "cat"):
        playground.ask(query)
    back, forward = page.go_back, page.go_forward
    for go, query in ((back, "moon"), (back, first), (forward, "moon"), (forward, "cat")):
        go()
        playground.app.settle()
        expect(box).to_have_value(query)
        assert playground.study().query == query
    playground.check()


def test_undo_goes_on_after_a_refresh(playground: Playground) -> None:
    page = playground.app.page
    playground.ask("bird")
    playground.app.choose("Scorer", "Channel")
    playground.undo()
    page.reload()
    playground.app.runs = -1
    playground.app.settle()
    playground.redo()
    assert (playground.study().query, playground.study().scoring) == ("bird", "channel")
    playground.undo()
    playground.undo()
    assert playground.study().query == default_study().query
    assert playground.app.key("frame_undo").get_by_role("button").is_disabled()


def test_a_link_brings_no_history_along(playground: Playground, visitor: Callable[[], App]) -> None:
    """What was there before a link was given is nobody's business."""
    playground.ask("secret")
    playground.ask("house")
    other = Playground(visitor(), playground.server, playground.model)
    other.app.open(playground.app.page.url)
    assert other.study().query == "house"
    assert other.app.key("frame_undo").get_by_role("button").is_disabled()


def test_two_tabs_of_one_browser(playground: Playground) -> None:
    page = playground.app.page
    playground.ask("bird")
    second = Playground(App(page.context.new_page(), playground.app.url), playground.server, playground.model)
    second.app.open(page.url)
    for one, two in (("moon", "sun"), ("cat", "dog")):
        playground.type_query(one)
        second.type_query(two)
    playground.app.settle(quiet=1.0)
    second.app.settle(quiet=1.0)
    for tab, query, before in ((playground, "cat", "moon"), (second, "dog", "sun")):
        tab.app.page.reload()
        tab.app.runs = -1
        tab.app.settle()
        assert tab.study().query == query
        tab.undo()
        assert tab.study().query == before
    assert second.app.troubles() == []
