"""Our own drawing beside plotly's of the same figures: the same words at the same ticks, bars, lines and colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.figures import Spec
from pages.ui.components.charts import encode
from pages.ui.components.javascript import bundle, style
from tests.pages.components.live_figures import live_figures

PLOTLY = files("plotly") / "package_data" / "plotly.min.js"
FIGURES = live_figures()
MOST_CELLS = 4000  # above them our heatmap is one image
PAGE = "<!doctype html><body><div id='own' style='width: 600px'></div><div id='plotly'></div></body>"
DRAW = """async (text) => {
    const figure = JSON.parse(text);
    const shelf = Object.keys(globalThis).find((name) => name.startsWith('iclens '));
    const Chart = await globalThis[shelf].chart;
    globalThis.chart?.close();
    document.querySelector('#own').replaceChildren();
    globalThis.chart = new Chart(document.querySelector('#own'));
    chart.update({...figure, alt: '', height: '300px', name: 'x', format: 'png', clickable: true}, () => {});
    const size = {width: 600, height: 300, autosize: false};
    await globalThis.moduleName.newPlot('plotly', figure.data, {...figure.layout, ...size}, {staticPlot: true});
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
}"""
# What stands in a drawing. Places are shares of the way between the first and the last, since margins differ a little.
READ = """async (plotly) => {
    const root = document.querySelector(plotly ? '#plotly' : '#own');
    const all = (selector) => [...root.querySelectorAll(selector)];
    const shares = (values) => {
        const [low, high] = [Math.min(...values), Math.max(...values)];
        return values.map((value) => high > low ? (value - low) / (high - low) : 0);
    };
    const bars = all(plotly ? '.bars .point path' : '.icl-data rect').map((bar) => bar.getBBox());
    const lines = all(plotly ? '.scatterlayer .js-line' : '.icl-data path').map((path) => {
        const pairs = path.getAttribute('d').match(/-?[\\d.]+[ ,]-?[\\d.]+/g);
        const points = pairs.map((pair) => pair.split(/[ ,]/).map(Number));
        return [shares(points.map(([x]) => x)), shares(points.map(([, y]) => y))];
    });
    const said = (nodes) => nodes.map((node) => node.textContent.trim()).filter(Boolean).sort();
    const words = (selector) => said(all(selector));
    const group = (node) => node.closest('g[class$=tick]') ?? node;
    const ofAxis = (node) => /^[xy]\\d*(tick|title)$/.test(group(node).getAttribute('class'));
    return {
        axes: plotly ? said(all('text').filter(ofAxis)) : words('.icl-axes text'),
        widths: shares([0, ...bars.map((bar) => Math.round(bar.width))]),
        heights: bars.map((bar) => bar.height),
        lines,
        legend: words(plotly ? '.legendtext' : '.icl-entry text'),
        words: words(plotly ? '.textpoint text, .bars text' : '.icl-data text'),
    };
}"""
# Colours of cells by row and column: of our rectangles, and of the pixels of plotly's image at their middles.
COLOURS = """async ([rows, columns]) => {
    const cell = (x, y) => {
        const [c, r] = [Math.round(chart.drawing.axes.x.back(x)), Math.round(chart.drawing.axes.y.back(y))];
        return `${r} ${c}`;
    };
    const own = {};
    for (const node of document.querySelectorAll('#own .icl-data rect')) {
        const {x, y, width, height} = node.getBBox();
        own[cell(x + width / 2, y + height / 2)] = node.getAttribute('fill').match(/[\\d.]+/g).map(Number);
    }
    const image = new Image();
    image.src = document.querySelector('#plotly .heatmaplayer image').getAttribute('href')
        ?? document.querySelector('#plotly .heatmaplayer image').getAttributeNS('http://www.w3.org/1999/xlink', 'href');
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), {width: image.width, height: image.height});
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const theirs = {};
    for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
            const [x, y] = [(c + 0.5) / columns * image.width, (r + 0.5) / rows * image.height];
            const [red, green, blue, alpha] = pen.getImageData(Math.floor(x), Math.floor(y), 1, 1).data;
            theirs[`${r} ${c}`] = [red, green, blue, alpha / 255];
        }
    const scale = (selector) => [...document.querySelectorAll(selector)].map((node) => node.textContent).sort();
    return {own, theirs, ownScale: scale('#own .icl-over text'), theirScale: scale('#plotly .cbaxis text')};
}"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.set_content(PAGE)
    page.add_style_tag(content=style("chart"))
    page.add_script_tag(content=PLOTLY.read_text(encoding="utf-8"))
    page.add_script_tag(content=bundle("chart"), type="module")
    yield page
    page.close()


def draw(page: Page, figure: Spec) -> None:
    page.evaluate(DRAW, encode(figure).decode())


def minus(words: list[str]) -> list[str]:
    return [word.replace("−", "-") for word in words]


@pytest.mark.parametrize("name", FIGURES)
def test_words_bars_and_lines_are_those_of_plotly(page: Page, name: str) -> None:
    draw(page, FIGURES[name])
    own, theirs = page.evaluate(READ, False), page.evaluate(READ, True)
    assert own["axes"] == minus(theirs["axes"])
    assert own["legend"] == theirs["legend"]
    if FIGURES[name]["data"][0]["type"] == "heatmap":
        return
    assert own["words"] == theirs["words"]
    assert own["widths"] == pytest.approx(theirs["widths"], abs=0.02)
    assert own["heights"] == pytest.approx(theirs["heights"], rel=0.05)
    for ours, other in zip(own["lines"], theirs["lines"], strict=True):
        assert ours[0] == pytest.approx(other[0], abs=0.01)
        assert ours[1] == pytest.approx(other[1], abs=0.01)


def heatmaps() -> list[str]:
    found = [name for name, figure in FIGURES.items() if figure["data"][0]["type"] == "heatmap"]
    return [name for name in found if FIGURES[name]["data"][0]["z"].size <= MOST_CELLS]


@pytest.mark.parametrize("name", heatmaps())
def test_cells_have_the_colours_of_plotly(page: Page, name: str) -> None:
    draw(page, FIGURES[name])
    z = FIGURES[name]["data"][0]["z"]
    found: dict[str, Any] = page.evaluate(COLOURS, list(z.shape))
    assert found["own"].keys() == {f"{r} {c}" for r in range(z.shape[0]) for c in range(z.shape[1]) if z[r, c]}
    for place, ours in found["own"].items():
        other = found["theirs"][place]
        assert ours[3] == pytest.approx(other[3], abs=0.01), place
        if other[3] > 0.1:  # a faint pixel keeps too little of its colour
            assert ours[:3] == pytest.approx(other[:3], abs=4), place
    if FIGURES[name]["data"][0].get("showscale", True):
        assert [word for word in found["ownScale"] if re.fullmatch(r"[\d.]+", word)] == minus(found["theirScale"])
