"""Influence in a browser: figures are what `core.analysis.influence` gives, a click marks in every view."""

from __future__ import annotations

import numpy as np
import pytest

from core import run
from core.analysis.influence import agreement, evidence, influence, question_of
from core.figures.colours import MARK
from tests.browser.playground import Playground

VIEWS = ("bars", "flips_cells", "moves_lines", "correlations", "heads", "points")
CENTRE = """([node, match]) => {
    const gd = node.querySelector('.js-plotly-plot');
    const found = gd._fullData.find((t) => t.customdata && t.customdata.some((c) => String(c) === match));
    const places = Array.from(found.customdata.keys()).filter((i) => String(found.customdata[i]) === match);
    const place = places[places.length >> 1];
    const box = gd.getBoundingClientRect(), layout = gd._fullLayout;
    const axes = [layout[found.xaxis.replace('x', 'xaxis')], layout[found.yaxis.replace('y', 'yaxis')]];
    const at = [axes[0].d2p(found.x[place]), axes[1].d2p(found.y[place])];
    return [box.x + axes[0]._offset + at[0], box.y + axes[1]._offset + at[1]];
}"""


FRAMES = """(node, colour) => (node.querySelector('.js-plotly-plot')._fullLayout.shapes || [])
    .filter((shape) => shape.line.color.toLowerCase() === colour.toLowerCase()).length"""
THICK = """(node) => node.querySelector('.js-plotly-plot')._fullData
    .filter((t) => t.line.width > 2).map((t) => t.name)"""


def click(playground: Playground, chart: str, match: str) -> None:
    """Click the middle one of the markers of a chart that carry this."""
    page = playground.app.page
    node = playground.app.plot(f"influence_{chart}")
    handle = node.element_handle()
    assert handle is not None
    x, y = page.evaluate(CENTRE, [handle, match])
    page.mouse.click(x, y)
    playground.app.settle()


@pytest.fixture
def opened(playground: Playground) -> Playground:
    """The Influence page, its jobs done."""
    playground.app.page.get_by_role("link", name="Influence", exact=True).click()
    playground.app.settle()
    for view in VIEWS:
        playground.app.key(f"influence_{view}").wait_for(timeout=120_000)
    playground.app.settle()
    return playground


def test_the_page_shows_what_the_study_comes_to(opened: Playground) -> None:
    model = opened.model
    found = influence(question_of(run(opened.study(), model)), model)
    assert found.bayes is not None
    assert found.model.shapley is not None
    assert found.bayes.shapley is not None
    bars = [trace["x"] for trace in opened.app.figure("influence_bars") if trace["type"] == "bar"]
    expected = [found.model.leave_one_out, found.bayes.leave_one_out]
    expected += [found.model.shapley.values, found.bayes.shapley.values]
    np.testing.assert_allclose(bars, expected, atol=1e-3)
    over = agreement([evidence(found, model)], measure="shapley", compared="plain")
    assert over.heads is not None
    (cells, *_) = opened.app.figure("influence_heads")
    np.testing.assert_allclose(cells["z"], over.heads.over.mean, atol=1e-3)


def test_a_click_marks_a_demonstration_in_every_view(opened: Playground) -> None:
    for chart, number in (("bars", 2), ("flips_cells", 3), ("points", 6)):
        click(opened, chart, str(number) if chart != "flips_cells" else f"{number},1,{number - 1}")

        def marked(number: int = number) -> None:
            views = ("bars", "flips_cells")
            assert {view: opened.app.plot(f"influence_{view}").evaluate(FRAMES, MARK) for view in views} == {
                "bars": 2,
                "flips_cells": 1,
            }
            assert opened.app.plot("influence_moves_lines").evaluate(THICK) == [str(number)]

        opened.until(marked)
    opened.app.page.get_by_role("link", name="Playground", exact=True).click()
    opened.app.settle()

    def also_there() -> None:
        assert opened.marks() == {"kernels": 1, "attention": 1, "prompt": 1}

    opened.until(also_there)


def test_a_clicked_head_is_drawn_beside_and_the_value_can_be_changed(opened: Playground) -> None:
    click(opened, "heads", "1,2")
    found = opened.app.plot("influence_points").evaluate(
        "(n) => n.querySelector('.js-plotly-plot')._fullLayout.xaxis.title.text"
    )
    assert found == "layer 1, head 2"
    opened.app.choose("Value v", "Probability")
    opened.app.key("influence_bars").wait_for(timeout=120_000)
    opened.app.settle()
    model = opened.model
    wanted = influence(question_of(run(opened.study(), model), None, "probability"), model, shapley=False)

    def shown() -> None:
        bars = next(trace["x"] for trace in opened.app.figure("influence_bars") if trace["type"] == "bar")
        np.testing.assert_allclose(bars, wanted.model.leave_one_out, atol=1e-3)

    opened.until(shown)
    assert opened.app.troubles() == []
