"""The Posterior page: its views hold the numbers of core, and every control moves what it says."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest

from core import Demonstration, Hypothesis, Outcome, TaskPrior, run
from core.analysis.posterior.duplicate_probe import duplicate_probe
from core.analysis.posterior.order_spread import order_spread
from core.analysis.posterior.records import posterior_records
from core.analysis.posterior.task_mixture import task_mixture
from core.bayes.prior import mixture_prior
from core.files.csv_records import as_csv
from core.models import LanguageModel
from core.posterior.comparing import FLOORS, compare, gains
from core.posterior.residual_probe import layer_beliefs, probe_of
from core.statistics.distributions import entropy
from core.study.question import Question
from tests.pages.conftest import Page, Start
from tests.tiny import folder

PAGE = "pages/posterior.py"


@pytest.fixture
def page(start: Start) -> Page:
    return start(PAGE)


def chart(page: Page, name: str) -> dict:
    return page.plots[f"posterior_{name}"]


def look(page: Page, side: str, view: str) -> Page:
    page.at.session_state[f"posterior_{side}"] = view
    return wait(page.run())


def wait(page: Page) -> Page:
    """Until no job is under way."""
    return page.settle()


def choose(page: Page, key: str, value: object) -> Page:
    page.at.selectbox(key=f"posterior_{key}").set_value(value)
    return wait(page.run())


def outcome_of(page: Page, model: LanguageModel) -> Outcome:
    return run(page.study, model)


def test_the_first_look_shows_every_posterior(page: Page, model: LanguageModel) -> None:
    wait(page)
    outcome = outcome_of(page, model)
    assert not page.at.error
    for trace, posterior in zip(chart(page, "steps")["data"], outcome.posteriors.values(), strict=True):
        place = {task: i for i, task in enumerate(posterior.tasks)}
        for (task, _), weight in zip(trace["customdata"], trace["x"], strict=True):
            if task in place:
                assert weight == pytest.approx(posterior.weights[-1, place[task]], abs=1e-4)
    assert all(plot["alt"] for plot in page.plots.values())


def test_n_steps_through_posteriors_and_mixture(page: Page, model: LanguageModel) -> None:
    page.at.slider(key="posterior_n").set_value(2)
    wait(page.run())
    outcome = outcome_of(page, model)
    (exact, *_) = chart(page, "steps")["data"]
    weights = outcome.posteriors["exact"].weights[2]
    for (task, _), weight in zip(exact["customdata"][:-1], exact["x"], strict=False):
        assert weight == pytest.approx(weights[outcome.posteriors["exact"].tasks.index(task)], abs=1e-4)
    own = chart(page, "mixture")["data"][0]["x"]
    expected = task_mixture(page.study, model, outcome.demonstrations, outcome.answer.labels, outcome.posteriors)
    assert sum(own) == pytest.approx(1, abs=1e-4)
    assert max(own[:-1]) == pytest.approx(expected.own[2, :-1].max(), abs=1e-4)


@pytest.mark.parametrize("kind", ["exact", "implicit", "instruction"])
def test_the_mixture_stacks_what_each_task_adds(page: Page, model: LanguageModel, kind: str) -> None:
    choose(wait(page), "mixture_of", kind)
    outcome = outcome_of(page, model)
    found = task_mixture(page.study, model, outcome.demonstrations, outcome.answer.labels, outcome.posteriors)
    one = found.explanations[kind]
    own, *stacks = chart(page, "mixture")["data"]
    total = sum(np.asarray(trace["x"]) for trace in stacks)
    labels = chart(page, "mixture")["layout"]["yaxis"]["ticktext"]
    assert total[-1] == pytest.approx(one.predictive[-1, -1], abs=0.01)
    named = labels[0].removeprefix("★ ")
    assert total[0] == pytest.approx(one.predictive[-1, found.labels.index(named)], abs=0.01)
    assert own["x"][0] == pytest.approx(found.own[-1, found.labels.index(named)], abs=1e-4)
    assert f"**{one.residual[-1]:.3f}**" in page.said


@pytest.mark.parametrize("kind", ["exact", "implicit", "instruction"])
@pytest.mark.parametrize("against", ["average", "rest"])
def test_who_convinced_it(page: Page, model: LanguageModel, kind: str, against: str) -> None:
    choose(wait(page), "gains_of", kind)
    choose(page, "against", against)
    posterior = outcome_of(page, model).posteriors[kind]
    added = gains(posterior.weights, against, FLOORS[kind])  # type: ignore[arg-type]
    heatmap = chart(page, "gains")["data"][0]
    cells = np.asarray(heatmap["customdata"])[:, :, 0]
    names = [text[0].split("<br>")[0] for text in heatmap["text"]]
    for row, name in zip(cells, names, strict=True):
        np.testing.assert_allclose(row, added[:, posterior.tasks.index(name)], atol=1e-3)


@pytest.mark.parametrize("measure", ["total_variation", "forward", "backward"])
def test_distances(page: Page, model: LanguageModel, measure: str) -> None:
    look(page, "left", "Distance")
    choose(page, "measure", measure)
    pairs = compare(outcome_of(page, model).posteriors)
    assert len(pairs) == 3
    for trace, pair in zip(chart(page, "distance")["data"], pairs, strict=True):
        np.testing.assert_allclose(trace["y"], getattr(pair, measure), atol=1e-4)


def test_entropy_and_evidence(page: Page, model: LanguageModel) -> None:
    posteriors = outcome_of(page, model).posteriors
    look(page, "left", "Entropy")
    for trace, posterior in zip(chart(page, "entropy")["data"], posteriors.values(), strict=True):
        np.testing.assert_allclose(trace["y"], entropy(posterior.weights), atol=1e-4)
    look(page, "left", "Evidence")
    evidence = posteriors["exact"].log_evidence
    assert evidence is not None
    np.testing.assert_allclose(chart(page, "evidence")["data"][0]["y"], evidence, rtol=1e-5)
    choose(page, "evidence_way", "each")
    np.testing.assert_allclose(chart(page, "evidence")["data"][0]["y"][1:], -np.diff(evidence), rtol=1e-4)
    page.edit(posteriors=("implicit",))
    assert "has no evidence" in page.said


def test_path(page: Page) -> None:
    page.at.session_state["posterior_style"] = "Path"
    wait(page.run())
    assert {len(trace["x"]) for trace in chart(page, "steps")["data"]} == {len(page.study.demonstrations) + 1}


def bars(page: Page) -> dict[str, dict[str, Any]]:
    """What the bars of the prior were sent, by task."""
    sent = json.loads(page.charts["posterior_prior_bars"].json)
    return {row["task"]: row for row in sent["rows"]} | {"": {"rest": sent["rest"]}}


def test_bars_show_the_prior_and_the_exact_posterior_follows(page: Page, model: LanguageModel) -> None:
    look(page, "right", "Prior")
    assert model.mixture is not None
    own = dict(zip(model.mixture.families, mixture_prior(model.mixture), strict=True))
    shown = bars(page)
    rest = shown.pop("")["rest"]
    assert sum(row["weight"] for row in shown.values()) + rest == pytest.approx(1)
    assert all(row["weight"] == row["own"] == pytest.approx(own[task]) for task, row in shown.items())
    task = next(iter(shown))
    page.edit(prior=(TaskPrior(task=task, weight=1000 * own[task]),))
    assert bars(page)[task]["weight"] == pytest.approx(1000 * own[task])
    after = outcome_of(page, model)
    page.at.slider(key="posterior_n").set_value(0)
    page.run()
    steps = chart(page, "steps")["data"][0]
    drawn = {task: weight for (task, _), weight in zip(steps["customdata"], steps["x"], strict=True)}
    place = after.posteriors["exact"].tasks.index(task)
    assert drawn[task] == pytest.approx(after.posteriors["exact"].weights[0, place], abs=1e-4)
    assert drawn[task] == pytest.approx(1000 * own[task] / (1 + 999 * own[task]), abs=1e-3)
    page.at.button(key="posterior_prior_own").click()
    page.run()
    assert page.study.prior == ()
    assert bars(page)[task]["weight"] == pytest.approx(own[task])


def test_a_typed_prior(page: Page) -> None:
    look(page, "right", "Prior")
    sheet = page.at.session_state["posterior_prior_table_sheet"]
    key = f"posterior_prior_table_{sheet.generation}"
    order, _ = page.at.session_state[f"{key}_order"]
    page.at.session_state[key] = {"edited_rows": {1: {"yours": 0.5}}, "added_rows": [], "deleted_rows": []}
    page.run()
    assert page.study.prior == (TaskPrior(task=order[1], weight=0.5),)
    assert bars(page)[order[1]]["weight"] == 0.5


@pytest.mark.parametrize(("key", "rest"), [("even", True), ("only", False)])
def test_starting_points_of_the_prior(page: Page, model: LanguageModel, key: str, rest: bool) -> None:
    look(page, "right", "Prior")
    page.at.button(key=f"posterior_prior_{key}").click()
    wait(page.run())
    weights = outcome_of(page, model).posteriors["exact"].weights[0]
    if rest:
        np.testing.assert_allclose(weights, 1 / len(weights))
    else:
        assert 0 < (weights > 0).sum() <= 7
    assert not page.at.error


def test_a_prior_that_rules_everything_out_can_be_taken_back(page: Page, model: LanguageModel) -> None:
    assert model.mixture is not None
    page.edit(prior=tuple(TaskPrior(task=name, weight=0) for name in model.mixture.families))
    assert "rules every task out" in page.said
    page.at.button(key="posterior_prior_back").click()
    wait(page.run())
    assert page.study.prior == ()
    assert not page.at.error


def test_orders(page: Page, model: LanguageModel) -> None:
    page.edit(demonstrations=page.study.demonstrations[3:], hypotheses=())
    look(page, "right", "Orders")
    outcome = outcome_of(page, model)
    found = order_spread(page.study, model, outcome.demonstrations, outcome.answer.labels)
    spec = chart(page, "orders")
    top = np.argsort(-found.answers.max(0), kind="stable")[:5]
    np.testing.assert_allclose(spec["data"][0]["x"], found.answers[:, top[0]], atol=1e-4)
    assert f"All {len(found.orders)} orders" in page.said
    assert page.at.number_input(key="posterior_orders_most").disabled
    gold = found.labels.index(page.study.gold or outcome.answer.best)
    worst = found.orders[int(np.argmin(found.answers[:, gold]))]
    rows = page.study.demonstrations
    page.at.button(key="posterior_orders_worst").click()
    wait(page.run())
    assert page.study.demonstrations == tuple(rows[i] for i in worst)


def test_orders_of_many_are_drawn_with_a_seed(page: Page) -> None:
    look(page, "right", "Orders")
    for key, value in (("most", 6), ("seed", 3)):
        page.at.number_input(key=f"posterior_orders_{key}").set_value(value)
        wait(page.run())
    assert "6 of 6! orders" in page.said
    page.edit(demonstrations=page.study.demonstrations[:1])
    assert "at least two" in page.said


def test_say_it_twice(page: Page, model: LanguageModel) -> None:
    look(page, "right", "Say it twice")
    outcome = outcome_of(page, model)
    for place, which in ((-1, None), (1, 1)):
        choose(page, "twice_which", place)
        found = duplicate_probe(page.study, model, outcome, which)
        data = chart(page, "twice")["data"]
        assert data[0]["x"][0] == pytest.approx(found.before.max(), abs=1e-4)
        assert data[1]["x"][0] == pytest.approx(found.after[np.argmax(found.before)], abs=1e-4)
        assert any(f"**{found.moved:.3f}**" in str(text.value) for text in page.at.markdown)
    choose(page, "twice_kernel", "hidden")
    choose(page, "twice_beside", "weights")
    weights = found.kernels["hidden"]
    np.testing.assert_allclose(chart(page, "twice")["data"][-1]["x"], weights.after, atol=1e-4)
    page.edit(demonstrations=())
    assert "no demonstration to double" in page.said


def test_the_table_holds_every_number(page: Page, model: LanguageModel) -> None:
    outcome = outcome_of(page, model)
    file = as_csv(posterior_records(outcome.posteriors, outcome.demonstrations))
    rows = list(csv.DictReader(io.StringIO(file.decode())))
    assert len(rows) == sum(post.weights.size for post in outcome.posteriors.values())
    exact = outcome.posteriors["exact"]
    for row in rows[:200]:
        assert float(row["weight"]) == pytest.approx(exact.weights[int(row["n"]), exact.tasks.index(row["task"])])
        assert row["low"] == row["high"] == ""
    implicit = outcome.posteriors["implicit"]
    assert implicit.reach is not None
    for row in [row for row in rows if row["posterior"] == "implicit"][-200:]:
        angle = np.arcsin(np.sqrt(float(row["weight"])))
        ends = angle + np.array([-1, 1]) * implicit.reach[int(row["n"])]
        held = np.sin(np.clip(ends, 0, np.pi / 2)) ** 2
        assert [float(row["low"]), float(row["high"])] == pytest.approx(held.tolist())


def test_a_click_marks_the_demonstration_here_and_elsewhere(page: Page) -> None:
    wait(page)
    targets = chart(page, "gains")["data"][-1]
    assert targets["customdata"][1] == [2, 1, 0]
    page.at.session_state["frame_mark"] = 2
    wait(page.run())
    shapes = [s for s in chart(page, "gains")["layout"]["shapes"] if s["type"] == "rect"]
    assert [(s["x0"], s["x1"]) for s in shapes] == [(0.5, 1.5)]


def test_without_demonstrations(page: Page) -> None:
    wait(page.edit(demonstrations=()))
    assert not page.at.error
    assert "nobody is convinced yet" in page.said
    for side, views in (("left", ("Distance", "Entropy", "Evidence")), ("right", ("Prior", "Orders", "Say it twice"))):
        for view in views:
            look(page, side, view)


def test_a_model_without_a_mixture_asks_for_hypotheses(page: Page) -> None:
    from core import ModelChoice, load_model
    from pages.ui.jobs import engine

    choice = ModelChoice(name=str(folder("gpt2")))
    engine.models().put(choice.model_dump_json(), load_model(choice))
    shown = (Demonstration(input="good film", label="positive"), Demonstration(input="bad plot", label="negative"))
    wait(page.edit(model=choice, demonstrations=shown, query="good", gold=None, hypotheses=(), posteriors=("exact",)))
    assert "mixture of tasks is not known" in page.said
    page.at.button(key="posterior_write").click()
    page.run()
    assert page.at.session_state["frame_table"] == "Hypotheses"
    two = (
        Hypothesis(name="feeling", instruction="Name the feeling."),
        Hypothesis(name="animal", instruction="Say it.", words=(("positive", "dog"), ("negative", "bird"))),
    )
    wait(page.edit(hypotheses=two, posteriors=("instruction",)))
    assert len(chart(page, "steps")["data"]) == 1
    look(page, "right", "Prior")
    assert "priors of your hypotheses" in page.said
    look(page, "right", "Orders")
    page.at.button(key="posterior_orders_compute").click()
    wait(page.run())
    assert "All 2 orders" in page.said
    look(page, "right", "Say it twice")
    page.at.button(key="posterior_twice_compute").click()
    wait(page.run())
    assert chart(page, "twice")["data"]


def test_switched_off_posteriors_can_be_switched_on(page: Page) -> None:
    page.edit(posteriors=())
    page.at.button(key="posterior_switch_on").click()
    wait(page.run())
    assert page.study.posteriors == ("exact", "implicit")
    assert chart(page, "steps")["data"]


def test_label_words_are_typed_into_the_hypotheses(page: Page) -> None:
    page.edit(hypotheses=())
    page.front("Hypotheses")
    row = {"name": "animals", "instruction": "Say it.", "words": "foo = dog, bar = bird"}
    page.type_into("hypotheses", added_rows=[row, {"name": "wrong", "instruction": "No.", "words": "foo"}])
    first, second = page.study.hypotheses
    assert first.words == (("foo", "dog"), ("bar", "bird"))
    assert second.words == ()
    assert "names no label and word" in page.said.replace("\\", "")


def test_belief_by_layer_is_the_probes(page: Page, model: LanguageModel) -> None:
    """The card's lines at n, and its own error; exact Bayes at the end of each."""
    if probe_of(model) is None:
        pytest.skip("the checkpoint comes without a probe of its weights")
    page.at.slider(key="posterior_n").set_value(1)
    wait(page.run())
    outcome = outcome_of(page, model)
    beliefs = layer_beliefs(Question.of(page.study, outcome.demonstrations, outcome.answer.labels), model)
    assert beliefs is not None
    *tasks, rest = chart(page, "layers")["data"]
    drawn = np.zeros(model.layers + 2)
    for trace in tasks:
        place = next(i for i, task in enumerate(beliefs.tasks) if trace["name"] in (task, task[:27] + "…"))
        values = np.array([float("nan") if y is None else y for y in trace["y"]])
        np.testing.assert_allclose(values[: model.layers + 1], beliefs.layers[1, :, place], atol=1e-3)
        assert values[-1] == pytest.approx(beliefs.exact[1, place], abs=1e-3)
        drawn += values[[*range(model.layers + 1), -1]]
    np.testing.assert_allclose(drawn + np.array(rest["y"], float)[[*range(model.layers + 1), -1]], 1.0, atol=1e-3)
    assert "own error" in page.said
    assert "as here" in page.said


def test_no_belief_by_layer_without_a_probe_of_these_weights(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.ui.posterior.layers.probe_of", lambda model: None)
    page = wait(start(PAGE))
    assert not any("posterior_layers" in key for key in page.plots)
    assert "own error" not in page.said
