"""The Attention page: every view shows what core computes, every control changes what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import Study, load_model, run
from core.attention import between, group, token_map, tokens_of
from core.attention.head_roles import head_roles, label_attending
from core.attention.rollout import rollout_between, rollout_map
from core.models import LanguageModel
from core.study.demonstrations import Demonstration
from core.study.study import ModelChoice
from pages.ui.jobs import engine
from tests.models.checkpoints import ARCHITECTURES, write_tiny
from tests.pages.conftest import Page
from tests.tiny import folder

PAGE = "pages/attention.py"
CHARTS = ("atlas", "between", "tokens", "roles")
MANY = tuple(Demonstration(input="cat dog " * 20, label="chat") for _ in range(11))


@pytest.fixture
def page(start: Callable[..., Page]) -> Page:
    return settled(start(PAGE))


def settled(page: Page) -> Page:
    """No job is under way: analyses may take longer than a page waits."""
    return page.settle()


def has(page: Page, name: str) -> bool:
    return f"attention_{name}" in page.plots


def heatmap(page: Page, name: str, number: int = 0) -> dict[str, Any]:
    """A heatmap of a chart as it was sent."""
    spec = page.plots[f"attention_{name}"]
    heat: dict[str, Any] = [trace for trace in spec["data"] if trace["type"] == "heatmap"][number]
    return heat | {"layout": spec["layout"]}


def choose(page: Page, key: str, value: Any) -> Page:
    page.at.selectbox(key=f"attention_{key}").set_value(value)
    return settled(page.run())


def pick(page: Page, key: str, *values: Any) -> Page:
    page.at.multiselect(key=f"attention_{key}").set_value(list(values))
    return settled(page.run())


def segment(page: Page, key: str, value: str) -> Page:
    (found,) = [group for group in page.at.button_group if group.key == f"attention_{key}"]
    found.set_value(value)
    return settled(page.run())


def whole(model: LanguageModel, page: Page) -> tuple[str, Any]:
    """The prompt and its tokens."""
    prompt = run(page.study, model).prompt
    return prompt.text, tokens_of(prompt, model.encode(prompt.text))


def same(drawn: dict[str, Any], expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(drawn["z"], dtype=float), expected, atol=1e-5)


def test_every_view_is_what_core_computes(page: Page, model: LanguageModel) -> None:
    outcome = run(page.study, model)
    text, known = whole(model, page)
    parts = group(known)
    found = between(model, text, parts, parts)
    same(heatmap(page, "between"), found.mean(()))
    last = len(found.columns) - 2  # the last demonstration; behind it the query
    same(heatmap(page, "atlas"), found.weights[:, :, -1, last])
    assert outcome.attention is not None
    same(heatmap(page, "atlas"), outcome.attention.pooled[:, :, -2])
    every = range(len(known))
    same(heatmap(page, "tokens"), token_map(model, text, every, every).weights)
    roles = head_roles(model)
    scores = [roles.previous, roles.second_previous, roles.induction, roles.copying]
    for number, expected in enumerate([*scores, label_attending(model, outcome.prompt).share]):
        same(heatmap(page, "roles", number), expected)


def test_hover_names_both_tokens_and_the_weight(page: Page, model: LanguageModel) -> None:
    drawn = heatmap(page, "tokens")
    assert drawn["hovertemplate"].startswith("from %{y}<br>to %{x}<br><b>weight %{z:.4f}</b>")
    _, known = whole(model, page)
    assert len(drawn["layout"]["xaxis"]["categoryarray"]) == len(known)
    assert drawn["layout"]["yaxis"]["categoryarray"][1] == f"1 {known.texts[1]}"


def test_heads_and_layers(page: Page, model: LanguageModel) -> None:
    text, known = whole(model, page)
    every, parts = range(len(known)), group(known)
    pick(page, "layers", 1, 3)
    pick(page, "heads", 2)
    heads = [(1, 2), (3, 2)]
    same(heatmap(page, "tokens"), token_map(model, text, every, every, heads=heads).weights)
    same(heatmap(page, "between"), between(model, text, parts, parts).mean(heads))
    assert "mean of 2 heads" in page.said
    pick(page, "layers", 0)
    assert "layer 0, head 2" in page.said
    same(heatmap(page, "tokens"), token_map(model, text, every, every, heads=[(0, 2)]).weights)


def test_groupings_and_kinds(page: Page, model: LanguageModel) -> None:
    text, known = whole(model, page)
    for grouping in ("kinds", "both", "demonstrations"):
        segment(page, "grouping", grouping)
        parts = group(known, grouping)  # type: ignore[arg-type]
        same(heatmap(page, "between"), between(model, text, parts, parts).mean(()))
    pick(page, "to_kinds", "label")
    pick(page, "from_kinds", "query", "answer-prefix")
    rows, columns = group(known, kinds=["query", "answer-prefix"]), group(known, kinds=["label"])
    same(heatmap(page, "between"), between(model, text, rows, columns).mean(()))
    masks = [np.flatnonzero(known.of_kinds(kinds)) for kinds in (["query", "answer-prefix"], ["label"])]
    same(heatmap(page, "tokens"), token_map(model, text, *(mask.tolist() for mask in masks)).weights)


def test_no_token_of_the_kind_is_a_sentence(page: Page) -> None:
    page.at.multiselect(key="attention_to_kinds").set_value(["instruction"])
    page.run()
    for _ in range(50):
        if "of the kinds chosen" in page.said:
            break
        time.sleep(0.1)
        page.run()
    assert "of the kinds chosen" in page.said
    assert not has(page, "tokens")
    page.at.multiselect(key="attention_to_kinds").set_value([])
    settled(page.run())
    assert has(page, "tokens")


def test_rollout(page: Page, model: LanguageModel) -> None:
    text, known = whole(model, page)
    every, parts = range(len(known)), group(known)
    segment(page, "measure", "Rollout")
    same(heatmap(page, "tokens"), rollout_map(model, text, every, every).weights)
    same(heatmap(page, "between"), rollout_between(model, text, parts, parts).mean(()))
    choose(page, "top", 1)
    same(heatmap(page, "tokens"), rollout_map(model, text, every, every, top=1).weights)
    assert "rollout through layers 0 to 1" in page.said
    assert not any(box.key == "attention_layers" for box in page.at.multiselect), "rollout takes all heads"
    segment(page, "measure", "Attention")
    same(heatmap(page, "tokens"), token_map(model, text, every, every).weights)


def test_parts_of_the_map_of_heads(page: Page, model: LanguageModel) -> None:
    text, known = whole(model, page)
    parts = group(known)
    found = between(model, text, parts, parts)
    choose(page, "from_part", "query")
    choose(page, "to_part", "2")
    same(heatmap(page, "atlas"), found.weights[:, :, found.rows.index("query"), found.columns.index("2")])


def test_a_stretch_of_tokens(page: Page, model: LanguageModel) -> None:
    text, known = whole(model, page)
    choose(page, "from", "query")
    choose(page, "to", 2)
    rows, columns = (np.flatnonzero(m).tolist() for m in (known.after_demonstrations(), known.in_demonstration(2)))
    same(heatmap(page, "tokens"), token_map(model, text, rows, columns).weights)
    choose(page, "from", "range of tokens")
    page.at.slider(key="attention_from_range").set_value((3, 7))
    settled(page.run())
    same(heatmap(page, "tokens"), token_map(model, text, range(3, 8), columns).weights)


def test_the_marked_demonstration_is_framed_and_followed(page: Page, model: LanguageModel) -> None:
    page.at.session_state["frame_mark"] = 3
    settled(page.run())
    for name in ("between", "tokens"):
        colours = [shape["line"]["color"] for shape in heatmap(page, name)["layout"]["shapes"]]
        assert "#E11D74" in colours, name
    outcome = run(page.study, model)
    assert outcome.attention is not None
    same(heatmap(page, "atlas"), outcome.attention.pooled[:, :, 2])
    assert page.at.selectbox(key="attention_to_part").value == "3"


def test_planted_heads_are_said_to_be(page: Page) -> None:
    assert "Planted before training" in page.said
    shapes = heatmap(page, "roles")["layout"]["shapes"]
    dotted = {(shape["x0"] + 0.46, shape["y0"] + 0.46) for shape in shapes if shape["line"]["dash"] == "dot"}
    assert dotted == {(0, 0), (1, 0)}


def test_letters_follow_the_threshold(page: Page, model: LanguageModel) -> None:
    def letters() -> str:
        texts = [t.get("text", []) for t in page.plots["attention_atlas"]["data"] if t.get("mode") == "text"]
        return "".join(texts[-1])

    page.at.slider(key="attention_mark_from").set_value(1.0)
    settled(page.run())
    assert letters() == ""
    page.at.slider(key="attention_mark_from").set_value(0.1)
    settled(page.run())
    assert "P" in letters()


def test_what_was_chosen_survives_another_page(page: Page) -> None:
    pick(page, "layers", 2)
    segment(page, "grouping", "kinds")
    page.at.switch_page("pages/model_card.py").run()
    page.at.switch_page(PAGE).run()
    settled(page.check())
    assert page.at.multiselect(key="attention_layers").value == [2]
    assert page.at.session_state["attention_grouping"] == "kinds"


def test_no_demonstrations_and_no_query(page: Page) -> None:
    page.edit(demonstrations=())
    settled(page)
    assert has(page, "between")
    page.edit(query="")
    assert "no query" in page.said
    assert not any(has(page, name) for name in CHARTS)


def test_512_tokens_are_drawn_one_by_one(page: Page, model: LanguageModel) -> None:
    page.edit(demonstrations=MANY, query="cat dog")
    settled(page)
    _, known = whole(model, page)
    assert 470 <= len(known) <= 512
    drawn = heatmap(page, "tokens")
    assert np.asarray(drawn["z"]).shape == (len(known), len(known))
    assert "token by token" in page.said


def visit(page: Page, name: str, model: LanguageModel, **changes: Any) -> None:
    """A study on a model that this server has in memory."""
    choice = ModelChoice(name=name)
    engine.models().put(choice.model_dump_json(), model)
    page.edit(model=choice, **changes)


def test_eight_thousand_tokens(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, settings = ARCHITECTURES["llama"]
    monkeypatch.setitem(ARCHITECTURES, "long", (kind, {**settings, "max_position_embeddings": 8_192}))
    path = write_tiny("long", tmp_path / "long")
    long = load_model(str(path))
    rows = tuple(Demonstration(input=f"the film was {i} " * 66, label="good") for i in range(20))
    visit(page, str(path), long, demonstrations=rows, query="the plot", labels=("good", "bad"))
    settled(page)
    text, known = whole(long, page)
    assert 7_000 < len(known) <= 8_192
    blocks = np.asarray(heatmap(page, "tokens")["z"])
    assert max(blocks.shape) <= 512
    np.testing.assert_allclose(blocks.sum(1), 1.0, atol=1e-3)
    assert "in blocks of" in page.said
    choose(page, "from", "query")
    choose(page, "to", 19)
    rows_of, columns = (np.flatnonzero(m).tolist() for m in (known.after_demonstrations(), known.in_demonstration(19)))
    assert len(columns) <= 512
    same(heatmap(page, "tokens"), token_map(long, text, rows_of, columns).weights)


def test_another_model_with_fewer_heads_and_one_without_attention(page: Page, tmp_path: Path) -> None:
    pick(page, "layers", 3)
    visit(page, str(folder("gpt2")), load_model(str(folder("gpt2"))), labels=("a", "b"))
    settled(page)
    assert page.at.multiselect(key="attention_layers").value == []  # it has layers 0 to 2
    assert "Planted" not in page.said
    path = write_tiny("falcon_alibi", tmp_path / "falcon")
    visit(page, str(path), load_model(str(path)), labels=("a", "b"))
    for _ in range(100):
        if "gives no attention weights" in page.said:
            break
        time.sleep(0.1)
        page.run()
    assert "gives no attention weights" in page.said
    assert not any(has(page, name) for name in CHARTS)


def test_copying_that_cannot_be_scored_is_said(page: Page, tmp_path: Path) -> None:
    path = write_tiny("bloom", tmp_path / "bloom")
    visit(page, str(path), load_model(str(path)), labels=("a", "b"))
    settled(page)
    assert "Copying is not scored" in page.said


def test_a_study_on_the_page_is_a_study(page: Page) -> None:
    assert isinstance(page.study, Study)
    assert "study" not in page.at.query_params
