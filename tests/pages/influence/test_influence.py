"""The Influence page: its figures hold what `core.analysis.influence` gives, and every control changes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core import run
from core.analysis.influence import agreement, evidence, flips, influence, moves, question_of, survey
from core.models import LanguageModel
from pages.ui.session.examples import examples
from tests.pages.conftest import Page, Start

REVIEWS = next(example for example in examples() if example.study.pool).study


def settle(page: Page) -> Page:
    """Run until no job is under way."""
    return page.settle()


def chart(page: Page, name: str) -> dict[str, Any]:
    return page.plots[f"influence_{name}"]


def has_chart(page: Page, name: str) -> bool:
    return f"influence_{name}" in page.plots


def pick(page: Page, kind: str, key: str, value: Any) -> Page:
    getattr(page.at, kind)(key=f"influence_{key}").set_value(value)
    return settle(page.run())


def traces(page: Page, name: str, kind: str) -> list[dict[str, Any]]:
    return [trace for trace in chart(page, name)["data"] if trace["type"] == kind]


@pytest.fixture
def page(start: Start) -> Page:
    return settle(start("pages/influence.py"))


def test_the_controls_of_the_frame_arrive_with_the_study(start: Start) -> None:
    """Coming from another page, every widget shows the study at once; a blank one would be typed into."""
    page = start("pages/influence.py")
    assert page.at.text_input(key="frame_query").value == page.study.query
    assert page.at.number_input(key="frame_k").value == page.study.k
    page.at.switch_page("pages/playground.py").run()
    assert page.at.text_input(key="frame_gold").value == page.study.gold


def test_first_look(page: Page, model: LanguageModel) -> None:
    outcome = run(page.study, model)
    asked = question_of(outcome)
    found = influence(asked, model)
    assert found.bayes is not None
    assert found.model.shapley is not None
    bars = [trace["x"] for trace in traces(page, "bars", "bar")]
    expected = [found.model.leave_one_out, found.bayes.leave_one_out]
    expected += [removal.shapley.values for removal in (found.model, found.bayes) if removal.shapley is not None]
    np.testing.assert_allclose(bars, expected, atol=1e-4)
    (cells,) = traces(page, "flips_cells", "heatmap")
    np.testing.assert_allclose(cells["z"], flips(asked, model).effects, atol=1e-4)
    lines = {trace["name"]: trace["y"] for trace in chart(page, "moves_lines")["data"]}
    for i, effects in enumerate(moves(asked, model).effects):
        np.testing.assert_allclose(lines[str(i + 1)], effects, atol=1e-4)
    assert "residual" in page.said
    assert f"Σφ = {found.model.shapley.values.sum():+.3f}".replace("-", "−") in page.said
    table = next(frame.value for frame in page.at.dataframe if "Shapley" in frame.value)
    np.testing.assert_allclose(table["Shapley"], found.model.shapley.values, atol=1e-4)
    assert all(plot["alt"] for plot in page.plots.values())
    assert not page.at.error


def test_correlations_are_those_of_this_query(page: Page, model: LanguageModel) -> None:
    outcome = run(page.study, model)
    one = evidence(influence(question_of(outcome), model), model)
    over = agreement([one], measure="shapley", compared="plain")  # no demonstration carries the answer
    (_, dots) = chart(page, "correlations")["data"]
    shown = np.array([np.nan if v is None else v for v in dots["x"]], dtype=float)
    np.testing.assert_allclose(shown, over.by_query[0], atol=1e-5)
    assert over.heads is not None
    (cells,) = traces(page, "heads", "heatmap")
    np.testing.assert_allclose(cells["z"], over.heads.over.mean, atol=1e-5)


@pytest.mark.parametrize(
    ("key", "value", "settings"),
    [
        ("measure", "leave-one-out", {"measure": "leave-one-out", "compared": "plain"}),
        ("compared", "size", {"measure": "shapley", "compared": "size"}),
        ("compared", "signed", {"measure": "shapley", "compared": "signed"}),
        ("method", "kendall", {"measure": "shapley", "compared": "plain", "method": "kendall"}),
    ],
)
def test_what_is_correlated(page: Page, model: LanguageModel, key: str, value: str, settings: dict[str, Any]) -> None:
    pick(page, "segmented_control", key, value)
    one = evidence(influence(question_of(run(page.study, model)), model), model)
    over = agreement([one], **settings)
    (_, dots) = chart(page, "correlations")["data"]
    assert [row[0] for row in dots["customdata"]] == list(over.names)
    shown = np.array([np.nan if v is None else v for v in dots["x"]], dtype=float)
    np.testing.assert_allclose(shown, over.by_query[0], atol=1e-5)


def test_other_readings_of_attention(page: Page, model: LanguageModel) -> None:
    before = traces(page, "heads", "heatmap")[0]["z"]
    pick(page, "selectbox", "reading", ("label", "sum"))
    one = evidence(influence(question_of(run(page.study, model)), model), model)
    over = agreement([one], measure="shapley", compared="plain", reading=("label", "sum"))
    assert over.heads is not None
    after = traces(page, "heads", "heatmap")[0]["z"]
    np.testing.assert_allclose(after, over.heads.over.mean, atol=1e-5)
    assert not np.allclose(before, after)


@pytest.mark.parametrize("quantity", ["probability", "log-probability", "score"])
def test_every_value(page: Page, model: LanguageModel, quantity: Any) -> None:
    pick(page, "selectbox", "quantity", quantity)
    found = influence(question_of(run(page.study, model), None, quantity), model)
    np.testing.assert_allclose(traces(page, "bars", "bar")[0]["x"], found.model.leave_one_out, atol=1e-4)


def test_every_kind_of_label(page: Page, model: LanguageModel) -> None:
    outcome = run(page.study, model)
    other = next(label for label in outcome.answer.labels if label != outcome.answer.best)
    for value, label in (("gold", page.study.gold), (f"label:{other}", other)):
        pick(page, "selectbox", "target", value)
        found = influence(question_of(outcome, label), model)
        np.testing.assert_allclose(traces(page, "bars", "bar")[0]["x"], found.model.leave_one_out, atol=1e-4)
    page.edit(query="dog", gold=None, labels=("chien", "dog"))  # the label chosen is no candidate any more
    assert page.at.selectbox(key="influence_target").value == "answer"


def test_sampled_shapley_values_come_with_errors(page: Page, model: LanguageModel) -> None:
    assert page.at.number_input(key="influence_seed").disabled
    pick(page, "selectbox", "shapley", "32")
    found = influence(question_of(run(page.study, model)), model, permutations=32)
    assert found.model.shapley is not None
    bar = traces(page, "bars", "bar")[2]
    np.testing.assert_allclose(bar["x"], found.model.shapley.values, atol=1e-4)
    np.testing.assert_allclose(bar["error_x"]["array"], found.model.shapley.errors, atol=1e-4)
    pick(page, "number_input", "seed", 5)
    other = influence(question_of(run(page.study, model)), model, permutations=32, seed=5)
    assert other.model.shapley is not None
    np.testing.assert_allclose(traces(page, "bars", "bar")[2]["x"], other.model.shapley.values, atol=1e-4)


def test_more_than_ten_demonstrations_are_sampled(page: Page) -> None:
    rows = tuple(row.model_copy(update={"input": f"{row.input}{i}"}) for i in range(2) for row in REVIEWS.pool[:6])
    settle(page.edit(demonstrations=rows, labels=("foo", "bar")))
    assert page.at.selectbox(key="influence_shapley").value == "64"
    assert len(traces(page, "bars", "bar")[0]["x"]) == 12


def test_a_marked_demonstration_is_framed_in_every_view(page: Page) -> None:
    page.at.session_state["frame_mark"] = 2
    page.run()
    assert len(chart(page, "bars")["layout"]["shapes"]) == 2
    (frame,) = chart(page, "flips_cells")["layout"]["shapes"]
    assert (frame["y0"], frame["y1"]) == (0.5, 1.5)
    thick = [trace["name"] for trace in chart(page, "moves_lines")["data"] if trace["line"]["width"] > 2]
    assert thick == ["2"]
    colours = chart(page, "points")["data"][0]["marker"]["color"]
    assert [i for i, colour in enumerate(colours) if colour != colours[0]] == [1]


def test_what_was_picked_is_drawn_beside(page: Page, model: LanguageModel) -> None:
    one = evidence(influence(question_of(run(page.study, model)), model), model)
    for picked, weights in (
        ("prediction", one.explanations.weights[one.explanations.names.index("prediction")]),
        ((1, 0), one.explanations.heads["demonstration", "max"][1, 0]),
    ):
        page.at.session_state["influence_chosen"] = picked
        page.run()
        (points,) = chart(page, "points")["data"]
        np.testing.assert_allclose(points["x"], weights, rtol=1e-3, atol=1e-6)


def test_many_queries_are_asked_when_wanted(page: Page, model: LanguageModel) -> None:
    settle(page.edit(**dict(REVIEWS)))
    pick(page, "segmented_control", "scope", "Many queries")
    assert not has_chart(page, "correlations")
    assert "16 prompts each" in page.said
    pick(page, "selectbox", "count", 10)
    page.at.button(key="influence_survey_compute").click()
    settle(page.run())
    found = survey(run(page.study, model).study, model, 10, shapley=True)
    over = agreement(found.evidence, measure="shapley")
    (_, dots) = chart(page, "correlations")["data"]
    shown = np.array([np.nan if v is None else v for v in dots["x"]], dtype=float)
    np.testing.assert_allclose(shown, over.over.mean, atol=1e-4)
    assert "10 queries from the pool" in page.said
    assert "measured on the other" in page.said
    by_query = next(frame.value for frame in page.at.dataframe if "Query" in frame.value)
    assert by_query["Query"].tolist() == list(over.queries)


def test_nothing_shown(page: Page) -> None:
    page.edit(demonstrations=())
    assert "none is shown" in page.said
    assert not has_chart(page, "bars")
    settle(page.edit(demonstrations=REVIEWS.demonstrations[:1] or REVIEWS.pool[:1], labels=("foo", "bar")))
    assert has_chart(page, "bars")
    assert "at least three" in page.said


def test_one_candidate(page: Page) -> None:
    page.edit(labels=("cheval",))
    assert "one candidate label" in page.said
    assert not has_chart(page, "bars")


def test_a_study_that_cannot_run(page: Page) -> None:
    page.edit(query="  ")
    assert "no query" in page.said
    assert not has_chart(page, "bars")


def test_a_prompt_too_long_for_another_label(page: Page, model: LanguageModel) -> None:
    """Flipping to a long label may not fit where the study itself does: that view says so, the others stay."""
    long = " ".join(["dog"] * (model.context_length * 6 // 10))
    settle(page.edit(demonstrations=page.study.demonstrations[:2], labels=("cheval", long)))
    assert run(page.study, model).answer.labels[1] == long
    assert "tokens and this model reads" in page.said
    assert not has_chart(page, "flips_cells")
    assert has_chart(page, "bars")
    assert has_chart(page, "moves_lines")


def test_files(page: Page) -> None:
    names = {button.proto.label for button in page.at.get("download_button")}
    assert {"Influence CSV", "Flips CSV", "Moves CSV", "CSV"} <= names
