"""Tabs that go from one visitor to the next, each in a profile of its own, with nothing left of the visitor before."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Browser

from tests.browser.app import App

SCREEN = {"width": 1440, "height": 900}
WAIT = 30_000  # milliseconds for whatever is clicked or read
FORGET = "() => { localStorage.clear(); sessionStorage.clear(); window.name = ''; }"


@dataclass
class Tabs:
    """Tabs of a browser that show one server.

    Attributes:
        browser: the browser.
        url: address of the server.
        used: tabs of visitors who are there.
        free: tabs for visitors to come.
    """

    browser: Browser
    url: str
    used: list[App] = field(default_factory=list)
    free: list[App] = field(default_factory=list)

    def take(self) -> App:
        """An empty tab, in a profile without cookies and storage that no other visitor has."""
        app = self.free.pop() if self.free else self._new()
        self.used.append(app)
        return app

    def _new(self) -> App:
        context = self.browser.new_context(viewport=SCREEN, accept_downloads=True, reduced_motion="reduce")
        context.set_default_timeout(WAIT)
        app = App(context.new_page(), self.url)
        app.page.on("console", lambda said: app.console.append(said.text) if said.type == "error" else None)
        app.page.on("pageerror", lambda error: app.console.append(f"Uncaught {error}"))
        return app

    def give_back(self, keep: bool) -> None:
        """Make the tabs in use free, or close them with their profiles."""
        while self.used:
            app = self.used.pop()
            if keep:
                self._forget(app)
                self.free.append(app)
            else:
                app.page.context.close()

    def _forget(self, app: App) -> None:
        page = app.page
        for other in page.context.pages:
            if other != page:
                other.close()
        if page.url.startswith(self.url):
            page.evaluate(FORGET)
        page.goto("about:blank")
        page.context.clear_cookies()
        page.set_viewport_size(SCREEN)
        page.emulate_media(color_scheme="light")
        page.mouse.move(0, 0)
        app.console.clear()
        app.runs = -1

    def close(self) -> None:
        """Close all of them."""
        for app in self.used + self.free:
            app.page.context.close()
