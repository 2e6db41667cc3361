"""Ordering in a browser: a click picks an order in every chart, and one click more opens it in the Playground."""

from __future__ import annotations

import numpy as np
import pytest

from core import run
from core.analysis.ordering.effects import best_and_worst
from core.analysis.ordering.table import OrderTable, fixed, order_table
from core.evaluation.questions import questions_of, sources_of
from core.models import LanguageModel
from core.study.study import Study
from tests.browser.playground import Playground

VIEWS = ("accuracy", "answers", "entropy", "positions")
# The middle of the dot of an order: an order's dots carry its row first.
CENTRE = """([node, row]) => {
    const gd = node.querySelector('.js-plotly-plot');
    const found = gd._fullData.find((t) => t.customdata && t.customdata.some((c) => c[0] === row));
    const place = Array.from(found.customdata).findIndex((c) => c[0] === row);
    const box = gd.getBoundingClientRect(), layout = gd._fullLayout;
    const axes = [layout[found.xaxis.replace('x', 'xaxis')], layout[found.yaxis.replace('y', 'yaxis')]];
    const at = [axes[0].d2p(found.x[place]), axes[1].d2p(found.y[place])];
    return [box.x + axes[0]._offset + at[0], box.y + axes[1]._offset + at[1]];
}"""
COUNT = 20


def expected(study: Study, model: LanguageModel) -> OrderTable:
    """What the page computes with twenty questions of the first source."""
    outcome = run(study, model)
    rows = [study.demonstrations[i] for i in sorted(outcome.chosen.indices)]
    held = fixed(study, rows)
    asked = questions_of(held, model, sources_of(held, model)[0], COUNT, 0)
    return order_table(held, model, rows, outcome.answer.labels, asked)


@pytest.fixture
def opened(playground: Playground) -> Playground:
    """The Ordering page of four demonstrations, its job done."""
    playground.example("Next, double or plus two?")
    playground.app.page.get_by_role("link", name="Ordering", exact=True).click()
    playground.app.settle()
    playground.app.choose("How many", str(COUNT))
    for view in VIEWS:
        playground.app.key(f"ordering_{view}").wait_for(timeout=120_000)
    playground.app.settle()
    return playground


def test_the_page_shows_all_orders_and_the_worst_opens(opened: Playground) -> None:
    study = opened.study()
    table = expected(study, opened.model)

    def drawn() -> None:
        dots = opened.app.figure("ordering_accuracy")[0]
        np.testing.assert_allclose(dots["x"], table.accuracy, atol=1e-6)

    opened.until(drawn)
    assert len(table.orders) == 24
    order = table.orders[best_and_worst(table)[1]]
    opened.app.page.locator(".st-key-ordering_open_worst button").first.click()
    opened.app.settle()

    def there() -> None:
        assert "/ordering" not in opened.app.page.url
        assert opened.study().demonstrations == tuple(study.demonstrations[i] for i in order)

    opened.until(there)


def test_a_clicked_order_is_picked_everywhere_and_opens(opened: Playground) -> None:
    study = opened.study()
    table = expected(study, opened.model)
    row = 7
    node = opened.app.plot("ordering_answers")
    handle = node.element_handle()
    assert handle is not None
    x, y = opened.app.page.evaluate(CENTRE, [handle, row])
    opened.app.page.mouse.click(x, y)
    opened.app.settle()
    button = opened.app.page.locator(".st-key-ordering_open_picked button").first
    button.wait_for()
    ringed = [t for t in opened.app.figure("ordering_accuracy") if t["name"] == "picked"]
    places = [m for m, accuracy in enumerate(table.accuracy) if abs(accuracy - ringed[0]["x"][0]) < 1e-6]
    assert places, "the ring is at the accuracy of an order"
    button.click()
    opened.app.settle()

    def there() -> None:
        shown = [study.demonstrations.index(d) for d in opened.study().demonstrations]
        assert table.place_of(shown) in places
        assert shown != [0, 1, 2, 3]

    opened.until(there)
    assert opened.app.troubles() == []
