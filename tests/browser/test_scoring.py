"""Scoring in a browser: cells are what `core` gives, a click opens the tokens, and a ratio goes to the Playground."""

from __future__ import annotations

import pytest

from core import run
from core.analysis.scoring.breakdown import score_breakdown
from core.analysis.scoring.grid import combinations
from core.analysis.scoring.table import score_table
from tests.browser.playground import Playground
from tests.browser.test_influence import CENTRE

WAYS = {way.key: way for way in combinations()}


def click(playground: Playground, chart: str, match: str) -> None:
    """Click the middle one of the markers of a chart that carry this."""
    page = playground.app.page
    node = playground.app.plot(f"scoring_{chart}")
    handle = node.element_handle()
    assert handle is not None
    x, y = page.evaluate(CENTRE, [handle, match])
    page.mouse.click(x, y)
    playground.app.settle()


@pytest.fixture
def opened(playground: Playground) -> Playground:
    """The Scoring page with a study whose labels recur."""
    playground.example("Seven to one")
    playground.app.page.get_by_role("link", name="Scoring", exact=True).click()
    playground.app.settle()
    playground.app.key("scoring_table").wait_for(timeout=120_000)
    playground.app.settle()
    return playground


def test_a_clicked_cell_is_worked_out_and_can_become_the_studys_own(opened: Playground) -> None:
    study, model = opened.study(), opened.model
    outcome = run(study, model)
    table = score_table(study, model, outcome.demonstrations, outcome.answer.labels, tuple(WAYS.values()))

    def cells() -> None:
        letters, *_ = opened.app.figure("scoring_table")
        for said, best in zip(letters["text"], table.best, strict=False):
            assert (f"<b>{best}</b>" in said) == (best is not None)

    opened.until(cells)
    key = "channel/even/contextual"
    click(opened, "table", key)
    found = score_breakdown(study, model, outcome.demonstrations, outcome.answer.labels, WAYS[key])

    def shown() -> None:
        words = opened.app.page.locator(".icl-work").inner_text()
        for line in found.query.lines:
            assert f"{line.score:.4f}".replace("-", "−") in words
        for p in found.answer.probabilities:
            assert f"{p:.4f}" in words

    opened.until(shown)
    opened.app.page.get_by_role("button", name="Use in the study").click()
    opened.app.settle()
    opened.until(lambda: _same(opened.study(), WAYS[key].of(study)))


def test_a_ratio_of_labels_opens_in_the_playground(opened: Playground) -> None:
    page = opened.app.page
    page.get_by_role("radio", name="Imbalance").click()
    opened.app.settle()
    opened.app.key("scoring_imbalance_lines_chart").wait_for(timeout=240_000)
    opened.app.settle()
    click(opened, "imbalance_lines_chart", "4")  # all of one label
    page.get_by_text("at 8:0").first.wait_for()
    page.get_by_role("button", name="Open in the Playground").click()
    page.get_by_role("heading", name="Playground").wait_for(timeout=60_000)
    opened.app.settle()

    def there() -> None:
        shown = opened.study()
        assert len(shown.demonstrations) == 8
        assert len({row.label for row in shown.demonstrations}) == 1
        assert shown.selection == "hand-picked"

    opened.until(there)
    opened.check()


def _same(first: object, second: object) -> None:
    assert first == second
