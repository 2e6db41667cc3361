"""The Playground on models of many heads: rows that can be seen, chosen by layer or by score, each what core gives."""

from __future__ import annotations

import numpy as np
import pytest

from core import ModelChoice, Outcome, Study, load_model, run
from core.analysis.attention.many_heads import leading, named, vote
from core.models import LanguageModel
from pages.ui.jobs import engine
from tests.pages.conftest import Page, Start
from tests.tiny import REVIEWS, folder_of

SHAPES = ((18, 4), (24, 16), (48, 25))
LEAST = 4  # pixels of a row on the smallest screen
PLOT = 270 - 49 - 32  # of the chart there, beside the choice of rows and the names of columns


def opened(start: Start, layers: int, heads: int) -> tuple[Page, LanguageModel, Outcome]:
    """The Playground on a random model of that shape, and what `run` gives of the study."""
    path = str(folder_of(layers, heads))
    model, choice = load_model(path), ModelChoice(name=path)
    engine.models().put(choice.model_dump_json(), model)
    study = Study(model=choice, demonstrations=REVIEWS, query="a good house", labels=("positive", "negative"))
    page = start()
    page.study = study
    return page.run().settle(), model, run(study, model)


def rows(page: Page) -> np.ndarray:
    return np.array(page.chart("attention")["data"][0]["z"], dtype=float)


def names(page: Page) -> list[str]:
    return [row[0].split(" ")[0] for row in page.chart("attention")["data"][0]["customdata"]]


def choose(page: Page, chosen: str | int) -> Page:
    page.at.selectbox(key="playground_rows").set_value(chosen)
    return page.run()


@pytest.mark.parametrize(("layers", "heads"), SHAPES)
def test_rows_of_many_heads(start: Start, layers: int, heads: int) -> None:
    page, _, outcome = opened(start, layers, heads)
    assert outcome.attention is not None
    pooled, labels = outcome.attention.pooled, [row.label for row in REVIEWS]

    means = rows(page)  # first the mean of each layer, or of neighbours where layers are many
    size = -(-layers // len(means))
    assert len(means) == -(-layers // size)
    for row, mean in enumerate(means):
        np.testing.assert_allclose(mean, pooled[row * size : (row + 1) * size].mean((0, 1)), atol=1e-4)
    assert PLOT / len(means) >= LEAST

    shown = [outcome.attention.spans.index(str(i + 1)) for i in range(len(REVIEWS))]
    scores = {
        "demonstrations": pooled[:, :, shown].sum(-1),
        "marked": pooled[:, :, shown[-1]],
        "answer": vote(outcome.attention.maxima, labels, outcome.answer.best),
    }
    for chosen, score in scores.items():
        choose(page, chosen)
        first = leading(score, 12)
        assert names(page) == [named(head) for head in first]
        np.testing.assert_allclose(rows(page), [pooled[head] for head in first], atol=1e-4)
        assert PLOT / len(first) >= 12  # room for every name

    choose(page, layers - 1)
    np.testing.assert_allclose(rows(page), pooled[-1], atol=1e-4)
    assert names(page) == [f"L{layers - 1}H{head}" for head in range(heads)]
    assert PLOT / heads >= LEAST


def test_the_marked_demonstration_is_the_one_that_heads_look_at(start: Start) -> None:
    page, _, outcome = opened(start, 18, 4)
    assert outcome.attention is not None
    page.at.session_state["frame_mark"] = 2
    choose(page.run(), "marked")
    score = outcome.attention.pooled[:, :, outcome.attention.spans.index("2")]
    assert names(page) == [named(head) for head in leading(score, 12)]
    assert "demonstration 2" in page.chart("attention")["alt"]


def test_another_model_has_other_rows(start: Start) -> None:
    """A layer that the next model lacks is not asked for, and a model of few heads has every head."""
    page, _, _ = opened(start, 24, 16)
    choose(page, 20)
    page.edit(model=ModelChoice(name="embedded"))
    assert len(rows(page)) == 12
    assert not [box for box in page.at.selectbox if box.key == "playground_rows"]
    page, model, _ = opened(start, 18, 4)
    assert len(rows(page)) == model.layers


def test_without_demonstrations_there_are_layers_alone(start: Start) -> None:
    page, _, _ = opened(start, 18, 4)
    page.edit(demonstrations=())
    (box,) = [box for box in page.at.selectbox if box.key == "playground_rows"]
    assert len(box.options) == 1 + 18
    choose(page, 3)
    assert len(rows(page)) == 4
