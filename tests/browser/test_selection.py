"""Selection in a browser: a click on the map marks or picks a row, a click on an answer takes its selection."""

from __future__ import annotations

import numpy as np
import pytest

from core.analysis.selection.comparison import Choice, choose
from core.analysis.selection.pool_map import pool_map
from core.figures.colours import MARK
from core.selection import selections
from tests.browser.playground import Playground

AT = """([node, match]) => {
    const gd = node.querySelector('.js-plotly-plot');
    const carries = (t) => t.name !== 'chosen' && t.customdata && t.customdata.some((c) => String(c) === match);
    const found = gd._fullData.find(carries);
    const places = Array.from(found.customdata.keys()).filter((i) => String(found.customdata[i]) === match);
    const place = places[places.length >> 1];
    const box = gd.getBoundingClientRect(), layout = gd._fullLayout;
    const axes = [layout[found.xaxis.replace('x', 'xaxis')], layout[found.yaxis.replace('y', 'yaxis')]];
    return [0, 1].map((d) => [box.x, box.y][d] + axes[d]._offset + axes[d].d2p([found.x, found.y][d][place]));
}"""
RINGS = """(node) => {
    const rings = node.querySelector('.js-plotly-plot')._fullData.find((t) => t.name === 'chosen');
    return rings ? rings.customdata.map((c, i) => [c[0], [rings.marker.color].flat()[i] || rings.marker.color]) : [];
}"""
FRAMES = """(node, colour) => (node.querySelector('.js-plotly-plot')._fullLayout.shapes || [])
    .filter((shape) => shape.line.color.toLowerCase() === colour.toLowerCase()).length"""
VIEWS = ("map_chart", "scores", "table", "leads", "square_chart", "accuracy")


def click(playground: Playground, chart: str, match: str) -> None:
    """Click the middle one of the markers of a chart that carry this."""
    page = playground.app.page
    node = playground.app.plot(f"selection_{chart}")
    for close in page.locator("[data-testid=stToast]").get_by_role("button").all():  # a hint may lie over the chart
        close.click()
    handle = node.element_handle()
    assert handle is not None
    handle.evaluate("(node) => node.scrollIntoView({block: 'center'})")
    x, y = page.evaluate(AT, [handle, match])
    page.mouse.click(x, y)
    playground.app.settle()


@pytest.fixture
def opened(playground: Playground) -> Playground:
    """The Selection page with a pool, its jobs done."""
    playground.app.page.get_by_role("link", name="Selection", exact=True).click()
    playground.app.settle()
    for view in ("map_chart", "table", "accuracy"):
        playground.app.key(f"selection_{view}").wait_for(timeout=120_000)
    playground.app.settle()
    playground.example("Sentiment as foo and bar")
    for view in VIEWS:
        playground.app.key(f"selection_{view}").wait_for(timeout=120_000)
    playground.app.settle()
    return playground


def test_the_page_shows_what_the_study_comes_to(opened: Playground) -> None:
    study, model = opened.study(), opened.model
    found = pool_map(study, model)
    traces = [t for t in opened.app.figure("selection_map_chart") if "customdata" in t and t["name"] != "chosen"]
    at = {int(n): (x, y) for t in traces for (n,), x, y in zip(t["customdata"], t["x"], t["y"], strict=True)}
    np.testing.assert_allclose([at[i + 1] for i in range(len(study.pool))], found.points, atol=1e-3)
    choices = choose(study, model, [entry.name for entry in selections if not entry.slow])
    (bars,) = [t for t in opened.app.figure("selection_leads") if t["type"] == "bar"]
    expected = [one.probability(study.gold or "") for one in choices if isinstance(one, Choice)]
    np.testing.assert_allclose(bars["x"], expected, atol=1e-3)
    assert opened.app.troubles() == []


def test_a_click_marks_or_picks_a_row(opened: Playground) -> None:
    far = 6  # a row that lies alone on the map, so that no other mark covers it
    click(opened, "map_chart", str(far))

    def marked() -> None:
        rings = opened.app.plot("selection_map_chart").evaluate(RINGS)
        assert [n for n, colour in rings if str(colour).lower() == MARK.lower()] == [far]
        assert opened.app.plot("selection_table").evaluate(FRAMES, MARK) == 1

    opened.until(marked)
    before = opened.study().demonstrations
    opened.app.page.get_by_role("radio", name="Hand-pick it").click()
    opened.app.settle()
    click(opened, "map_chart", str(far))
    row = opened.study().pool[far - 1]

    def picked() -> None:
        assert opened.study().demonstrations == (*before, row)

    opened.until(picked)


def test_a_click_on_an_answer_takes_its_selection_and_slow_ones_choose_on_request(opened: Playground) -> None:
    opened.app.key("selection_ask_mutual-information").get_by_role("button").click()
    opened.app.settle()
    opened.app.key("selection_leads").wait_for(timeout=120_000)

    def there() -> None:
        (bars,) = [t for t in opened.app.figure("selection_leads") if t["type"] == "bar"]
        assert ["mutual-information"] in bars["customdata"]

    opened.until(there)
    opened.app.settle()

    def taken() -> None:
        if opened.study().selection != "bm25":  # the charts above grow as results arrive: a click may miss
            click(opened, "leads", "bm25")
        assert opened.study().selection == "bm25"

    opened.until(taken)
    assert opened.app.troubles() == []
