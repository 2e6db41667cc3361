"""The Posterior page in a browser: it opens, n and the prior move it, and a click marks a demonstration."""

from __future__ import annotations

import re

import pytest

from core import run
from core.bayes.prior import mixture_prior
from core.models import LanguageModel
from pages.ui.session.examples import default_study
from tests.browser.app import App, names
from tests.browser.tabs import SCREEN


@pytest.fixture
def page(app: App) -> App:
    return app.open("posterior")


def weights(app: App, panel: int = 0) -> dict[str, float]:
    trace = app.figure("posterior_steps")[panel]
    return dict(zip(names(trace), trace["x"], strict=True))


def view(app: App, name: str) -> None:
    app.page.get_by_role("radio", name=name, exact=True).click()
    app.settle()


def test_the_first_look_fits_one_screen_and_is_what_run_says(page: App, model: LanguageModel) -> None:
    page.settle()
    for key in ("posterior_steps", "posterior_gains", "posterior_mixture"):
        box = page.key(key).bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= SCREEN["height"], key
        assert box["x"] + box["width"] <= SCREEN["width"], key
    exact = run(default_study(), model).posteriors["exact"]
    expected = dict(zip(exact.tasks, exact.weights[-1], strict=True))
    drawn = {task: p for task, p in weights(page).items() if task in expected}
    assert drawn == pytest.approx({task: expected[task] for task in drawn}, abs=2e-3)


def to_the_prior(app: App) -> None:
    """Step to n = 0, before any demonstration."""
    app.key("posterior_n").get_by_role("slider").press("Home")
    app.settle()


def test_the_prior_is_dragged_and_kept_in_the_link(page: App, model: LanguageModel) -> None:
    view(page, "Prior")
    to_the_prior(page)
    line = page.key("posterior_prior_bars").get_by_role("slider").nth(1)
    task = str(line.get_attribute("aria-label")).removeprefix("Prior of ")
    track = line.locator(".icl-track").bounding_box()
    assert track is not None
    mouse, y = page.page.mouse, track["y"] + 7
    mouse.move(track["x"] + 20, y)
    mouse.down()
    for share in (0.5, 0.75, 0.85):  # of a scale from .0001 to 1: to p = .0001 ** .15
        mouse.move(track["x"] + share * track["width"], y, steps=3)
    mouse.up()
    page.settle()
    assert weights(page)[task] == pytest.approx(1e-4**0.15, rel=0.03)
    line.press("ArrowLeft")
    page.settle()
    wanted = weights(page)[task]
    assert wanted < 1e-4**0.15
    page.page.reload()
    page.runs = -1
    page.settle()
    assert re.search(r"study=[0-9a-f]{16}", page.page.url)
    view(page, "Prior")
    line = page.key("posterior_prior_bars").get_by_role("slider", name=f"Prior of {task}")
    now = line.get_attribute("aria-valuenow")
    assert float(str(now)) == pytest.approx(wanted, rel=0.02)
    to_the_prior(page)
    line.press("Home")  # ruled out
    page.settle()
    assert weights(page).get(task, 0) == 0
    line.dblclick()
    page.settle()
    assert model.mixture is not None
    own = dict(zip(model.mixture.families, mixture_prior(model.mixture), strict=True))
    assert weights(page)[task] == pytest.approx(own[task], abs=2e-3)


def test_every_view_opens_and_a_click_marks_a_demonstration(page: App) -> None:
    for name in ("Distance", "Entropy", "Evidence", "Say it twice", "Orders", "As a mixture", "Who convinced it"):
        view(page, name)
    cell = page.plot("posterior_gains").locator(".nsewdrag").bounding_box()
    assert cell is not None
    x, y = cell["x"] + cell["width"] * 1.5 / len(default_study().demonstrations), cell["y"] + cell["height"] / 2
    for _ in range(3):
        page.page.mouse.move(x - 1, y)
        page.page.wait_for_timeout(300)  # plotly hears a click only where it has noticed the mouse
        page.page.mouse.click(x, y)
        page.settle()
        if page.page.get_by_label("Marked", exact=True).input_value() == "2":
            break
    assert page.page.get_by_label("Marked", exact=True).input_value() == "2"
    assert page.page.locator(".icl-prompt .marked").count() == 1
