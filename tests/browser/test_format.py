"""Format in a browser: what is typed is written at once, a clicked template goes into the study."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.analysis.format import describe, family
from core.figures.base import shorten
from core.study.prompts import TEMPLATES
from tests.browser.playground import Playground

BODY = """(node) => node.querySelector('.icl-prompt').textContent"""
ROW = """(node, row) => {
    const gd = node.querySelector('.js-plotly-plot');
    const dots = gd._fullData.filter((t) => t.customdata && t.marker.opacity !== 0);
    const trace = dots.find((t) => t.customdata.some((c) => Number(c) === row));
    const place = Array.from(trace.customdata).findIndex((c) => Number(c) === row);
    const box = gd.getBoundingClientRect(), layout = gd._fullLayout;
    return [box.x + layout.xaxis._offset + layout.xaxis.d2p(trace.x[place]),
            box.y + layout.yaxis._offset + layout.yaxis.d2p(trace.y[place])];
}"""


@pytest.fixture
def opened(playground: Playground) -> Playground:
    """The Format page with two labels and a pool."""
    playground.example("Sentiment as foo and bar")
    playground.app.page.get_by_role("link", name="Format", exact=True).click()
    playground.app.settle()
    return playground


def test_typing_a_separator_rewrites_prompt_and_tokens(opened: Playground) -> None:
    app = opened.app
    box = app.page.get_by_label("Between x and y", exact=True)
    box.fill("\\nLabel: ")
    box.press("Enter")
    app.settle()
    expect(app.page.locator(".icl-tokens").first).to_contain_text("Label")
    assert "Label: foo" in app.key("format_prompt").evaluate(BODY)
    assert opened.study().template.label_prefix == "\nLabel: "
    app.page.keyboard.press("Alt+z")
    app.settle()
    expect(box).to_have_value(" -> ")


def test_a_clicked_template_goes_into_the_study(opened: Playground) -> None:
    app = opened.app
    app.page.get_by_role("radio", name="Sensitivity").click()
    app.key("format_dots").wait_for(timeout=120_000)
    app.settle()
    node = app.plot("format_dots")
    names = node.evaluate("(node) => node.querySelector('.js-plotly-plot')._fullLayout.yaxis.ticktext")
    assert len(names) == 16
    assert set(names) == {shorten(describe(template), 30) for template in family(opened.study(), 16, 0)}
    row = names.index(shorten(describe(TEMPLATES["bar"]), 30))
    handle = node.element_handle()
    assert handle is not None
    app.page.mouse.click(*app.page.evaluate(f"([node, row]) => ({ROW})(node, row)", [handle, row]))
    app.settle()
    app.page.get_by_role("button", name="Use in the study").click()
    app.settle()
    assert opened.study().template == TEMPLATES["bar"]
