"""The Attention page in Chromium: every token is drawn, a hover reads both tokens, a click marks or chooses."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from core import Study, run
from core.attention import between, group, token_map, tokens_of
from core.figures.colours import MARK
from core.models import LanguageModel
from core.study.demonstrations import Demonstration
from core.study.study import ModelChoice
from pages.ui.session.examples import default_study
from tests.browser.app import App
from tests.browser.kept import keep
from tests.browser.server import Server
from tests.models.checkpoints import ARCHITECTURES, write_tiny

# Frames that plotly drew in a colour.
FRAMES = """(node, colour) => (node.querySelector('.js-plotly-plot')._fullLayout.shapes || [])
    .filter((shape) => shape.line.color.toLowerCase() === colour.toLowerCase()).length"""

WAIT = 300  # seconds; a busy machine computes an analysis late


def wait_for_charts(app: App) -> None:
    """Analyses may be drawn after the page has come to rest once."""
    for name in ("between", "tokens", "roles"):
        app.key(f"attention_{name}").wait_for(timeout=1000 * WAIT)
        app.plot(f"attention_{name}")
    app.settle()


def drawn(app: App, name: str) -> np.ndarray:
    """The first heatmap of a chart, as drawn."""
    (heat, *_) = [trace for trace in app.figure(f"attention_{name}") if trace["type"] == "heatmap"]
    return np.array(heat["z"], dtype=float)


def until_drawn(app: App, name: str, expected: np.ndarray) -> None:
    """A chart shows these numbers, at the latest after a while."""
    deadline = time.monotonic() + WAIT
    while True:
        found = drawn(app, name)
        if found.shape == expected.shape and np.allclose(found, expected, atol=2e-4):
            return
        assert time.monotonic() < deadline, f"{name} does not show what core computes"
        app.settle()


def point(app: App, name: str, x: float, y: float, subplot: str = "xy") -> tuple[float, float]:
    """Where on the screen a point of a chart is, given in shares of a subplot's width and height."""
    box = app.plot(f"attention_{name}").locator(f".draglayer .{subplot} .nsewdrag").first
    box.scroll_into_view_if_needed()
    place = box.bounding_box()
    assert place is not None
    return place["x"] + x * place["width"], place["y"] + y * place["height"]


def hover(app: App, name: str, x: float, y: float) -> str:
    """Text of the box over a point of a chart."""
    across, down = point(app, name, x, y)
    for nudge in (0, 2):  # plotly speaks when the mouse moves
        app.page.mouse.move(across + nudge, down)
        app.page.wait_for_timeout(300)
    said = app.page.locator(".hoverlayer .hovertext").first
    said.wait_for()
    return str(said.text_content())


def click(app: App, name: str, x: float, y: float, subplot: str = "xy") -> None:
    """Click into a chart; plotly wants to see the mouse come."""
    across, down = point(app, name, x, y, subplot)
    app.page.mouse.move(across - 3, down)
    app.page.mouse.move(across, down)
    app.page.wait_for_timeout(400)
    app.page.mouse.click(across, down)
    app.settle()


def test_tokens_hover_and_clicks(app: App, model: LanguageModel) -> None:
    app.open("attention")
    wait_for_charts(app)
    study = default_study()
    prompt = run(study, model).prompt
    known = tokens_of(prompt, model.encode(prompt.text))
    every, parts = range(len(known)), group(known)
    until_drawn(app, "tokens", token_map(model, prompt.text, every, every).weights)
    found = between(model, prompt.text, parts, parts)
    until_drawn(app, "between", found.mean(()))

    said = hover(app, "tokens", 0.2, 0.8)
    assert said.startswith("from ")
    assert "to " in said
    assert "weight 0." in said
    assert any(f"{place} {known.texts[place]}" in said for place in every)

    # the strip above the map marks the demonstration whose column is clicked, in every chart
    click(app, "tokens", 0.5, 0.5, "xy2")
    for name in ("tokens", "between"):
        assert app.plot(f"attention_{name}").evaluate(FRAMES, MARK) >= 1, name
    assert app.page.locator(".icl-prompt .marked").count() == 1

    # a click on a head shows that head alone
    click(app, "atlas", 1.5 / model.heads, 2.5 / model.layers)
    until_drawn(app, "tokens", token_map(model, prompt.text, every, every, heads=[(2, 1)]).weights)
    until_drawn(app, "between", found.mean([(2, 1)]))


def test_512_tokens_are_drawn(app: App, server: Server, model: LanguageModel) -> None:
    rows = tuple(Demonstration(input="cat dog " * 20, label="chat") for _ in range(11))
    study = default_study().model_copy(update={"demonstrations": rows, "query": "cat dog"})
    app.open(f"attention?study={keep(server, study)}")
    wait_for_charts(app)
    prompt = run(study, model).prompt
    size = len(model.encode(prompt.text))
    assert 470 <= size <= 512
    until_drawn(app, "tokens", token_map(model, prompt.text, range(size), range(size)).weights)


def test_eight_thousand_tokens(app: App, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks first, then token by token for a part of the prompt."""
    kind, settings = ARCHITECTURES["llama"]
    monkeypatch.setitem(ARCHITECTURES, "long", (kind, {**settings, "max_position_embeddings": 8_192}))
    path = write_tiny("long", tmp_path / "long")
    rows = tuple(Demonstration(input=f"the film was {i} " * 66, label="good") for i in range(20))
    study = Study(
        model=ModelChoice(name=str(path)), demonstrations=rows, query="the plot", labels=("good", "bad"), posteriors=()
    )
    app.open(f"attention?study={keep(server, study)}")
    app.page.get_by_role("button", name="Load it", exact=True).click()
    wait_for_charts(app)
    blocks = drawn(app, "tokens")
    assert max(blocks.shape) <= 512
    np.testing.assert_allclose(blocks.sum(1), 1.0, atol=1e-3)
    app.choose("Rows", "query")
    app.choose("Columns", "demonstration 20")
    deadline = time.monotonic() + WAIT
    while "token by token" not in app.text() or drawn(app, "tokens").shape[0] > 32:
        assert time.monotonic() < deadline
        app.settle()
    assert 300 < drawn(app, "tokens").shape[1] <= 512
