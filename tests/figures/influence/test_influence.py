"""Figures of influence: numbers and text arrive as they are, clicks carry the demonstration, plotly accepts it."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.colours import MARK
from core.figures.influence.agreement import correlation_figure, head_correlation_figure, weight_figure
from core.figures.influence.changes import flip_figure, move_figure
from core.figures.influence.influence import influence_figure
from tests.figures.test_figures import read

INPUTS, LABELS, NUMBERS = ["x1", "x2", "<b>x3"], ["a", "b", "b"], [3, 1, 2]
EFFECTS = np.array([[0.5, -0.3, 0.2], [1.5, 0.0, np.nan]])
SQUARE = np.array([[0.0, 0.4, -0.2], [0.1, 0.0, 0.3], [-0.5, 0.2, 0.0]])


def bars(marked: int | None = None) -> go.Figure:
    errors = np.array([[0, 0, 0], [0.1, 0.2, 0.3]])
    return influence_figure(
        ["Leave one out", "Shapley"],
        EFFECTS,
        -EFFECTS,
        errors,
        INPUTS,
        LABELS,
        NUMBERS,
        [None, "b", None],
        "nats",
        marked,
    )


def flips(marked: int | None = None) -> go.Figure:
    answers = [[None, None, "c"], [None] * 3, [None] * 3]
    return flip_figure(SQUARE, [0, 1, -1], answers, SQUARE / 2, ["a", "b", "c"], INPUTS, LABELS, NUMBERS, marked)


def moves(marked: int | None = None) -> go.Figure:
    return move_figure(SQUARE, INPUTS, LABELS, NUMBERS, marked)


def correlations(selected: str | None = "attention") -> go.Figure:
    rho, low, high = np.array([0.5, np.nan, -1.0]), np.array([0.2, np.nan, -1]), np.array([0.7, np.nan, -0.9])
    return correlation_figure(
        ["attention", "hidden", "exact Bayes"],
        ["d1", "d2", "<i>d3"],
        rho,
        low,
        high,
        [", p = .1"] * 3,
        2,
        "ρ",
        selected,
    )


def heads(selected: tuple[int, int] | None = (1, 0)) -> go.Figure:
    return head_correlation_figure(np.array([[0.5, np.nan], [-1.0, 1.0]]), [["", ""]] * 2, "τ", selected)


def points(marked: int | None = None) -> go.Figure:
    return weight_figure([0.1, 0.2, 0.3], [1, -1, 0], INPUTS, LABELS, NUMBERS, "K", "Shapley", marked)


def clicks(figure: go.Figure) -> set[Any]:
    """First entries of what markers carry."""
    traces = [t for t in read(figure)["data"] if t["type"] != "heatmap" and "customdata" in t]
    return {row[0] for trace in traces for row in trace["customdata"]}


@pytest.mark.parametrize("make", [bars, flips, moves, correlations, heads, points])
def test_plotly_accepts_it(make: Any) -> None:
    go.Figure(make().to_dict())


def test_numbers_arrive() -> None:
    found = [t["x"] for t in read(bars())["data"] if t["type"] == "bar"]
    np.testing.assert_allclose(found, [EFFECTS[0], -EFFECTS[0], EFFECTS[1], -EFFECTS[1]], rtol=1e-6)
    np.testing.assert_allclose(read(flips())["data"][0]["z"], SQUARE, rtol=1e-6)
    np.testing.assert_allclose([t["y"] for t in read(moves())["data"]], SQUARE, rtol=1e-6)
    np.testing.assert_allclose(read(heads())["data"][0]["z"], [[0.5, np.nan], [-1, 1]])
    np.testing.assert_allclose(read(points())["data"][0]["x"], [0.1, 0.2, 0.3], rtol=1e-6)
    dots = read(correlations())["data"][1]
    np.testing.assert_allclose(dots["x"], [0.5, np.nan, -1])
    np.testing.assert_allclose(dots["error_x"]["array"], [0.2, 0, 0.1], atol=1e-6)
    np.testing.assert_allclose(dots["error_x"]["arrayminus"], [0.3, 0, 0], atol=1e-6)


@pytest.mark.parametrize("make", [bars, flips, moves, points])
def test_clicks_carry_the_demonstration(make: Any) -> None:
    assert clicks(make()) == {1, 2, 3}


def test_clicks_carry_the_explanation() -> None:
    assert clicks(correlations()) == {"attention", "hidden", "exact Bayes"}
    assert {tuple(row) for t in read(heads())["data"] if "customdata" in t for row in t["customdata"]} == {
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    }


@pytest.mark.parametrize("make", [bars, flips])
def test_the_marked_row_is_framed(make: Any) -> None:
    framed = [shape for shape in read(make(2))["layout"]["shapes"] if shape["line"]["color"] == MARK]
    assert framed
    assert {(shape["y0"], shape["y1"]) for shape in framed} == {(1.5, 2.5)}  # number 2 stands third
    assert not read(make(9))["layout"]["shapes"]


@pytest.mark.parametrize("make", [correlations, heads])
def test_what_is_drawn_beside_is_framed_in_another_colour(make: Any) -> None:
    (shape,) = read(make())["layout"]["shapes"]
    assert shape["line"]["color"] != MARK
    assert not read(make(None))["layout"]["shapes"]


def test_signs_of_the_flips() -> None:
    signs = read(flips())["data"][1]
    assert list(zip(signs["text"], signs["x"], signs["y"], strict=True)) == [("•", 0, 0), ("•", 1, 1), ("✗", 2, 0)]


@pytest.mark.parametrize("make", [bars, flips, moves, correlations, points])
def test_text_is_not_markup(make: Any) -> None:
    assert "<b>x3" not in str(read(make()))
    assert "<i>d3" not in str(read(make()))


def test_what_is_said_when_one_is_pointed_at() -> None:
    texts = str(read(bars()))
    assert "without it the model answers b" in texts
    assert "± %{error_x.array" in texts
    assert "undefined" in str(read(correlations()))


@pytest.mark.parametrize(("rows", "height"), [(8, 290), (20, 290), (33, 290), (52, 290), (33, 640)])
def test_names_of_many_explanations_stay_apart(rows: int, height: int) -> None:
    """At least 13 pixels each; where there is room all of them."""
    names = [f"hidden, layer {i}" for i in range(rows)]
    nothing = [""] * rows
    axis = correlation_figure(names, nothing, np.zeros(rows), None, None, nothing, rows, height=height).layout.yaxis
    a_row = (height - 28) / rows
    gaps = np.diff(axis.tickvals) * a_row
    assert gaps.min() >= 13
    assert list(axis.ticktext) == [names[i] for i in axis.tickvals]
    assert (len(axis.tickvals) == rows) == (a_row >= 13)
