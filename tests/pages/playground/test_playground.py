"""The Playground's views show what `run` gives, whatever is chosen, and change with every control."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core import TEMPLATES, Outcome, Study, run
from core.models import LanguageModel
from core.ordering import orderings
from core.scoring import scorers
from core.selection import selections, source_of
from pages.ui.session.examples import examples
from pages.ui.workbench.controls import NORMALISATIONS
from tests.pages.conftest import Page

WITH_POOL = next(example for example in examples() if example.study.pool).study
TWELVE = WITH_POOL.model_copy(update={"k": 3, "probes": 4})


def same(page: Page, model: LanguageModel) -> Outcome:
    """The figures hold the numbers of the study that the session holds."""
    outcome = run(page.study, model)
    answer = page.chart("answer")["data"]
    model_bars = dict(zip(answer[0]["customdata"], answer[0]["x"], strict=True))
    for label, p in zip(outcome.answer.labels, outcome.answer.probabilities, strict=True):
        if label in model_bars:
            assert model_bars[label] == pytest.approx(p, abs=1e-4)
    assert sum(model_bars.values()) == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(
        page.chart("kernels")["data"][0]["z"], [k.normalised for k in outcome.kernels.values()], atol=1e-4
    )
    assert outcome.attention is not None
    pooled = outcome.attention.pooled
    np.testing.assert_allclose(page.chart("attention")["data"][0]["z"], pooled.reshape(-1, pooled.shape[2]), atol=1e-4)
    for trace, posterior in zip(page.chart("posterior")["data"], outcome.posteriors.values(), strict=True):
        place = {task: i for i, task in enumerate(posterior.tasks)}
        for (task, _), weight in zip(trace["customdata"], trace["x"], strict=True):
            if task in place:
                assert weight == pytest.approx(posterior.weights[-1, place[task]], abs=1e-4)
    return outcome


def test_first_look_has_every_view(playground: Page, model: LanguageModel) -> None:
    same(playground, model)
    assert not playground.at.error
    for row in playground.study.demonstrations:
        assert f">{row.input}</span>" in playground.prompt
    assert [name for name in ("answer", "posterior", "kernels", "attention") if not playground.chart(name)["alt"]] == []


@pytest.mark.parametrize("name", selections.names())
def test_every_selection(playground: Page, model: LanguageModel, name: str) -> None:
    playground.edit(**dict(TWELVE)).choose("selection", name).settle()  # one that trains first runs as a job
    outcome = same(playground, model)
    shown = [place + 1 for place in outcome.chosen.indices]
    ticks = playground.chart("kernels")["layout"]["xaxis"]["ticktext"]
    assert [int(tick.removeprefix("<b>").split("<")[0]) for tick in ticks] == shown
    # The table that is read comes to the front, so that numbers on screen belong together.
    assert playground.at.session_state["frame_table"] == source_of(playground.study).capitalize()


@pytest.mark.parametrize("name", orderings.names())
def test_every_ordering(playground: Page, model: LanguageModel, name: str) -> None:
    playground.edit(**dict(TWELVE)).choose("ordering", name)
    same(playground, model)


@pytest.mark.parametrize("name", scorers.names())
def test_every_scorer(playground: Page, model: LanguageModel, name: str) -> None:
    playground.choose("scoring", name)
    same(playground, model)
    assert playground.at.selectbox(key="frame_normalisation").disabled == (name != "direct")


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_every_template(playground: Page, model: LanguageModel, name: str) -> None:
    playground.choose("template", name)
    assert playground.study.template == TEMPLATES[name]
    same(playground, model)


@pytest.mark.parametrize("name", list(NORMALISATIONS))
def test_every_normalisation(playground: Page, name: str) -> None:
    playground.choose("normalisation", name)
    assert playground.study.normalisation == name


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_every_example_set_runs(playground: Page, model: LanguageModel, example) -> None:
    playground.edit(**dict(example.study))
    same(playground, model)
    assert not playground.at.error


def test_example_sets_use_words_that_the_mixture_knows() -> None:
    from core.mixture.mixture import load_mixture

    knows = load_mixture().knows
    for example in examples():
        texts = [row.input for row in example.study.demonstrations] + [example.study.query]
        unknown = [word for text in texts for word in text.split() if word.isalnum() and not knows(word)]
        assert bool(unknown) == (example.name == "Unknown words"), (example.name, unknown)


@pytest.mark.parametrize("family", ["French", "sentiment (flipped)", "addition", "nouns: codebook"])
def test_a_task_of_the_mixture_fills_tables_and_query(playground: Page, model: LanguageModel, family: str) -> None:
    playground.choose("family", family)
    first = playground.study
    assert first.demonstrations
    assert first.query
    assert first.query not in [row.input for row in (*first.demonstrations, *first.pool)]
    same(playground, model)
    playground.press("redraw")
    assert playground.study.demonstrations != first.demonstrations


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [("selection_seed", 7, "selection_seed"), ("ordering_seed", 5, "ordering_seed"), ("k", 2, "k")],
)
def test_numbers_reach_the_study(playground: Page, key: str, value: int, field: str) -> None:
    playground.edit(**{**dict(WITH_POOL), "selection": "random", "ordering": "random"})
    playground.at.number_input(key=f"frame_{key}").set_value(value)
    assert getattr(playground.run().study, field) == value


def test_texts_reach_the_study(playground: Page, model: LanguageModel) -> None:
    at = playground.at
    at.text_input(key="frame_query").set_value("cat")
    at.text_input(key="frame_instruction").set_value("Give the plural.")
    at.text_input(key="frame_gold").set_value("cats")
    at.multiselect(key="frame_labels").set_value(["lion", "chat"])
    study = playground.run().study
    assert (study.query, study.instruction, study.gold) == ("cat", "Give the plural.", "cats")
    assert study.labels == ("lion", "chat")
    same(playground, model)
    assert 'class="instruction"' in playground.prompt


def test_settings_of_kernels_and_posteriors_reach_the_study(playground: Page, model: LanguageModel) -> None:
    at = playground.at
    at.session_state["frame_more"] = True
    playground.run()
    at.number_input(key="frame_hidden_layer").set_value(1)
    at.selectbox(key="frame_similarity").set_value("rbf")
    at.multiselect(key="frame_heads").set_value(["0.1", "1.0"])
    at.toggle(key="frame_chained").set_value(True)
    at.get_by_key("frame_span").set_value("label")
    study = playground.run().study
    assert (study.hidden_layer, study.similarity, study.heads) == (1, "rbf", ((0, 1), (1, 0)))
    assert (study.chained, study.span) == (True, "label")
    same(playground, model)


def test_n_steps_through_the_posterior(playground: Page, model: LanguageModel) -> None:
    playground.at.slider(key="playground_n").set_value(2)
    playground.run()
    posterior = run(playground.study, model).posteriors["exact"]
    trace = playground.chart("posterior")["data"][0]
    for (task, _), weight in zip(trace["customdata"][:-1], trace["x"], strict=False):
        assert weight == pytest.approx(posterior.weights[2, posterior.tasks.index(task)], abs=1e-4)
    # Another number of demonstrations starts from all of them again.
    playground.edit(demonstrations=playground.study.demonstrations[:4])
    assert playground.at.slider(key="playground_n").value == 4


def test_path_shows_every_n(playground: Page) -> None:
    playground.at.session_state["playground_posterior_style"] = "Path"
    playground.run()
    k = len(playground.study.demonstrations)
    assert {len(trace["x"]) for trace in playground.chart("posterior")["data"]} == {k + 1}


def test_one_task_has_one_colour_in_every_panel(playground: Page) -> None:
    colours: dict[str, str] = {}
    for trace in playground.chart("posterior")["data"]:
        for (task, _), colour in zip(trace["customdata"], trace["marker"]["color"], strict=True):
            if "other" not in task:
                assert colours.setdefault(task, colour) == colour
    playground.edit(demonstrations=playground.study.demonstrations[:-1])
    for trace in playground.chart("posterior")["data"]:
        for (task, _), colour in zip(trace["customdata"], trace["marker"]["color"], strict=True):
            assert colours.get(task, colour) == colour


def frames(spec: dict, columns: Sequence[int]) -> bool:
    found = [(s["x0"], s["x1"]) for s in spec["layout"].get("shapes", []) if s["type"] == "rect"]
    return found == [(c - 0.5, c + 0.5) for c in columns]


def test_the_marked_demonstration_stands_out_everywhere(playground: Page) -> None:
    playground.edit(ordering="random", ordering_seed=1)
    playground.at.number_input(key="frame_mark").set_value(3)
    playground.run()
    ticks = playground.chart("kernels")["layout"]["xaxis"]["ticktext"]
    column = [int(tick.removeprefix("<b>").split("<")[0]) for tick in ticks].index(3)
    assert frames(playground.chart("kernels"), [column])
    assert frames(playground.chart("attention"), [column])
    assert playground.prompt.count('class="d marked"') == 1
    playground.press("unmark")
    assert frames(playground.chart("kernels"), [])


def test_heads_and_tokens(playground: Page, model: LanguageModel) -> None:
    at = playground.at
    at.session_state["playground_attention_look"] = "Heads"
    playground.run()
    attention = run(playground.study, model).attention
    assert attention is not None
    np.testing.assert_allclose(playground.chart("heads")["data"][0]["z"], attention.pooled[:, :, -2], atol=1e-4)
    at.session_state["playground_attention_look"] = "Tokens"
    playground.run()
    assert not playground.has_chart("tokens")
    at.selectbox(key="playground_head").set_value((1, 0))
    playground.run()
    attention = run(playground.study, model).attention
    assert attention is not None
    assert attention.map is not None
    np.testing.assert_allclose(playground.chart("tokens")["data"][0]["z"], attention.map, atol=1e-4)
    at.button(key="playground_enlarge").click()
    playground.run()
    assert playground.has_chart("tokens_large")


def test_two_sessions_keep_to_themselves(start) -> None:
    one, two = start(), start()
    one.edit(query="cat")
    two.edit(query="dog")
    assert (one.run().study.query, two.run().study.query) == ("cat", "dog")
    assert one.at.text_input(key="frame_query").value == "cat"


def test_default_study_is_the_first_example(playground: Page) -> None:
    assert playground.study == examples()[0].study != Study()


def test_a_new_query_forgets_the_right_answer_of_the_old_one(playground: Page) -> None:
    playground.at.text_input(key="frame_gold").set_value("cheval").run()
    assert playground.study.gold == "cheval"
    playground.at.text_input(key="frame_query").set_value("dog").run()
    assert playground.study.query == "dog"
    assert playground.study.gold is None
    assert "cheval" not in playground.at.text_input(key="frame_gold").value


@pytest.mark.parametrize(
    ("selection", "field", "value"),
    [("mmr", "mmr_lambda", 0.25), ("vote-k", "neighbours", 3), ("mdl", "organisations", 4), ("dpp", "shortlist", 5)],
)
def test_settings_of_a_selection(playground: Page, selection: str, field: str, value: float) -> None:
    playground.edit(selection=selection, pool=playground.study.demonstrations, k=2)
    playground.at.session_state["frame_more"] = True
    playground.at.run()
    kind = playground.at.slider if field == "mmr_lambda" else playground.at.number_input
    kind(key=f"frame_{field}").set_value(value)
    playground.run()
    assert getattr(playground.study, field) == value
    assert not playground.at.error
