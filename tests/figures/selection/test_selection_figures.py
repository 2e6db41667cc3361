"""Figures of the Selection page: what they hold, what a click carries, and that plotly accepts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.colours import MARK, MODEL, OTHERS
from core.figures.selection.comparison import accuracy_figure, choice_figure, lead_figure, score_figure, square_figure
from core.figures.selection.pool_map import DRAWN, SYMBOLS, MappedRow, pool_figure

ROWS = [MappedRow(i + 1, f"<b>text {i}", "abcabcab"[i]) for i in range(8)]
POINTS = np.arange(16.0).reshape(8, 2)


def pool(rows: list[MappedRow] = ROWS, points: np.ndarray = POINTS, marked: int | None = None) -> go.Figure:
    near = np.linspace(0, 1, len(rows))
    return pool_figure(rows, points, [0.5, 0.5], "<i>query", near, [2, 5], ("one", "two"), marked)


def table(marked: int | None = None) -> go.Figure:
    ranks = [[1, None], [None, 0], [2, 0]]
    standing = np.array([[1.0, np.nan], [0.3, np.nan], [0.6, np.nan]])
    inputs, labels = ["x<br>", "y", "z"], ["a", "b", "a"]
    return choice_figure(["A", "B"], [4, 7, 9], inputs, labels, ranks, standing, standing * 9, 0, marked)


def leads() -> go.Figure:
    return lead_figure(["m", "n"], ["M", "N"], ["<a>", "b"], [0.9, 0.2], [True, False], ["cost"] * 2, "m", "p(a)", 120)


def scores(marked: int | None = None) -> go.Figure:
    return score_figure([3, 1], ["x", "y"], ["a", "b"], [-5.0, -7.0], [True, False], marked)


FIGURES = {
    "map": pool,
    "table": table,
    "leads": leads,
    "scores": scores,
    "square": lambda: square_figure(["A", "B"], [[1, 0.5], [0.5, 1]], [["1", "2"], ["3", "4"]], False, 200),
    "signed": lambda: square_figure(["A", "B"], [[1, np.nan], [-0.5, 1]], [["1", "2"], ["3", "4"]], True, 200),
    "accuracy": lambda: accuracy_figure(["A"], [0.5], [[0.3, 0.7]], 90),
    "empty map": lambda: pool_figure([], np.zeros((0, 2)), None, "", [], [], ("", "")),
    "empty table": lambda: choice_figure(["A"], [], [], [], [], np.zeros((0, 1)), np.zeros((0, 1))),
    "no scores": lambda: score_figure([], [], [], [], []),
}


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_accepts_it_and_nothing_typed_is_read_as_markup(name: str) -> None:
    figure = FIGURES[name]()
    go.Figure(figure.to_dict())
    text = str(figure.to_dict())
    for typed in ("<b>text", "x<br>", "<i>query", "<a>"):
        assert typed not in text


def traces(figure: go.Figure, mode: str = "markers") -> list[Any]:
    return [trace for trace in figure.data if trace.type == "scatter" and mode in (trace.mode or "")]


def test_marks_carry_their_numbers_and_labels_have_colour_and_shape() -> None:
    labelled = [trace for trace in traces(pool()) if trace.name.startswith(("a ", "b ", "c "))]
    assert sorted(number for trace in labelled for (number,) in trace.customdata) == list(range(1, 9))
    assert len({trace.marker.color for trace in labelled}) == len({trace.marker.symbol for trace in labelled}) == 3
    for trace in labelled:
        for (number,), x, y in zip(trace.customdata, trace.x, trace.y, strict=True):
            assert (x, y) == tuple(POINTS[number - 1])
            assert ROWS[number - 1].label == trace.name[0]


def test_rings_are_those_chosen_and_the_marked_one() -> None:
    (ring,) = [trace for trace in traces(pool(marked=3)) if trace.name == "chosen"]
    assert [n for (n,) in ring.customdata] == [2, 5, 3]
    assert list(ring.marker.color) == [MODEL, MODEL, MARK]
    assert ring.text[0] == "<b>2</b>"


def test_a_label_of_one_row_has_its_colour_among_few() -> None:
    rows = [MappedRow(i + 1, "x", "foo" if i else "bar") for i in range(8)]
    names = {trace.name for trace in traces(pool(rows))}
    assert {"foo (7)", "bar (1)"} <= names


def test_labels_without_a_second_row_share_one_colour() -> None:
    rows = [MappedRow(i + 1, "x", "same" if i < 3 else f"label {i}") for i in range(8)]
    names = {trace.name: trace.marker.color for trace in traces(pool(rows)) if trace.name[0] in "s5"}
    assert names["5 other labels (5)"] == OTHERS
    assert "same (3)" in names
    many = [MappedRow(i + 1, "x", f"label {i % 20}") for i in range(60)]
    coloured = [t for t in traces(pool(many, np.zeros((60, 2)))) if t.name.startswith("label")]
    assert len(coloured) == len(SYMBOLS)


def test_a_large_pool_is_shaded_and_its_chosen_rows_drawn() -> None:
    count = DRAWN + 3_000
    rows = [MappedRow(i + 1, "x", "ab"[i % 2]) for i in range(count)]
    points = np.random.default_rng(0).normal(size=(count, 2))
    figure = pool_figure(rows, points, None, "", np.full(count, np.nan), [3, 4_999], ("", ""))
    (shades,) = [trace for trace in figure.data if trace.type == "heatmap"]
    assert np.square(shades.z).sum() == pytest.approx(count, rel=1e-4)
    drawn = {n for trace in traces(figure) if trace.name != "chosen" for (n,) in trace.customdata}
    assert {3, 4_999} <= drawn
    assert len(drawn) <= DRAWN + 2


def test_the_table_rings_what_was_chosen() -> None:
    figure = table(marked=7)
    (rings,) = [trace for trace in traces(figure) if trace.marker.symbol == "circle-open"]
    assert list(zip(rings.x, rings.y, rings.text, strict=True)) == [
        (0, 0, "<b>1</b>"),
        (1, 1, "•"),
        (0, 2, "<b>2</b>"),
        (1, 2, "•"),
    ]
    targets = traces(figure)[-1]
    assert [n for (n,) in targets.customdata] == [4, 4, 7, 7, 9, 9]
    assert "taken as number 1" in targets.text[0]
    assert "score 9, at or above 100%" in targets.text[0]
    assert "no score" in targets.text[1]
    marks = [shape for shape in figure.layout.shapes if shape.line.color == MARK]
    assert [(shape.y0, shape.y1) for shape in marks] == [(0.5, 1.5)]


def test_a_bar_is_grey_where_the_answer_is_wrong_and_clicks_carry_names() -> None:
    figure = leads()
    (bars,) = [trace for trace in figure.data if trace.type == "bar"]
    assert list(bars.marker.color) == [MODEL, OTHERS]
    assert {name for trace in figure.data for (name,) in trace.customdata} == {"m", "n"}


def test_scores_need_not_hold_zero() -> None:
    figure = scores(marked=1)
    low, high = figure.layout.xaxis.range
    assert low < -7 < -5 < high < 0
    assert len(figure.layout.shapes) == 1
    dots, targets = traces(figure)
    assert list(dots.x) == [-5, -7]
    assert {n for (n,) in targets.customdata} == {1, 3}
