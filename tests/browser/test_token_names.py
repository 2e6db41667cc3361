"""Names of tokens beside a map, in Chromium: none runs into the next, an enlarged corner has all, a click finds its."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from core.figures.attention.maps import stretch_figure
from pages.ui.components.charts import encode

PLOTLY = files("plotly") / "package_data" / "plotly.min.js"
DRAW = """async (text) => {
    const { data, layout } = JSON.parse(text);
    await Plotly.newPlot('map', data, { ...layout, width: 720 });
}"""
# [name, from, to] of every name along an axis, in pixels and in the order in which they stand.
NAMES = """(axis) => [...document.querySelectorAll(`.${axis}tick text`)].map((node) => {
    const { top, bottom, left, right } = node.getBoundingClientRect();
    return [node.textContent, ...(axis === 'x' ? [left, right] : [top, bottom])];
}).sort((a, b) => a[1] - b[1])"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.set_content("<!doctype html><body><div id='map'></div></body>")
    page.add_script_tag(content=PLOTLY.read_text(encoding="utf-8"))
    yield page
    page.close()


def draw(page: Page, size: int) -> list[str]:
    names = [f"{place} word" for place in range(size)]
    numbers = [None, *(1 + place // 24 for place in range(size - 1))]
    weights = np.tril(np.ones((size, size))) / size
    figure = stretch_figure(weights, names, names, numbers, numbers, "mean of all heads", 2, height=620).to_dict()
    page.evaluate(DRAW, encode(figure).decode())
    return names


def apart(found: list[Any]) -> None:
    for (one, _, end), (other, begin, _) in pairwise(found):
        assert begin >= end - 1, f"{one} runs into {other}"


@pytest.mark.parametrize("size", [16, 71, 150, 400, 512])
def test_names_do_not_run_into_each_other(page: Page, size: int) -> None:
    names = draw(page, size)
    for axis in ("x", "y"):
        found = page.evaluate(NAMES, axis)
        assert len(found) >= min(size, 30)
        assert {name for name, _, _ in found} <= set(names)
        apart(found)


def test_an_enlarged_corner_has_every_name(page: Page) -> None:
    names = draw(page, 400)
    page.evaluate("Plotly.relayout('map', {'xaxis.range': [99.5, 119.5], 'yaxis.range': [319.5, 299.5]})")
    for axis, first in (("x", 100), ("y", 300)):
        found = page.evaluate(NAMES, axis)
        assert [name for name, _, _ in found] == names[first : first + 20]
        apart(found)


def test_marks_and_frames_stand_where_their_tokens_do(page: Page) -> None:
    """The axis has names: numbers of places mean the same for cells, clicks, frames and the strip."""
    draw(page, 400)
    drawn: dict[str, Any] = page.evaluate(
        """() => {
            const { _fullData, _fullLayout, calcdata } = document.querySelector('#map');
            const targets = calcdata[_fullData.findIndex((trace) => trace.mode === 'markers')];
            const { x0, x1 } = _fullLayout.shapes.find((shape) => shape.line.width === 2.5);
            const pixel = (value) => _fullLayout.xaxis.c2p(value);
            const { xaxis } = _fullLayout;
            const frame = [...document.querySelectorAll('.shapelayer path')].map((path) => path.getBBox());
            return {
                places: targets.map((point) => point.x), said: targets.map((point) => point.data[1]),
                frame: frame.filter(({ height, width }) => height > 100 && width > 5)
                    .map(({ x, width }) => [x - xaxis._offset, width]),
                from: pixel(x0), to: pixel(x1), columns: [x0, x1],
            };
        }"""
    )
    assert drawn["places"] == drawn["said"]
    assert drawn["columns"] == [24.5, 48.5]  # tokens 25 … 48 are the second demonstration's
    framed = min(drawn["frame"], key=lambda box: abs(box[0] - drawn["from"]))
    assert framed == pytest.approx([drawn["from"], drawn["to"] - drawn["from"]], abs=3)
