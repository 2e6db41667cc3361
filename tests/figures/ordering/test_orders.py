"""Figures of orders: numbers and text arrive as they are, clicks carry the order, plotly accepts it."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.colours import INK, MARK
from core.figures.ordering.accuracy import Landing, Marks, accuracy_figure, entropy_figure, share_axis, stacked
from core.figures.ordering.effects import answers_figure, positions_figure
from tests.figures.test_figures import read

ORDERS = ["1 2 3", "1 3 2", "<b>2 1 3", "2 3 1", "3 1 2", "3 2 1"]
ACCURACY = np.array([0.8, 0.9, 0.8, 0.7, 0.9, 0.9])
MARKS = Marks(best=1, worst=3, picked=4)
CELLS = np.array([[0.8, 0.7, np.nan], [0.9, 0.8, 0.75], [0.6, 0.8, 0.85]])


def accuracy(marks: Marks = MARKS) -> go.Figure:
    landings = [Landing("As given", 0.8, 0, 0.75, 0.85, "0.0%"), Landing("<i>GlobalE", 0.85, 4, np.nan, np.nan, "+1%")]
    return accuracy_figure(ACCURACY, ORDERS, 0.83, 0.95, landings, marks)


def entropies(marks: Marks = MARKS) -> go.Figure:
    panels = [("GlobalE", np.linspace(0, 1, 6), "ρ = .3", 5), ("LocalE", np.full(6, 0.5), "no ρ", None)]
    return entropy_figure(panels, ACCURACY, ORDERS, marks)


def answers(picked: int | None = 4) -> go.Figure:
    p = np.stack([ACCURACY, 1 - ACCURACY], axis=1)
    return answers_figure(["★ foo", "<b>bar"], p, [1.0, 0.0], [0.9, 0.1], ORDERS, picked)


def cells(marked: int | None = None) -> go.Figure:
    recency = [("questions", [0.3, 0.3, 0.5], "solid"), ("query", [0.0, 0.0, 0.0], "dot")]
    return positions_figure(CELLS, 0.8, "accuracy", recency, ["x1", "x2", "<b>x3"], ["a", "b", "b"], [3, 1, 2], marked)


@pytest.mark.parametrize("make", [accuracy, entropies, answers, cells])
def test_plotly_accepts_it(make: Any) -> None:
    go.Figure(make().to_dict())


def test_numbers_arrive() -> None:
    dots = read(accuracy())["data"][0]
    np.testing.assert_allclose(dots["x"], ACCURACY, rtol=1e-6)
    landing = next(t for t in read(accuracy())["data"] if t["name"] == "strategies")
    np.testing.assert_allclose(landing["x"], [0.8, 0.85], rtol=1e-6)
    order = next(t for t in read(accuracy())["data"] if t["name"] == "its order")
    np.testing.assert_allclose(order["x"], [0.8, 0.9], rtol=1e-6)
    np.testing.assert_allclose(landing["error_x"]["array"], [0.05, 0], atol=1e-6)
    np.testing.assert_allclose(read(entropies())["data"][0]["x"], np.linspace(0, 1, 6), rtol=1e-6)
    heatmap = read(cells())["data"][0]
    np.testing.assert_allclose(heatmap["z"], CELLS - 0.8, atol=1e-6)
    assert "never tried" in str(heatmap["text"])
    lines = [shape["x0"] for shape in read(accuracy())["layout"]["shapes"]]
    assert lines == [0.83, 0.95]


def test_equal_orders_are_stacked() -> None:
    assert stacked(ACCURACY).tolist() == [0, 0, 1, 0, 1, 2]


@pytest.mark.parametrize("make", [accuracy, entropies, answers])
def test_clicks_carry_the_order(make: Any) -> None:
    traces = [t for t in read(make())["data"] if "customdata" in t and t["type"] == "scatter"]
    assert {row[0] for t in traces for row in t["customdata"]} == set(range(6))


def test_clicks_on_cells_carry_the_demonstration() -> None:
    targets = next(t for t in read(cells())["data"] if t.get("hoverinfo") == "none")
    assert [tuple(row) for row in targets["customdata"]] == [
        (n, c, r) for r, n in enumerate((3, 1, 2)) for c in range(3)
    ]


@pytest.mark.parametrize("make", [accuracy, entropies])
def test_best_worst_and_picked_stand_out(make: Any) -> None:
    names = {t["name"] for t in read(make())["data"]}
    assert {"best", "worst", "picked"} <= names
    assert "picked" not in {t["name"] for t in read(make(Marks(1, 3)))["data"]}


def test_the_picked_order_is_ringed_in_every_row() -> None:
    rings = [t for t in read(answers())["data"] if t["name"] == "picked"]
    np.testing.assert_allclose([t["x"][0] for t in rings], [0.9, 0.1], atol=1e-6)
    assert all(t["marker"]["line"]["color"] == INK for t in rings)
    assert not [t for t in read(answers(None))["data"] if t["name"] == "picked"]


def test_the_marked_row_is_framed() -> None:
    (shape,) = read(cells(2))["layout"]["shapes"]
    assert (shape["y0"], shape["y1"], shape["line"]["color"]) == (1.5, 2.5, MARK)  # number 2 stands third
    assert not read(cells())["layout"]["shapes"]


@pytest.mark.parametrize("make", [accuracy, entropies, answers, cells])
def test_text_is_not_markup(make: Any) -> None:
    text = str(read(make()))
    assert not any(markup in text for markup in ("<b>2 1 3", "<i>GlobalE", "<b>bar", "<b>x3"))


@pytest.mark.parametrize(("low", "high"), [(0.95, 1.02), (-0.02, 0.06), (0.4, 0.7), (-0.01, 1.01), (0.85, 0.86)])
def test_an_axis_of_shares_has_ticks_inside_of_what_a_share_can_be(low: float, high: float) -> None:
    axis = share_axis(low, high)
    assert 1 <= len(axis["tickvals"]) <= 7
    assert all(max(low, 0) - 1e-9 <= tick <= min(high, 1) + 1e-9 for tick in axis["tickvals"])
    assert [f"{tick:.0%}" for tick in axis["tickvals"]] == axis["ticktext"]


@pytest.mark.parametrize("count", [2, 3, 30])
def test_any_number_of_demonstrations(count: int) -> None:
    names = [str(i) for i in range(count)]
    figure = positions_figure(
        np.full((count, count), 0.5),
        0.5,
        "p",
        [("query", np.full(count, 1 / count), "solid")],
        names,
        names,
        [*range(count)],
    )
    assert len(read(figure)["layout"]["xaxis"]["tickvals"]) <= 16
    go.Figure(figure.to_dict())
