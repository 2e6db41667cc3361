"""Figures of a difference: numbers arrive unchanged, what is lacking is never a zero, zero is in the middle."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.colours import CHANGE, LESS, MARK
from core.figures.compare.cells import Column, heads_difference_figure, weights_difference_figure
from core.figures.compare.difference import Series, sides_figure
from core.runtime.numbers import cell, signed_cell
from tests.figures.test_figures import read

NAN = np.nan
COLUMNS = [
    Column(1, 2, "a", "a", "cat"),
    Column(3, None, "b", "", "<b>dog"),
    Column(None, 1, "", "c", "sun"),
    Column(None, None, "the query", "another", "query", name="query"),
]


def bars(**settings: Any) -> dict[str, Any]:
    model = Series("model", np.array([0.7, 0.3, NAN]), np.array([0.2, NAN, 0.8]))
    bayes = Series("exact Bayes", np.array([1.0, 0.0, NAN]), np.array([0.5, NAN, 0.5]), "#888888", hatched=True)
    return read(sides_figure(["yes", "<i>no", "maybe"], [model, bayes], "yes", ("1", "2", "3"), **settings))


def weights(marked: int | None = None) -> dict[str, Any]:
    a = np.array([[0.5, 0.5, NAN, 0.1], [0.1, 0.9, NAN, NAN]])
    b = np.array([[0.25, NAN, 0.75, 0.1], [0.4, NAN, 0.6, NAN]])
    return read(weights_difference_figure(["attention", "exact"], a, b, COLUMNS, [("a", "b"), (None, "c")], marked))


def heads(marked: int | None = None) -> dict[str, Any]:
    a = np.arange(16, dtype=float).reshape(2, 2, 4) / 16
    b = a[::-1].copy()
    b[..., 1] = NAN
    return read(heads_difference_figure(a, b, COLUMNS, marked))


@pytest.mark.parametrize("spec", [bars(), weights(), heads()], ids=["bars", "weights", "heads"])
def test_plotly_accepts_it_and_text_is_escaped(spec: dict[str, Any]) -> None:
    go.Figure(spec["data"], spec["layout"])
    assert "<i>no" not in str(spec)
    assert "<b>dog" not in str(spec)


def test_bars_hold_the_numbers() -> None:
    traces = {trace["name"]: trace for trace in bars()["data"]}
    assert list(traces) == [f"{name}, {side}" for name in ("model", "exact Bayes") for side in ("A", "B", "B − A")]
    order = bars()["layout"]["yaxis"]["ticktext"]
    assert order[0] == "★ yes"
    np.testing.assert_allclose(traces["model, A"]["x"], [0.7, 0, 0.3], atol=1e-6)  # yes, maybe, no
    assert traces["model, A"]["text"] == [".70", "–", ".30"]
    assert traces["model, B − A"]["text"] == ["−.50", "–", "–"]
    assert traces["model, B − A"]["marker"]["color"][0] == LESS
    assert "is not known" in traces["model, B"]["customdata"][2]
    assert traces["exact Bayes, B − A"]["marker"]["pattern"]["shape"] == "/"
    low, high = bars()["layout"]["xaxis3"]["range"]
    assert low == -high  # zero in the middle
    assert high > 0.5


def test_more_names_than_rows_are_summed_up() -> None:
    values = np.array([0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
    spec = read(sides_figure(list("abcdef"), [Series("model", values, values[::-1].copy())], most=3))
    assert spec["layout"]["yaxis"]["ticktext"][-1] == "4 others"
    for trace in spec["data"][:2]:
        assert sum(trace["x"]) == pytest.approx(1)
    assert sum(spec["data"][2]["x"]) == pytest.approx(0, abs=1e-6)


def test_small_changes_do_not_shine() -> None:
    values = np.array([0.5, 0.5])
    spec = read(sides_figure(["a", "b"], [Series("model", values, values + np.array([0.001, -0.001]))]))
    assert spec["layout"]["xaxis3"]["range"][1] >= 0.05
    assert spec["data"][2]["text"] == [".00", ".00"]
    cells = read(weights_difference_figure(["k"], values[None], values[None] + 0.001, COLUMNS[:2]))
    assert cells["data"][1]["zmax"] >= 0.05


def test_cells_hold_a_b_and_the_change() -> None:
    spec = weights()
    sides, change = (np.array(trace["z"], dtype=float) for trace in spec["data"][:2])
    np.testing.assert_allclose(sides[0], [0.5, 0.5, NAN, 0.1], atol=1e-6)
    np.testing.assert_allclose(sides[4], [0.4, NAN, 0.6, NAN], atol=1e-6)
    assert np.isnan(sides[[2, 5]]).all()
    np.testing.assert_allclose(change[2], [-0.25, NAN, NAN, 0], atol=1e-6)
    assert np.isnan(change[[0, 1, 3, 4]]).all()
    diverging = spec["data"][1]
    assert diverging["zmin"] == -diverging["zmax"]
    assert [list(stop) for stop in diverging["colorscale"]] == CHANGE
    assert spec["layout"]["yaxis"]["ticktext"] == ["attention  A", "B", "B − A", "exact  A", "B", "B − A"]
    assert spec["data"][2]["text"][:8] == [".50", ".50", "–", ".10", ".25", "–", ".75", ".10"]


def test_columns_say_which_side_has_them() -> None:
    assert [column.tick for column in COLUMNS] == ["<b>1→2</b>", "<b>A 3</b>", "<b>B 1</b>", "query"]
    assert COLUMNS[0].hover == "cat<br>→ a<br>number 1 in A, number 2 in B"
    assert Column(2, 2, "a", "b", "cat").tick == "<b>2</b>"


def test_heads_hold_the_change() -> None:
    spec = heads()
    cells = np.array(spec["data"][0]["z"], dtype=float)
    assert cells.shape == (4, 4)
    np.testing.assert_allclose(cells[0, [0, 2, 3]], 0.5, atol=1e-6)
    np.testing.assert_allclose(cells[3, [0, 2, 3]], -0.5, atol=1e-6)
    assert np.isnan(cells[:, 1]).all()
    assert spec["data"][0]["zmin"] == -spec["data"][0]["zmax"]


@pytest.mark.parametrize("make", [weights, heads])
def test_a_mark_frames_its_column_and_every_cell_can_be_clicked(make: Any) -> None:
    frames = [shape for shape in make(2)["layout"]["shapes"] if shape["type"] == "rect"]
    assert [(shape["x0"], shape["x1"], shape["line"]["color"]) for shape in frames] == [(1.5, 2.5, MARK)]
    assert not [shape for shape in make()["layout"]["shapes"] if shape["type"] == "rect"]
    targets = make()["data"][-1]["customdata"]
    assert {data[0] for data in targets} == {0, 1, 2, 3}


def test_numbers_in_two_digits() -> None:
    assert [cell(v) for v in (0.004, 0.31, 0.999, 1.0, 0.05)] == [".00", ".31", "1.00", "1", ".05"]
    assert [signed_cell(v) for v in (-0.004, 0.31, -0.31, 1.0)] == [".00", "+.31", "−.31", "+1"]
