"""Every head of a model of many, on the Kernel page: a map of all, those that lead below it, and a search."""

from __future__ import annotations

import numpy as np
import pytest

from core import ModelChoice, Study, load_model, run
from core.analysis.attention.many_heads import leading, named
from core.analysis.kernel.head_grid import HeadGrid, head_grid
from core.analysis.kernel.weight_table import kernel_table
from core.kernels.variants import variants
from core.study.outcome import Answer
from pages.ui.jobs import engine
from tests.pages.conftest import Page, Start
from tests.pages.kernel.test_kernel import drawn, put
from tests.tiny import REVIEWS, folder_of


def opened(start: Start, layers: int, heads: int) -> tuple[Page, HeadGrid, Answer]:
    path = str(folder_of(layers, heads))
    model, choice = load_model(path), ModelChoice(name=path)
    engine.models().put(choice.model_dump_json(), model)
    study = Study(model=choice, demonstrations=REVIEWS, query="a good house", labels=("positive", "negative"))
    outcome = run(study, model)
    rows = [variant for variant in variants(layers, heads) if variant.kernel == "attention"]
    table = kernel_table(study, model, outcome.demonstrations, rows, [study.query])
    grid = head_grid(table, rows, layers, heads)
    assert grid is not None
    page = start("pages/kernel.py")
    page.study = study
    put(page, kernel_rows="Every head").settle()
    return page, grid, outcome.answer


def rows(page: Page) -> list[str]:
    """Names of the heads below the map, as L12H3; the mean of all stands first."""
    first, *names = drawn(page, "weights")["layout"]["yaxis"]["ticktext"][:-1]  # the last is the model
    assert first == "Attention"
    return ["L" + name.removeprefix("Attention ").replace(".", "H") for name in names]


@pytest.mark.parametrize(("layers", "heads"), [(18, 4), (24, 16), (48, 25)])
def test_a_map_and_the_rows_of_those_that_lead(start: Start, layers: int, heads: int) -> None:
    page, grid, answer = opened(start, layers, heads)
    for score, numbers in (
        ("vote", grid.votes(answer)),
        ("overlap", grid.overlaps(answer)),
        ("weight", grid.weights(len(REVIEWS) - 1)),
    ):
        page.at.selectbox(key="kernel_heads_score").set_value(score)
        page.run().settle()
        spec = drawn(page, "heads_map")
        np.testing.assert_allclose(np.array(spec["data"][0]["z"], dtype=float), numbers, atol=1e-4)
        assert spec["height"] <= 640  # one chart of 3,324 pixels before
        assert (spec["height"] - 52) / layers >= 10  # pixels of a head's row
        assert rows(page) == [named(head) for head in leading(numbers, 16)]
        below = drawn(page, "weights")
        assert below["height"] <= 600
        np.testing.assert_allclose(
            np.asarray(below["data"][0]["customdata"])[1:, :, 0],
            [grid.kernels[head].normalised for head in leading(numbers, 16)],
            atol=1e-4,
        )


def test_heads_are_found_by_name_and_by_a_click(start: Start) -> None:
    page, grid, answer = opened(start, 18, 4)
    box = page.at.text_input(key="kernel_heads_find")
    box.set_value("L12H3")
    assert rows(page.run().settle()) == ["L12H3"]
    page.at.text_input(key="kernel_heads_find").set_value("L5")
    numbers = np.where(np.arange(18)[:, None] == 5, grid.votes(answer), np.nan)
    assert rows(page.run().settle()) == [named(head) for head in leading(numbers, 4)]
    page.at.text_input(key="kernel_heads_find").set_value("L99")
    first = [named(head) for head in leading(grid.votes(answer), 16)]
    assert rows(page.run().settle()) == first
    assert "No head is called" in page.said
    put(page, kernel_heads_find="").settle()
    assert rows(page) == first


def test_few_heads_stay_one_table(start: Start) -> None:
    page = put(start("pages/kernel.py"), kernel_rows="Every head").settle()
    assert "kernel_heads_map" not in page.plots
    assert len(drawn(page, "weights")["data"][0]["z"]) == 13
