"""Charts drawn by plotly: they keep their place, follow data, window and colours of the page, and are saved."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.browser.app import App
from tests.browser.playground import Playground
from tests.browser.tabs import SCREEN

SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"
# What is drawn of a chart, the number that its place was given here, and what stands on its axes and in which colour.
SEEN = """(node) => {
    const root = node.querySelector('.js-plotly-plot'), ticks = [...root.querySelectorAll('.ytick text')];
    return {
        place: root.iclensTest ??= Math.random(),
        svg: root.querySelector('.main-svg').outerHTML,
        width: root.querySelector('.main-svg').clientWidth,
        room: root.clientWidth,
        words: ticks.map((tick) => tick.textContent),
        colours: [...new Set(ticks.map((tick) => getComputedStyle(tick).fill))],
        page: getComputedStyle(root.querySelector('.main-svg')).backgroundColor,
        due: root.classList.contains('icl-due'),
    };
}"""


def kernel(playground: Playground) -> App:
    """On the Kernel page, its chart drawn."""
    playground.app.page.get_by_role("link", name="Kernel", exact=True).click()
    playground.app.settle()
    playground.app.plot("kernel_weights")
    return playground.app


def until(app: App, true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        app.page.wait_for_timeout(100)
    raise AssertionError("it never became true")


def test_an_edit_changes_what_is_drawn_and_moves_nothing(playground: Playground) -> None:
    app = kernel(playground)
    chart = app.key("kernel_weights")
    box, before, scrolled = chart.bounding_box(), chart.evaluate(SEEN), app.page.evaluate(SCROLLED)
    app.fill("Query x", "two")
    until(app, lambda: chart.evaluate(SEEN)["svg"] != before["svg"])
    assert chart.evaluate(SEEN)["place"] == before["place"]
    assert (chart.bounding_box(), app.page.evaluate(SCROLLED)) == (box, scrolled)
    assert chart.locator(".icl-plot").get_attribute("role") == "figure"
    assert "eight" in str(chart.locator(".icl-plot").get_attribute("aria-label"))


def test_the_window_and_the_page_s_colours_are_followed(playground: Playground) -> None:
    app = kernel(playground)
    chart = app.key("kernel_weights")
    app.page.set_viewport_size({"width": 1100, "height": 900})
    until(app, lambda: chart.evaluate(SEEN)["width"] == chart.evaluate(SEEN)["room"] < 800)
    app.page.set_viewport_size(SCREEN)
    light = chart.evaluate(SEEN)
    app.page.emulate_media(color_scheme="dark")
    until(app, lambda: chart.evaluate(SEEN)["colours"] != light["colours"])
    dark = chart.evaluate(SEEN)
    assert (dark["place"], dark["words"]) == (light["place"], light["words"])
    assert dark["page"] != light["page"]


def test_a_chart_below_the_fold_is_drawn_when_it_comes_into_view(playground: Playground) -> None:
    app = playground.app
    app.page.set_viewport_size({"width": 1440, "height": 400})
    app.page.get_by_role("link", name="Attention", exact=True).click()
    app.settle()
    chart = app.plot("attention_tokens")
    before = chart.evaluate(SEEN)
    app.page.evaluate(f"{SCROLLED} = 0")
    app.fill("Query x", "two")
    until(app, lambda: chart.evaluate(SEEN)["due"])
    assert chart.evaluate(SEEN)["svg"] == before["svg"]
    chart.locator(".icl-plot").scroll_into_view_if_needed()
    until(app, lambda: not chart.evaluate(SEEN)["due"])
    assert chart.evaluate(SEEN)["svg"] != before["svg"]


def test_a_chart_is_saved_as_the_export_menu_says_and_leaves_with_its_page(
    playground: Playground, tmp_path: Path
) -> None:
    app = kernel(playground)
    page, chart = app.page, app.key("kernel_weights")
    for kind, head in (("png", b"\x89PNG"), ("svg", b"<svg")):
        page.get_by_role("button", name="Export").click()
        page.get_by_role("radio", name=kind, exact=True).click()
        app.settle()
        page.keyboard.press("Escape")
        app.settle()
        chart.locator(".icl-plot").hover()
        with page.expect_download() as download:
            chart.locator(".modebar-btn[data-title^='Save as']").click()
        target = tmp_path / f"chart.{kind}"
        download.value.save_as(target)
        assert re.fullmatch(rf"iclens-kernel_weights\.{kind}", download.value.suggested_filename)
        assert target.read_bytes().startswith(head)
        if kind == "svg":  # what the page says beside it is in the picture
            assert "<text" in (saved := target.read_text(encoding="utf-8"))
            assert str(chart.locator(".icl-plot").get_attribute("aria-label")).split()[0] in saved
    assert chart.locator(".modebar-btn[data-title='Full screen']").count() == 1
    app.page.get_by_role("link", name="Playground", exact=True).click()
    app.settle()
    assert page.locator(".icl-plot, .js-plotly-plot").count() == 0
