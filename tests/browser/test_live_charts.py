"""Charts drawn by our own script: hover, keyboard, saving, the window's height; nothing typed becomes markup."""

from __future__ import annotations

from pathlib import Path

from tests.browser.playground import VIEWS, Playground
from tests.browser.tabs import SCREEN


def test_hovering_a_cell_says_what_it_is(playground: Playground) -> None:
    outcome = playground.check()
    chart = playground.app.key("playground_kernels")
    chart.locator(".icl-data rect").nth(1).hover()
    tip = chart.locator(".icl-tip").inner_text()
    shown = outcome.demonstrations[1]
    kernel = next(iter(outcome.kernels.values()))
    assert shown.input in tip
    assert shown.label in tip
    assert f"K / ΣK = {kernel.normalised[1]:.4f}" in tip
    playground.app.page.get_by_label("Query x", exact=True).hover()
    assert not chart.locator(".icl-tip").is_visible()


def test_a_cell_is_reached_and_marked_by_keyboard(playground: Playground) -> None:
    drawing = playground.app.key("playground_kernels").locator("svg[role=img]")
    assert "Weight of each demonstration" in str(drawing.get_attribute("aria-label"))
    drawing.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        drawing.press(key)
    playground.app.settle()
    assert playground.marks() == {"kernels": 1, "attention": 1, "prompt": 1}
    assert playground.app.page.get_by_label("Marked", exact=True).input_value() == "2"


def test_markup_in_a_label_is_drawn_as_text(playground: Playground) -> None:
    odd = "<b>x</b><img src=a onerror=alert(1)>&lt;"
    for label, text in (("Query x", odd), ("Right answer", odd)):
        box = playground.app.page.get_by_label(label, exact=True).first
        box.fill(text)
        box.press("Enter")
        playground.app.settle()
    drawn = playground.app.key("playground_answer").locator("svg[role=img]")
    assert drawn.locator("img, image, script").count() == 0
    assert odd[:15] in drawn.inner_html().replace("&lt;", "<").replace("&gt;", ">")


def test_a_chart_is_saved_as_the_export_menu_says(playground: Playground, tmp_path: Path) -> None:
    page = playground.app.page
    chart = playground.app.key("playground_posterior")
    for kind, head in (("png", b"\x89PNG"), ("svg", b"<svg")):
        page.get_by_role("button", name="Export").click()
        page.get_by_role("radio", name=kind, exact=True).click()
        playground.app.settle()
        page.keyboard.press("Escape")
        playground.app.settle()
        chart.locator("svg[role=img]").hover()
        with page.expect_download() as download:
            chart.get_by_role("button", name=f"Save as {kind.upper()}").click()
        target = tmp_path / f"chart.{kind}"
        download.value.save_as(target)
        assert download.value.suggested_filename == f"iclens-playground_posterior.{kind}"
        assert target.read_bytes().startswith(head)


def test_charts_grow_with_the_window_and_a_line_is_hidden_by_its_name(playground: Playground) -> None:
    page = playground.app.page

    def heights() -> list[float]:
        return [playground.app.key(f"playground_{view}").bounding_box()["height"] for view in VIEWS]  # type: ignore[index]

    before = heights()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_timeout(300)
    assert [round(after - height) for after, height in zip(heights(), before, strict=True)] == [90] * 4
    page.set_viewport_size(SCREEN)
    page.get_by_role("radio", name="Path").click()
    playground.app.settle()
    chart = playground.app.key("playground_posterior")
    lines = chart.locator(".icl-data path")
    count = lines.count()
    chart.locator(".icl-entry").first.click()
    assert lines.count() < count
    chart.locator(".icl-entry").first.click()
    assert lines.count() == count
