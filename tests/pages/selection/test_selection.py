"""The Selection page: its figures hold what `core` gives, and every control changes them."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from core import Demonstration, Study, run
from core.analysis.selection.comparison import Choice, choose, overlap, score_correlation, with_pool
from core.analysis.selection.pool_map import pool_map
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import questions_of
from core.models import LanguageModel
from core.runtime import artifacts
from core.runtime.memo import forget
from core.selection import selections
from pages.ui.components.card import same
from pages.ui.selection.settings import take
from pages.ui.session import state
from pages.ui.session.examples import examples
from tests.pages.conftest import Page, Start

POOLED = next(example for example in examples() if example.study.pool).study
QUICK = [entry.name for entry in selections if not entry.slow]
PATIENCE = 60  # seconds for the jobs of a page on a busy machine


def settle(page: Page) -> Page:
    """Run until no job is under way."""
    deadline = time.monotonic() + PATIENCE
    while any(button.label == "Cancel" for button in page.at.button):
        assert time.monotonic() < deadline, "a job did not come to its end"
        time.sleep(0.2)
        page.run()
    return page


def chart(page: Page, name: str) -> dict[str, Any]:
    return page.plots[f"selection_{name}"]


def has_chart(page: Page, name: str) -> bool:
    return f"selection_{name}" in page.plots


def numbers(trace: dict[str, Any]) -> list[int]:
    return [int(n) for (n,) in trace["customdata"]]


def ringed(page: Page) -> set[int]:
    found = [t for t in chart(page, "map_chart")["data"] if t.get("name") == "chosen"]
    return set(numbers(found[0])) if found else set()


def pick(page: Page, kind: str, key: str, value: Any) -> Page:
    getattr(page.at, kind)(key=f"selection_{key}").set_value(value)
    return settle(page.run())


@pytest.fixture
def page(start: Start) -> Page:
    found = start("pages/selection.py")
    found.study = POOLED
    return settle(found.run())


def chosen(study: Study, model: LanguageModel, names: list[str]) -> list[Choice]:
    return [one for one in choose(study, model, names) if isinstance(one, Choice)]


def test_the_map(page: Page, model: LanguageModel) -> None:
    found = pool_map(POOLED, model)
    traces = [t for t in chart(page, "map_chart")["data"] if "customdata" in t and t["name"] != "chosen"]
    at = {n: (x, y) for t in traces for n, x, y in zip(numbers(t), t["x"], t["y"], strict=True)}
    np.testing.assert_allclose([at[i + 1] for i in range(len(POOLED.pool))], found.points, atol=1e-3)
    (star,) = [t for t in chart(page, "map_chart")["data"] if t.get("name") == "the query"]
    np.testing.assert_allclose([star["x"][0], star["y"][0]], found.query, atol=1e-3)  # type: ignore[arg-type]
    assert ringed(page) == {i + 1 for i in run(POOLED, model).chosen.indices}
    assert found.explained is not None
    assert f"{found.explained.sum():.0%} of the variance" in page.said
    pick(page, "selectbox", "encoder", "tfidf")
    other = pool_map(POOLED.model_copy(update={"encoder": "tfidf"}), model)
    (star,) = [t for t in chart(page, "map_chart")["data"] if t.get("name") == "the query"]
    np.testing.assert_allclose([star["x"][0], star["y"][0]], other.query, atol=1e-3)  # type: ignore[arg-type]
    assert "Selections look at" in page.said
    pick(page, "segmented_control", "projection", "t-sne")
    assert "of the variance" not in page.said
    assert not page.at.error


def test_another_query_leaves_what_it_does_not_decide(page: Page) -> None:
    def read() -> dict[str, Any]:
        drawn = page.at.session_state["parts_drawn"]
        return {key.removeprefix("selection_card_"): drawn[key].read for key in drawn}

    settle(page.edit(selection=selections.plain, query=POOLED.pool[0].input))
    before = dict(read())
    settle(page.edit(query=POOLED.pool[1].input))
    after = read()
    assert page.study.query == POOLED.pool[1].input
    kept = {key for key in before if same(before[key], after[key])}
    assert {"accuracy", "item_table", "items", "requests", "why", "settings"} <= kept  # hand-picked rows have no score
    assert not kept & {"map", "table", "leads", "square"}


def test_the_table_the_answers_and_the_squares(page: Page, model: LanguageModel) -> None:
    choices = chosen(POOLED, model, QUICK)
    (rings,) = [t for t in chart(page, "table")["data"] if t["type"] == "scatter" and "text" in t["mode"]]
    assert len(rings["x"]) == sum(len(choice.places) for choice in choices)
    for c, choice in enumerate(choices):
        texts = [t for x, t in zip(rings["x"], rings["text"], strict=True) if x == c]
        wanted = [f"<b>{rank}</b>" for rank in choice.ranks.values()] or ["•"] * len(choice.places)
        assert sorted(texts) == sorted(wanted)
    (bars,) = [t for t in chart(page, "leads")["data"] if t["type"] == "bar"]
    np.testing.assert_allclose(bars["x"], [choice.probability("foo") for choice in choices], atol=1e-4)
    (cells, *_) = chart(page, "square_chart")["data"]
    np.testing.assert_allclose(cells["z"], overlap(choices), atol=1e-5)
    pick(page, "segmented_control", "square", "Score correlation")
    ranking = [choice for choice in choices if choice.scores is not None]
    (cells, *_) = chart(page, "square_chart")["data"]
    shown = np.array([[np.nan if v is None else v for v in row] for row in cells["z"]], dtype=float)
    np.testing.assert_allclose(shown, score_correlation(ranking)[0], atol=1e-4)
    assert all(plot["alt"] for plot in page.plots.values())


def test_why(page: Page, model: LanguageModel) -> None:
    for name in ("similarity", "bm25", "dpp"):
        pick(page, "selectbox", "look", "" if name == POOLED.selection else name)
        (choice,) = chosen(POOLED, model, [name])
        assert choice.scores is not None
        dots = chart(page, "scores")["data"][0]
        np.testing.assert_allclose(dots["x"], np.sort(choice.scores)[::-1], atol=1e-4)
        assert ringed(page) == {place + 1 for place in choice.places}
        assert any("Score: " in caption.value for caption in page.at.caption)
    pick(page, "selectbox", "look", "random")
    assert not has_chart(page, "scores")
    assert "Chance ranks nothing" in page.said


def test_slow_ones_choose_on_request_and_what_they_learned_can_be_forgotten(page: Page, model: LanguageModel) -> None:
    forget()
    before = len(chart(page, "leads")["data"][1]["x"])
    page.at.button(key="selection_ask_influence").click()
    settle(page.run())
    assert len(chart(page, "leads")["data"][1]["x"]) == before + 1
    assert "and is kept" in page.said
    pick(page, "selectbox", "look", "influence")
    assert has_chart(page, "scores")
    # Another query: it follows by itself, from what it learned.
    settle(page.edit(query="the soup was awful"))
    assert len(chart(page, "leads")["data"][1]["x"]) == before + 1
    # Another pool: it would learn anew, and waits to be asked.
    settle(page.edit(pool=POOLED.pool[:-1]))
    assert len(chart(page, "leads")["data"][1]["x"]) == before
    assert artifacts.listing()
    page.at.session_state["selection_kept"] = True
    assert artifacts.listing()[0].about.startswith("Influence, 12 rows")
    forget()
    assert artifacts.listing() == ()


def test_test_items(page: Page, model: LanguageModel) -> None:
    pick(page, "multiselect", "names", ["random", "bm25"])
    studies = [POOLED.model_copy(update={"selection": name}) for name in ("random", "bm25")]
    found = evaluate(studies, model, questions_of(studies[0], model, "pool", 50, 0))
    dots = chart(page, "accuracy")["data"][0]
    np.testing.assert_allclose(dots["x"], found.accuracy, atol=1e-6)
    np.testing.assert_allclose(dots["x"] + dots["error_x"]["array"], found.interval[:, 1], atol=1e-5)
    items = next(frame.value for frame in page.at.dataframe if "Question" in frame.value)
    assert list(items["Question"]) == [question.input for question in found.questions]
    assert [cell[0] == "✓" for cell in items["BM25"]] == found.right[1].tolist()
    for cell, choice in zip(items["BM25"], found.chosen[1], strict=True):
        assert cell.endswith("· " + " " + " ".join(str(i + 1) for i in choice.indices))
    pick(page, "segmented_control", "view", "Rows used")
    used = next(frame.value for frame in page.at.dataframe if "#" in frame.value and "BM25" in frame.value)
    assert used["BM25"].sum() == sum(len(choice.indices) for choice in found.chosen[1])
    pick(page, "multiselect", "names", [])
    assert "Choose a selection" in page.said


def test_a_hand_picked_set_is_not_asked_what_it_shows(page: Page, model: LanguageModel) -> None:
    pick(page, "multiselect", "names", ["hand-picked", "random"])
    items = next(frame.value for frame in page.at.dataframe if "Question" in frame.value)
    assert not {row.input for row in POOLED.demonstrations} & set(items["Question"])


def test_without_a_pool_the_demonstrations_stand_in(start: Start, model: LanguageModel) -> None:
    page = settle(start("pages/selection.py"))
    study = with_pool(page.study)
    assert not page.study.pool
    assert any("stand in" in info.value for info in page.at.info)
    assert len(chart(page, "leads")["data"][1]["x"]) == len(chosen(study, model, QUICK))
    assert ringed(page) == set(range(1, len(study.pool) + 1))
    settle(page.edit(demonstrations=(), pool=()))
    assert "no rows to choose from" in page.said or page.at.error or "There is no label" in page.said


def test_no_query_leaves_placeholders(page: Page) -> None:
    page.edit(query=" ")
    assert not has_chart(page, "map_chart")
    assert not has_chart(page, "table")
    assert page.at.error


def test_what_a_row_says_is_shown_letter_by_letter(page: Page) -> None:
    row = Demonstration(input="<b>bold</b> $x$ **y**", label="<i>")
    settle(page.edit(pool=(*POOLED.pool, row), query="a <b>query"))
    for name in ("map_chart", "table", "scores"):
        assert "<b>bold" not in json.dumps(chart(page, name), default=str)


def test_taking_a_selection_and_picking_rows(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """What clicks do, without a browser: the callbacks on a study of their own."""
    held = {"study": POOLED.model_copy(update={"pool": (), "demonstrations": POOLED.pool[:5]})}
    monkeypatch.setattr(state, "study", lambda: held["study"])
    monkeypatch.setattr(state, "edit", lambda **changes: held.update(study=held["study"].model_copy(update=changes)))
    take(with_pool(held["study"]), "bm25")
    assert held["study"].selection == "bm25"
    assert held["study"].pool == POOLED.pool[:5]
    from pages.ui.selection.settings import pick as pick_row

    pick_row(POOLED, 9)
    assert held["study"].demonstrations[-1] == POOLED.pool[8]
    pick_row(POOLED, 9)
    assert held["study"].demonstrations == POOLED.pool[:5]
