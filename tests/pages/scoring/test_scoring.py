"""The Scoring page: its figures hold what `core` gives, every control changes them, and every empty state says why."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from core import run
from core.analysis.scoring.agreement import scorer_agreement
from core.analysis.scoring.breakdown import score_breakdown
from core.analysis.scoring.grid import Combination, combinations
from core.analysis.scoring.label_imbalance import imbalance, shared_out
from core.analysis.scoring.table import score_table
from core.evaluation.questions import questions_of
from core.models import LanguageModel
from core.statistics.agreement import equal_share, kappa
from core.statistics.bootstrap import mean_over_both
from pages.ui.scoring.label_imbalance import drawn_of
from pages.ui.session.examples import examples
from tests.pages.conftest import Page, Start

POOLED = next(example.study for example in examples() if example.name == "Sentiment as foo and bar")
SEVEN = next(example.study for example in examples() if example.name == "Seven to one")
WAYS = {way.key: way for way in combinations()}
PATIENCE = 90


def settle(page: Page) -> Page:
    """Run until no job is under way."""
    deadline = time.monotonic() + PATIENCE
    while any(button.label == "Cancel" for button in page.at.button):
        assert time.monotonic() < deadline, "a job did not come to its end"
        time.sleep(0.2)
        page.run()
    return page


def chart(page: Page, name: str) -> dict[str, Any]:
    found = page.plots[f"scoring_{name}"]
    assert found["alt"]
    return found


def pick(page: Page, kind: str, key: str, value: Any) -> Page:
    getattr(page.at, kind)(key=f"scoring_{key}").set_value(value)
    return settle(page.run())


def words(page: Page, name: str = "table") -> list[str]:
    """The cells' letters, row by row."""
    return list(next(trace["text"] for trace in chart(page, name)["data"] if trace["mode"] == "text"))


def said(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".")


@pytest.fixture
def page(start: Start) -> Page:
    return settle(start("pages/scoring.py").edit(**dict(POOLED)))


def view(page: Page, name: str) -> Page:
    page.at.session_state["scoring_view"] = name
    return settle(page.run())


def test_every_way_on_this_query(page: Page, model: LanguageModel) -> None:
    outcome = run(POOLED, model)
    table = score_table(POOLED, model, outcome.demonstrations, outcome.answer.labels, tuple(WAYS.values()))
    for cell, answer in zip(words(page), [*table.answers, table.bayes, table.bayes_channel], strict=True):
        assert answer is not None
        assert f"<b>{answer.best}</b> {said(answer.probabilities.max())}" in cell
        assert cell.startswith("★") == (answer.best == POOLED.gold)
    alike = sum(best == outcome.answer.best for best in table.best)
    assert f"{alike} of {len(WAYS)} ways answer" in page.said
    frames = [s for s in chart(page, "table")["layout"]["shapes"] if s["line"].get("width") == 2.5]
    assert len(frames) == 1  # what is worked out at first is the study's own
    assert not page.at.error


def test_the_probability_of_one_label(page: Page, model: LanguageModel) -> None:
    pick(page, "selectbox", "cells", "bar")
    outcome = run(POOLED, model)
    table = score_table(POOLED, model, outcome.demonstrations, outcome.answer.labels, tuple(WAYS.values()))
    place = table.labels.index("bar")
    assert words(page)[: len(WAYS)] == [said(p) for p in table.probabilities[:, place]]


@pytest.mark.parametrize("key", ["channel/shown/contextual", "pmi/none", "perplexity/domain-context"])
def test_a_cell_opens_to_its_tokens_and_is_taken_into_the_study(page: Page, model: LanguageModel, key: str) -> None:
    page.at.session_state["scoring_opened"] = key
    settle(page.run())
    outcome = run(POOLED, model)
    found = score_breakdown(POOLED, model, outcome.demonstrations, outcome.answer.labels, WAYS[key])
    (shown,) = [str(html.value) for html in page.at.html if "icl-work" in str(html.value)]
    for line in found.query.lines:
        assert f"score <b>{line.score:.4f}".replace("-", "−") in shown
        for text in line.texts:
            for logprob in text.logprobs:
                assert f"{logprob:.4f}".replace("-", "−") in shown
    for p in found.answer.probabilities:
        assert f"{p:.4f}" in shown
    if found.log_bias is not None:
        assert all(f"{np.exp(value):.4f}" in shown for value in found.log_bias)
        pick(page, "selectbox", "input", 1)
        (free,) = [str(html.value) for html in page.at.html if "icl-work" in str(html.value)]
        assert f"score <b>{found.free[0].lines[0].score:.4f}".replace("-", "−") in free
    page.at.button(key="scoring_take").click()
    settle(page.run())
    assert page.study == WAYS[key].of(POOLED)
    assert page.at.button(key="scoring_take").disabled
    page.at.button(key="frame_undo").click()
    assert settle(page.run()).study == POOLED


