"""The frame of every page on a small screen, and its notices: one line of a bar, and words that can be read."""

from __future__ import annotations

import pytest

from core.study.study import ModelChoice
from pages.ui.session.examples import default_study
from tests.browser.app import App
from tests.browser.kept import keep
from tests.browser.server import Server
from tests.tiny import folder_of

SMALL = {"width": 1280, "height": 720}
TOPS = """(names) => names.map((name) => {
    const node = [...document.querySelectorAll(`[class*="st-key-${name}"]`)].find((one) => one.offsetWidth);
    const { top, height } = node.getBoundingClientRect();
    return top + height / 2;
})"""
COLOURS = """() => ['.st-key-page_said', '[data-testid=stApp]'].map(
    (selector) => getComputedStyle(document.querySelector(selector)).backgroundColor)"""


def same_line(app: App, *names: str) -> None:
    middles = app.page.evaluate(TOPS, list(names))
    assert max(middles) - min(middles) < 4, dict(zip(names, middles, strict=True))


def test_bar_and_row_tools_stay_on_one_line(app: App) -> None:
    app.page.set_viewport_size(SMALL)
    for path in ("", "reasoning"):
        app.open(path)
        same_line(app, "frame_example", "frame_undo", "frame_redo", "frame_model_box", "frame_export_box")
        same_line(app, "frame_mark-", "frame_up", "frame_unmark", "frame_clear")
        width, seen = app.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notice_covers_what_it_stands_over_and_goes(app: App, server: Server, scheme: str) -> None:
    """Streamlit tells its colours to components alone: a notice that asked for them let the page shine through."""
    app.page.emulate_media(color_scheme=scheme)
    study = default_study().model_copy(update={"model": ModelChoice(name=str(folder_of(18, 4)), device="cpu")})
    app.open(f"?study={keep(server, study)}")
    notice = app.page.locator(".st-key-page_said")
    load = app.page.get_by_role("button", name="Load it", exact=True)
    if load.count():  # else another test of this server has loaded it
        own, page = app.page.evaluate(COLOURS)
        assert own == page
        load.click()
        app.key("playground_answer").wait_for(timeout=120_000)
        app.settle()
    notice.wait_for(state="hidden", timeout=30_000)
    assert not load.count()
    assert app.key("playground_rows").count()  # a model of many heads has a choice of rows
