"""The Kernel page as a visitor sees it: opens, weighs, marks, and asks the heads."""

from __future__ import annotations

import numpy as np

from core import run
from core.analysis.kernel.weight_table import kernel_table
from core.figures.colours import MARK
from core.kernels.variants import variants
from tests.browser.playground import Playground

FRAMES = """(node, colour) => (node.querySelector('.js-plotly-plot')._fullLayout.shapes || [])
    .filter((shape) => shape.line.color.toLowerCase() === colour.toLowerCase()).length"""


def open_kernel(playground: Playground) -> None:
    playground.app.page.get_by_role("link", name="Kernel", exact=True).click()
    playground.app.settle()
    playground.app.key("kernel_weights").wait_for()


def test_every_head_is_weighed_and_a_click_marks_a_demonstration(playground: Playground) -> None:
    open_kernel(playground)
    playground.app.page.get_by_role("radio", name="Every head", exact=True).click()
    playground.app.settle()
    study, model = playground.study(), playground.model
    heads = [v for v in variants(model.layers, model.heads) if v.kernel == "attention"]
    outcome = run(study, model)
    table = kernel_table(study, model, outcome.demonstrations, heads, [study.query])

    def drawn() -> None:
        (weights, *_) = playground.app.figure("kernel_weights")
        cells = np.array(weights["customdata"])[..., 0]
        np.testing.assert_allclose(cells, [row[0].normalised for row in table.kernels], atol=2e-4)

    playground.until(drawn)
    box = playground.app.plot("kernel_weights").locator(".nsewdrag").first.bounding_box()
    assert box is not None
    n = len(outcome.demonstrations)
    playground.app.page.mouse.click(
        box["x"] + box["width"] * 1.5 / n, box["y"] + box["height"] * 0.5 / (len(heads) + 2)
    )
    playground.app.settle()

    def marked() -> None:
        assert playground.app.plot("kernel_weights").evaluate(FRAMES, MARK) == 1

    playground.until(marked)
    assert playground.app.page.get_by_label("Marked", exact=True).input_value() == "2"
    playground.app.page.get_by_role("link", name="Playground", exact=True).click()
    playground.app.settle()
    playground.until(lambda: playground.marks()["prompt"] == 1)
    assert playground.marks() == {"kernels": 1, "attention": 1, "prompt": 1}


def test_the_head_atlas_is_measured_and_a_head_chosen(playground: Playground) -> None:
    open_kernel(playground)
    app = playground.app
    app.page.get_by_role("radio", name="Head atlas", exact=True).click()
    app.settle()
    app.fill("Items", "8")
    app.key("kernel_atlas_map").wait_for(timeout=120_000)
    app.settle()
    maps = [trace for trace in app.figure("kernel_atlas_map") if trace["type"] == "heatmap"]
    assert np.array(maps[0]["z"]).shape == (playground.model.layers, playground.model.heads)
    box = app.plot("kernel_atlas_map").locator(".nsewdrag").first.bounding_box()
    assert box is not None
    app.page.mouse.click(
        box["x"] + box["width"] * 0.5 / playground.model.heads, box["y"] + box["height"] * 0.5 / playground.model.layers
    )
    app.settle()

    def chosen() -> None:
        assert playground.study().heads == ((0, 0),)

    playground.until(chosen)