def test_a_calibration_without_a_pool_says_so(page: Page) -> None:
    settle(page.edit(**dict(SEVEN)))
    assert words(page).count("–") == sum(way.calibration == "prior" for way in WAYS.values())
    assert "choose another calibration" in page.said


def test_items(page: Page, model: LanguageModel) -> None:
    view(page, "Items")
    found = scorer_agreement(POOLED, model, questions_of(POOLED, model, "pool", 50, 0), tuple(WAYS.values()))
    dots = next(t for t in chart(page, "accuracy")["data"] if "error_x" in t)
    shares = dict(zip((way.key for way in found.combinations), found.accuracy, strict=True))
    shares |= dict(zip(found.bayes, found.bayes_right.mean(axis=1), strict=True))
    assert {data[0]: x for data, x in zip(dots["customdata"], dots["x"], strict=True)} == pytest.approx(shares)
    assert list(dots["x"]) == sorted(dots["x"], reverse=True)
    cells = chart(page, "pairs")["data"][0]["z"]
    np.testing.assert_allclose(cells, equal_share(found.answers), atol=1e-6)
    pick(page, "segmented_control", "measure", "Cohen's κ")
    np.testing.assert_allclose(chart(page, "pairs")["data"][0]["z"], kappa(found.answers), atol=1e-6)
    table = next(frame.value for frame in page.at.dataframe if "Answers" in frame.value)
    assert list(table["Input"]) == [found.questions[n].input for n in found.split]
    assert f"{len(found.split)} of {len(found.questions)} questions divide" in page.said
    own = next(c for c, way in enumerate(found.combinations) if way == Combination(WAYS["direct/sum/none"].variant))
    pick(page, "selectbox", "filter", "the study's own is wrong")
    wrong = [found.questions[n].input for n in found.split if not found.right[own, n]]
    table = [frame.value for frame in page.at.dataframe if "Answers" in frame.value]
    assert [list(frame["Input"]) for frame in table] == ([wrong] if wrong else [])


def test_a_pair_is_compared_and_an_item_opens_in_the_playground(page: Page, model: LanguageModel) -> None:
    page.at.session_state["scoring_pair"] = ("direct/sum/none", "channel/even/none")
    view(page, "Items")
    pick(page, "selectbox", "filter", "the pair framed in grey")
    found = scorer_agreement(POOLED, model, questions_of(POOLED, model, "pool", 50, 0), tuple(WAYS.values()))
    keys = [way.key for way in found.combinations]
    a, b = (found.answers[keys.index(key)] for key in ("direct/sum/none", "channel/even/none"))
    apart = [found.questions[n] for n in found.split if a[n] != b[n]]
    assert "McNemar" in page.said
    if not apart:
        return
    table = next(frame.value for frame in page.at.dataframe if "Answers" in frame.value)
    assert list(table["Input"]) == [question.input for question in apart]
    page.at.button(key="scoring_open_item").click()
    page.run()
    assert (page.study.query, page.study.gold) == (apart[0].input, apart[0].gold)


def test_other_questions(page: Page, model: LanguageModel) -> None:
    task = "sentiment (arbitrary)"
    page.at.session_state["scoring_questions_count"] = 10
    view(page, "Items")
    pick(page, "selectbox", "questions_source", task)
    found = scorer_agreement(POOLED, model, questions_of(POOLED, model, task, 10, 0), tuple(WAYS.values()))
    np.testing.assert_allclose(chart(page, "pairs")["data"][0]["z"], equal_share(found.answers), atol=1e-6)


def curves(page: Page) -> list[list[float]]:
    return [list(t["y"]) for t in chart(page, "imbalance_lines_chart")["data"] if t["mode"] == "lines+markers"]


