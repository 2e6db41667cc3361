"""A is kept, B edited, and B − A seen; both survive a swap, a refresh and a link; one mark stands out everywhere."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest

from core import Study, run
from core.analysis.compare import Difference, difference
from core.figures.colours import MARK
from pages.ui.session.examples import default_study
from tests.browser.app import App
from tests.browser.kept import kept_study
from tests.browser.playground import Playground

FRAMES = """(node, colour) => (node.querySelector('.js-plotly-plot')._fullLayout.shapes || [])
    .filter((shape) => shape.line.color.toLowerCase() === colour.toLowerCase()).length"""


def stored(playground: Playground, name: str) -> Study | None:
    """The study that a parameter of the address stands for."""
    key = parse_qs(urlparse(playground.app.page.url).query).get(name, [""])[0]
    if not key:
        return None
    return kept_study(playground.server, key)


def go(playground: Playground, page: str) -> None:
    playground.app.page.get_by_role("link", name=page, exact=True).click()
    playground.app.settle()


def check(playground: Playground) -> Difference:
    """What is drawn is the difference of the two studies in the address."""
    return playground.until(lambda: _check(playground))


def _check(playground: Playground) -> Difference:
    a, b = stored(playground, "a"), stored(playground, "study")
    assert a is not None
    assert b is not None
    found = difference(run(a, playground.model), run(b, playground.model))
    traces = {trace["name"]: trace for trace in playground.app.figure("compare_answer")}
    values = dict(zip(found.answer.names, found.answer.change, strict=True))
    bars = traces["model, B − A"]
    names = [text.split("<br>")[0] for text in bars["customdata"]]
    drawn = {name: x for name, x in zip(names, bars["x"], strict=True) if name in values}
    assert drawn
    for name, x in drawn.items():  # no bar where a side lacks the label
        assert abs(x - np.nan_to_num(values[name])) < 2e-3
    (sides, change, *_) = playground.app.figure("compare_kernels")
    kernel = next(iter(found.kernels.values()))
    for row, expected in ((sides["z"][0], kernel.a), (sides["z"][1], kernel.b), (change["z"][2], kernel.change)):
        got = np.array([np.nan if value is None else value for value in row], dtype=float)
        np.testing.assert_allclose(got, expected, atol=2e-4)
    text = playground.app.text()
    for told in found.changes[:3]:
        assert told.sentence in text
    return found


def test_keep_edit_swap_refresh_and_link(playground: Playground, visitor: Callable[[], App]) -> None:
    app = playground.app
    playground.click("Keep as A")
    playground.ask("cat")
    app.page.get_by_role("button", name="A | B", exact=True).click()
    app.settle()
    assert app.page.get_by_role("heading", name="Compare", exact=True).is_visible()
    check(playground)
    assert (stored(playground, "a"), stored(playground, "study").query) == (default_study(), "cat")  # type: ignore[union-attr]

    playground.ask("dog")  # B is edited here too, and A stays
    assert stored(playground, "study").query == "dog"  # type: ignore[union-attr]
    check(playground)

    playground.click("Swap A and B")
    check(playground)
    assert (stored(playground, "a").query, stored(playground, "study")) == ("dog", default_study())  # type: ignore[union-attr]
    app.key("frame_undo").get_by_role("button").click()
    app.settle()
    check(playground)
    assert stored(playground, "a") == default_study()

    before = (stored(playground, "a"), stored(playground, "study"))
    app.page.reload()
    app.runs = -1
    app.settle()
    check(playground)
    assert (stored(playground, "a"), stored(playground, "study")) == before

    other = Playground(visitor(), playground.server, playground.model)
    other.app.open(app.page.url)
    check(other)
    assert (stored(other, "a"), stored(other, "study")) == before

    playground.click("Drop A")
    assert stored(playground, "a") is None
    assert app.page.get_by_text("Nothing to compare yet").is_visible()


def test_an_ablation_in_one_click_and_from_the_menu(playground: Playground) -> None:
    go(playground, "Compare")
    playground.click("Labels flipped")
    assert any(pair.relabelled for pair in check(playground).demonstrations)
    playground.app.page.get_by_role("button", name="Make B from A").click()
    item = playground.app.page.get_by_role("menuitem", name="One fewer")
    item.or_(playground.app.page.get_by_role("option", name="One fewer")).click()
    playground.app.settle()
    assert stored(playground, "a") == default_study()
    assert [pair.b for pair in check(playground).demonstrations].count(None) == 1
    with playground.app.page.expect_download() as download:
        playground.app.page.get_by_role("button", name="CSV", exact=True).click()
    assert download.value.path().read_text(encoding="utf-8").startswith("view,part,name,A,B,B - A")


def click_cell(playground: Playground, key: str, across: float, down: float) -> None:
    box = playground.app.plot(key).locator(".nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
    playground.app.page.mouse.move(x - 1, y)
    playground.app.page.wait_for_timeout(200)  # plotly hears a click only where it has noticed the mouse
    playground.app.page.mouse.click(x, y)
    playground.app.settle()


def compare_marks(playground: Playground) -> dict[str, int]:
    """Frames around the marked demonstration, by view."""
    views = {name: playground.app.plot(f"compare_{name}").evaluate(FRAMES, MARK) for name in ("kernels", "attention")}
    return {**views, "prompt": playground.app.page.locator(".icl-prompt .marked").count()}


@pytest.mark.parametrize(("view", "columns"), [("kernels", 6), ("attention", 7)])
def test_a_click_marks_one_demonstration_on_every_page(playground: Playground, view: str, columns: int) -> None:
    """The order reversed: the third column of Compare is number 3 of B, number 4 of A, and row 3 of the table."""
    go(playground, "Compare")
    playground.click("Order reversed")
    check(playground)

    def click_here() -> None:
        click_cell(playground, f"compare_{view}", 2.5 / columns, 0.1)
        _in_compare(playground, "3")

    def click_there() -> None:
        playground.app.key(f"playground_{view}").locator(".icl-data rect").first.click()
        playground.app.settle()
        _marked(playground, "1")

    playground.until(click_here)
    go(playground, "Playground")
    playground.until(lambda: _marked(playground, "3"))
    playground.until(click_there)
    go(playground, "Compare")
    playground.until(lambda: _in_compare(playground, "1"))
    playground.click("Swap A and B")  # numbers mean other rows now
    playground.until(lambda: _none_in_compare(playground))


def _marked(playground: Playground, number: str) -> None:
    assert playground.marks() == {"kernels": 1, "attention": 1, "prompt": 1}
    assert playground.app.page.get_by_label("Marked", exact=True).input_value() == number


def _in_compare(playground: Playground, number: str) -> None:
    marks = compare_marks(playground)
    assert (marks["kernels"], marks["attention"]) == (1, 1)
    assert marks["prompt"] >= 1
    assert playground.app.page.get_by_label("Marked", exact=True).input_value() == number


def _none_in_compare(playground: Playground) -> None:
    assert compare_marks(playground) == {"kernels": 0, "attention": 0, "prompt": 0}
