"""The table of every head on the Attention page: all of a model of many, sorted by any score, found by name."""

from __future__ import annotations

import numpy as np
import pytest

from core import ModelChoice, Study, load_model, run
from core.analysis.attention.many_heads import leading, named, vote
from core.attention.head_roles import head_roles
from pages.ui.jobs import engine
from tests.pages.conftest import Page, Start
from tests.tiny import REVIEWS, folder_of


def table(page: Page) -> dict[str, list[float]]:
    (found,) = [frame for frame in page.at.dataframe if "roles" in frame.value.columns]
    return {name: found.value[name].tolist() for name in found.value.columns}


def sort(page: Page, by: str) -> Page:
    page.at.selectbox(key="attention_heads_by").set_value(by)
    return page.run().settle()


@pytest.mark.parametrize(("layers", "heads"), [(18, 4), (24, 16)])
def test_every_head_is_a_row_and_any_score_sorts(start: Start, layers: int, heads: int) -> None:
    path = str(folder_of(layers, heads))
    model, choice = load_model(path), ModelChoice(name=path)
    engine.models().put(choice.model_dump_json(), model)
    study = Study(model=choice, demonstrations=REVIEWS, query="a good house", labels=("positive", "negative"))
    attention = run(study, model).attention
    assert attention is not None
    page = start("pages/attention.py")
    page.study = study
    page.run().settle()
    roles = head_roles(model)
    shown = [attention.spans.index(str(i + 1)) for i in range(len(REVIEWS))]
    expected = {
        "vote": vote(attention.maxima, [row.label for row in REVIEWS], run(study, model).answer.best),
        "demonstrations": attention.pooled[:, :, shown].sum(-1),
        f"demonstration {len(REVIEWS)}": attention.pooled[:, :, shown[-1]],
        "previous token": roles.previous,
        "induction": roles.induction,
    }
    for name, scores in expected.items():
        rows = table(sort(page, name))
        order = leading(scores, layers * heads)
        assert rows["head"] == [named(head) for head in order]
        np.testing.assert_allclose(rows[name], [scores[head] for head in order], atol=1e-4)

    for text, count in (("L12H3", 1), ("L5", heads), ("H0", layers)):
        page.at.text_input(key="attention_heads_find").set_value(text)
        assert len(table(page.run().settle())["head"]) == count
    page.at.text_input(key="attention_heads_find").set_value("L99H0")
    assert "No head is called" in page.run().settle().said


def test_without_demonstrations_the_query_is_looked_at(start: Start) -> None:
    page = start("pages/attention.py").edit(demonstrations=()).settle()
    assert "query" in table(page)
    assert "vote" not in table(page)