def small(page: Page) -> Page:
    """Imbalance with few questions, so that it is quick."""
    page.at.session_state["scoring_imbalance_questions_count"] = 10
    page.at.session_state["scoring_imbalance_draws"] = 2
    page.at.session_state["scoring_imbalance_lines"] = ["direct/sum/none", "channel/even/none"]
    return view(page, "Imbalance")


def expected(model: LanguageModel, **settings: Any) -> Any:
    ways = [WAYS["direct/sum/none"], WAYS["channel/even/none"]]
    drawn = questions_of(POOLED, model, "sentiment (arbitrary)", drawn_of(10), 0)
    asked = {"majority": "foo", "n": 8, "draws": 2, "seed": 0, **settings}
    rows, questions = shared_out(POOLED.pool, drawn, asked["majority"], 10)
    return imbalance(POOLED, model, rows, questions, ways, **asked)


def test_imbalance(page: Page, model: LanguageModel) -> None:
    small(page)
    found = expected(model)
    accuracy = mean_over_both(np.concatenate([found.right, found.bayes_right]))[0]
    shares = mean_over_both(np.concatenate([found.majority_probability, found.bayes_majority]))[0]
    np.testing.assert_allclose(curves(page), np.concatenate([accuracy, shares]), atol=1e-5)
    bars = chart(page, "imbalance_bars")["data"][0]["x"]
    table = found.query[3]  # 7:1 at first
    answers = [*table.answers, table.bayes, table.bayes_channel]
    np.testing.assert_allclose(bars, [a.probabilities[found.labels.index("foo")] for a in answers if a], atol=1e-5)


def test_every_control_of_imbalance(page: Page, model: LanguageModel) -> None:
    small(page)
    pick(page, "selectbox", "imbalance_majority", "bar")
    pick(page, "number_input", "imbalance_size", 6)
    pick(page, "number_input", "imbalance_seed", 4)
    found = expected(model, majority="bar", n=6, seed=4)
    accuracy = mean_over_both(np.concatenate([found.right, found.bayes_right]), 4)[0]
    np.testing.assert_allclose(curves(page)[: len(accuracy)], accuracy, atol=1e-5)
    pick(page, "multiselect", "imbalance_lines", ["channel/even/none"])
    np.testing.assert_allclose(curves(page)[0], accuracy[1], atol=1e-5)
    pick(page, "multiselect", "imbalance_lines", [])
    assert "Choose at least one way" in page.said


def test_the_slider_moves_the_answer_and_opens_in_the_playground(page: Page, model: LanguageModel) -> None:
    small(page)
    found = expected(model)
    pick(page, "select_slider", "imbalance_ratio", 4)
    table = found.query[4]
    answers = [*table.answers, table.bayes, table.bayes_channel]
    bars = chart(page, "imbalance_bars")["data"][0]["x"]
    np.testing.assert_allclose(bars, [a.probabilities[found.labels.index("foo")] for a in answers if a], atol=1e-5)
    page.at.button(key="scoring_imbalance_open").click()
    page.run()
    assert page.study.demonstrations == found.demonstrations[0][4]
    assert page.study.selection == "hand-picked"
    assert {row.label for row in page.study.demonstrations} == {"foo"}


def test_labels_that_never_recur_offer_studies_where_they_do(start: Start) -> None:
    page = settle(start("pages/scoring.py"))
    small(page)
    assert "Here every answer is another one" in page.said
    page.at.button(key="scoring_imbalance_example_0").click()
    settle(page.run())
    assert len({row.label for row in page.study.demonstrations}) == 2
    assert curves(page)


def test_ways_that_have_no_inputs_say_so(page: Page) -> None:
    settle(page.edit(**dict(SEVEN)))
    page.at.session_state["scoring_imbalance_questions_count"] = 10
    page.at.session_state["scoring_imbalance_lines"] = ["direct/sum/prior"]
    view(page, "Imbalance")
    assert "choose another calibration" in page.said


def test_no_query_and_nothing_to_ask(page: Page) -> None:
    settle(page.edit(query=""))
    for name in ("This query", "Items", "Imbalance"):
        view(page, name)
        assert "There is no query" in page.said
        assert not page.plots
