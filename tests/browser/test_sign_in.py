"""Signing in, with a provider on this machine: studies, names and undo go with the person, and to nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Browser

from core.mixture.mixture import load_mixture
from core.study.study import Study
from pages.ui.session.examples import default_study
from tests.browser.app import App
from tests.browser.kept import kept_study
from tests.browser.provider import CLIENT, SECRET, Provider, provide
from tests.browser.server import Server, free_port, serve
from tests.browser.tabs import SCREEN

WORDS = list(dict.fromkeys(x for x, _ in load_mixture().sample("copy", 40, seed=2)))[:4]


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Provider]]:
    folder, port = tmp_path_factory.mktemp("signing"), free_port()
    with provide() as provider:
        secrets = folder / "secrets.toml"
        secrets.write_text(
            "[auth]\n"
            f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            'cookie_secret = "a secret of this test alone"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"\n'
        )
        with serve(folder, forked=True, port=port, options=(f"--secrets.files={secrets}",)) as server:
            yield server, provider


@pytest.fixture
def browser_at(chromium: Browser, signing: tuple[Server, Provider]) -> Iterator[Callable[[], App]]:
    """Another browser each call, which nobody has signed in with."""
    with ExitStack() as stack:

        def make() -> App:
            context = chromium.new_context(viewport=SCREEN)
            stack.callback(context.close)
            return App(context.new_page(), signing[0].url)

        yield make
    log = Path(signing[0].log).read_text(errors="replace")
    assert "Traceback" not in log, log


def sign_in(app: App, provider: Provider, **person: str) -> App:
    provider.person = person
    app.page.get_by_role("button", name="Sign in").click()
    app.page.get_by_role("button", name=person["name"]).wait_for()
    return app.settle()


def study(app: App, server: Server) -> Study:
    found = parse_qs(urlparse(app.page.url).query).get("study")
    return kept_study(server, found[0]) if found else default_study()


def test_what_was_typed_goes_along_and_is_there_in_another_browser(signing, browser_at) -> None:
    server, provider = signing
    app = browser_at().open()
    app.fill("Query x", WORDS[0])
    app.fill("Query x", WORDS[1])
    sign_in(app, provider, sub="ada", name="Ada")
    assert study(app, server).query == WORDS[1], "it is not lost on the way to the provider and back"
    app.page.get_by_role("button", name="Undo").click()
    app.settle()
    assert study(app, server).query == WORDS[0]
    app.fill("Query x", WORDS[2])

    other = sign_in(browser_at().open(), provider, sub="ada", name="Ada")
    assert study(other, server).query == WORDS[2]
    other.page.get_by_role("button", name="Undo").click()
    other.settle()
    assert study(other, server).query == WORDS[0]


def test_somebody_else_finds_nothing_of_it(signing, browser_at) -> None:
    server, provider = signing
    first = sign_in(browser_at().open(), provider, sub="grace", name="Grace")
    first.fill("Query x", WORDS[3])
    first.page.get_by_role("button", name="Named").click()
    first.fill("Name of this study", "of Grace")
    first.page.get_by_role("button", name="of Grace").wait_for()
    second = sign_in(browser_at().open(), provider, sub="barbara", name="Barbara")
    assert study(second, server) == default_study()
    assert second.page.get_by_role("button", name="Undo").is_disabled()
    second.page.get_by_role("button", name="Named").click()
    second.page.get_by_text("Nothing has a name yet").wait_for()
    third = sign_in(browser_at().open(), provider, sub="grace", name="Grace")
    third.page.get_by_role("button", name="Named").click()
    third.page.get_by_role("button", name="of Grace").wait_for()


def test_after_signing_out_nobody_is_there(signing, browser_at) -> None:
    server, provider = signing
    app = sign_in(browser_at().open(), provider, sub="alan", name="Alan")
    app.fill("Query x", WORDS[0])
    app.page.get_by_role("button", name="Alan").click()
    app.page.get_by_role("button", name="Sign out").click()
    app.page.get_by_role("button", name="Sign in").wait_for()
    app.settle()
    assert study(app, server) == default_study()


def test_without_auth_there_is_no_sign_of_it(app: App) -> None:
    app.open()
    assert app.page.get_by_role("button", name="Sign in").count() == 0
