"""The Ordering page: its charts hold what `core.analysis.ordering.table` gives, controls change them, orders open."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import numpy as np
import pytest

from core import Demonstration, run
from core.analysis.ordering.effects import best_and_worst, gain, positions
from core.analysis.ordering.table import OrderTable, fixed, order_table
from core.evaluation.questions import questions_of, sources_of
from core.models import LanguageModel
from tests.pages.conftest import Page, Start

PATIENCE = 120  # seconds for the job on a busy machine
SHOWN = tuple(
    Demonstration(input=x, label=y) for x, y in [("horse", "foo"), ("hammer", "bar"), ("wolf", "foo"), ("tulip", "foo")]
)
POOL = tuple(
    Demonstration(input=x, label=y)
    for x, y in [
        ("duck", "foo"),
        ("table", "bar"),
        ("shark", "foo"),
        ("chair", "bar"),
        ("spider", "foo"),
        ("cup", "bar"),
        ("rabbit", "foo"),
        ("key", "bar"),
        ("fly", "foo"),
        ("desk", "bar"),
    ]
)
STUDY = {
    "demonstrations": SHOWN[:3],
    "pool": POOL,
    "query": "boat",
    "gold": "bar",
    "labels": ("foo", "bar"),
    "posteriors": (),
    "hypotheses": (),
}


def settle(page: Page) -> Page:
    """Run until no job is under way."""
    deadline = time.monotonic() + PATIENCE
    while any(button.label == "Cancel" for button in page.at.button):
        assert time.monotonic() < deadline, "a job did not come to its end"
        time.sleep(0.2)
        page.run()
    return page


@pytest.fixture
def page(start: Start) -> Page:
    page = start()
    page.study = page.study.model_copy(update=STUDY)
    page.at.session_state["ordering_questions_count"] = 10
    page.at.switch_page("pages/ordering.py")
    return settle(page.run())


def chart(page: Page, name: str) -> dict[str, Any]:
    return page.plots[f"ordering_{name}"]


def has_chart(page: Page, name: str) -> bool:
    return f"ordering_{name}" in page.plots


def dots(page: Page, name: str) -> list[dict[str, Any]]:
    """Traces with a dot an order."""
    return [t for t in chart(page, name)["data"] if t.get("customdata") and len(t["customdata"]) > 5 and "z" not in t]


def expected(page: Page, model: LanguageModel, source: str = "pool", count: int = 10, seed: int = 0) -> OrderTable:
    outcome = run(page.study, model)
    rows = [page.study.demonstrations[i] for i in sorted(outcome.chosen.indices)]
    held = fixed(page.study, rows)
    return order_table(held, model, rows, outcome.answer.labels, questions_of(held, model, source, count, seed))


def pick(page: Page, kind: str, key: str, value: Any) -> Page:
    getattr(page.at, kind)(key=f"ordering_{key}").set_value(value)
    return settle(page.run())


def test_first_look(page: Page, model: LanguageModel) -> None:
    table = expected(page, model)
    assert len(table.orders) == 6
    np.testing.assert_allclose(dots(page, "accuracy")[0]["x"], table.accuracy, atol=1e-6)
    np.testing.assert_allclose([t["x"] for t in dots(page, "answers")], np.sort(table.answers, axis=1).T[::-1], atol=1)
    by_label = {t["name"].removeprefix("★ "): t["x"] for t in dots(page, "answers")}
    for i, label in enumerate(table.labels):
        np.testing.assert_allclose(by_label[label], table.answers[:, i], atol=1e-4)
    for trace, measure in zip(dots(page, "entropy"), (table.global_entropy, table.local_entropy), strict=True):
        np.testing.assert_allclose(trace["x"], measure, atol=1e-4)
        np.testing.assert_allclose(trace["y"], table.accuracy, atol=1e-6)
    cells = next(t["z"] for t in chart(page, "positions")["data"] if t["type"] == "heatmap")
    np.testing.assert_allclose(cells + table.accuracy.mean(), positions(table.orders, table.accuracy), atol=1e-5)
    assert "answer otherwise than most" in page.said
    assert "published +13.0%" in page.said
    assert all(plot["alt"] for plot in page.plots.values())
    assert not page.at.error


def test_tables_and_files(page: Page, model: LanguageModel) -> None:
    table = expected(page, model)
    orders = next(frame.value for frame in page.at.dataframe if "GlobalE" in frame.value)
    assert orders["Order"].tolist() == [" ".join(str(i + 1) for i in order) for order in table.orders]
    np.testing.assert_allclose(orders["Right"], table.accuracy)
    strategies = next(frame.value for frame in page.at.dataframe if "Strategy" in frame.value)
    by_name = dict(zip(strategies["Strategy"], strategies["Gain"], strict=True))
    right = next(s.right for s in table.strategies if s.name == "nearest-last")
    assert right is not None
    assert by_name["Nearest last"] == pytest.approx(gain(table, right).relative * 100, abs=1e-6)
    names = {button.proto.label for button in page.at.get("download_button")}
    assert {"Orders CSV", "Strategies CSV"} <= names


@pytest.mark.parametrize("which", ["best", "worst"])
def test_best_and_worst_open_in_the_playground(page: Page, model: LanguageModel, which: str) -> None:
    table, before = expected(page, model), page.study
    order = table.orders[dict(zip(("best", "worst"), best_and_worst(table), strict=True))[which]]
    page.at.button(key=f"ordering_open_{which}").click()
    page.run()
    assert page.study.demonstrations == tuple(SHOWN[i] for i in order)
    assert (page.study.ordering, page.study.selection) == ("given", "hand-picked")
    assert page.has_chart("answer"), "this is the Playground"
    page.press("undo")
    assert page.study == before


def test_rows_that_are_not_used_keep_their_places(page: Page, model: LanguageModel) -> None:
    rows = (SHOWN[0], SHOWN[3].model_copy(update={"excluded": True}), *SHOWN[1:3])
    settle(page.edit(demonstrations=rows))
    table = expected(page, model)
    order = table.orders[best_and_worst(table)[1]]
    page.at.button(key="ordering_open_worst").click()
    page.run()
    shown = [SHOWN[i] for i in order]
    assert page.study.demonstrations == (shown[0], rows[1], *shown[1:])


def test_orders_of_a_selection_are_copied_into_the_table(page: Page, model: LanguageModel) -> None:
    settle(page.edit(selection="random", k=3, selection_seed=2))
    before = run(page.study, model)
    page.at.button(key="ordering_open_best").click()
    page.run()
    assert sorted(d.input for d in page.study.demonstrations) == sorted(d.input for d in before.demonstrations)
    assert page.study.selection == "hand-picked"
    assert "copied into the hand-picked table" in page.said
    page.press("undo")
    assert page.study == before.study


def test_a_picked_order_is_ringed_everywhere_and_opens(page: Page, model: LanguageModel) -> None:
    page.at.session_state["ordering_picked"] = (2, 0, 1)
    page.run()
    for name in ("accuracy", "answers", "entropy"):
        assert any(t["name"] == "picked" for t in chart(page, name)["data"]), name
    page.at.button(key="ordering_open_picked").click()
    page.run()
    assert page.study.demonstrations == (SHOWN[2], SHOWN[0], SHOWN[1])


def test_the_order_on_screen_need_not_be_opened(page: Page) -> None:
    assert page.at.button(key="ordering_open_on_screen").disabled
    page.at.session_state["ordering_picked"] = (9, 9)  # of another study
    page.run()
    assert not any(t["name"] == "picked" for t in chart(page, "accuracy")["data"])


def test_which_questions(page: Page, model: LanguageModel) -> None:
    pick(page, "number_input", "questions_seed", 3)
    table = expected(page, model, seed=3)
    np.testing.assert_allclose(dots(page, "accuracy")[0]["x"], table.accuracy, atol=1e-6)
    pick(page, "selectbox", "questions_count", 20)
    source = sources_of(fixed(page.study, page.study.demonstrations), model)[1]
    pick(page, "selectbox", "questions_source", source)
    table = expected(page, model, source, 20, 3)
    np.testing.assert_allclose(dots(page, "accuracy")[0]["x"], table.accuracy, atol=1e-6)


@pytest.mark.parametrize("value", ["gold", "p"])
def test_what_a_position_does(page: Page, model: LanguageModel, value: str) -> None:
    table = expected(page, model)
    pick(page, "selectbox", "position_value", value)
    measure = table.gold.mean(axis=1) if value == "gold" else table.answers[:, table.labels.index("bar")]
    cells = next(t["z"] for t in chart(page, "positions")["data"] if t["type"] == "heatmap")
    np.testing.assert_allclose(cells + measure.mean(), positions(table.orders, measure), atol=1e-4)


def test_orders_are_drawn_where_there_are_too_many(page: Page) -> None:
    assert page.at.selectbox(key="ordering_most").disabled
    settle(page.edit(demonstrations=(*SHOWN, *POOL[:2]), pool=POOL[2:]))
    pick(page, "selectbox", "most", 24)
    first = next(frame.value for frame in page.at.dataframe if "GlobalE" in frame.value)["Order"].tolist()
    assert 24 <= len(first) <= 24 + 9
    pick(page, "number_input", "seed", 5)
    again = next(frame.value for frame in page.at.dataframe if "GlobalE" in frame.value)["Order"].tolist()
    assert again != first


def test_a_marked_demonstration_is_framed(page: Page) -> None:
    page.at.session_state["frame_mark"] = 2
    page.run()
    (frame,) = chart(page, "positions")["layout"]["shapes"]
    assert (frame["y0"], frame["y1"]) == (0.5, 1.5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"demonstrations": SHOWN[:1]}, "at least two demonstrations"),
        ({"demonstrations": ()}, "at least two demonstrations"),
        ({"labels": ("foo",)}, "one candidate label"),
        ({"query": "  "}, "no query"),
    ],
    ids=["one", "none", "one label", "no query"],
)
def test_nothing_to_compare(page: Page, changes: dict[str, Any], said: str) -> None:
    page.edit(**changes)
    assert said in page.said
    assert not has_chart(page, "accuracy")
    assert not any(button.key and button.key.startswith("ordering_open") for button in page.at.button)


def test_without_questions_the_answers_are_still_there(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.ui.components.questions.sources_of", lambda study, model: ())
    settle(page.edit(query="cup", instruction="Answer."))
    assert "nothing to ask" in page.said
    assert has_chart(page, "answers")
    assert has_chart(page, "positions")
    assert not has_chart(page, "accuracy")
    assert not has_chart(page, "entropy")


def test_dear_work_waits_to_be_asked_for(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.ui.ordering.settings.FREE", {True: 1_000, False: 0})
    page.at.session_state["ordering_most"] = 720
    page.edit(demonstrations=(*SHOWN, *POOL[:4]), pool=POOL[4:])
    assert "texts are to be scored" in page.said
    assert any(button.key == "ordering_table_compute" for button in page.at.button)
    assert not has_chart(page, "accuracy")


def test_csv_holds_every_order(page: Page, model: LanguageModel) -> None:
    from core.analysis.ordering.records import order_records
    from core.files.csv_records import as_csv

    table = expected(page, model)
    rows = list(csv.DictReader(io.StringIO(as_csv(order_records(table, [1, 2, 3])).decode())))
    assert len(rows) == 6
    assert {"order", "accuracy", "answer", "globale", "locale", "p(foo)", "p(bar)"} <= set(rows[0])
