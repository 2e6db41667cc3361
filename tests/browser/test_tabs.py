"""A tab that goes to another visitor brings nothing of the one before along."""

from __future__ import annotations

from core.models import LanguageModel
from pages.ui.session.examples import default_study
from tests.browser.playground import Playground
from tests.browser.server import Server
from tests.browser.tabs import SCREEN, Tabs


def test_a_used_tab_is_as_a_new_one(tabs: Tabs, server: Server, model: LanguageModel) -> None:
    first = Playground(tabs.take(), server, model).open()
    page = first.app.page
    first.ask("secret")
    page.evaluate("localStorage.left = sessionStorage.left = 'x'; console.error('left')")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 400})
    page.context.new_page()
    assert first.app.console
    assert page.context.cookies()
    tabs.give_back(keep=True)

    assert page.context.cookies() == []
    second = Playground(tabs.take(), server, model)
    assert second.app is first.app
    assert second.app.console == []
    second.open()
    assert second.study() == default_study()
    assert second.app.key("frame_undo").get_by_role("button").is_disabled()
    assert page.evaluate("[localStorage.left, sessionStorage.left]") == [None, None]
    assert not page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.viewport_size == SCREEN
    assert page.context.pages == [page]
    tabs.give_back(keep=True)
