"""Figures of the Attention page: numbers arrive unchanged, names stay text, plotly accepts what is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.attention.heads import Role, atlas_figure, roles_figure
from core.figures.attention.maps import between_figure, stretch_figure
from core.figures.colours import MARK
from tests.figures.test_figures import read

CELLS = np.tril(np.full((4, 4), 0.25))
NAMES = ["start", "1", "2", "query"]
NUMBERS = [None, 7, 3, None]


def between(marked: int | None = None) -> go.Figure:
    return between_figure(CELLS, NAMES, NAMES, NUMBERS, NUMBERS, [1, 4, 4, 2], [1, 4, 4, 2], marked)


def stretch(marked: int | None = None, size: int = 4) -> go.Figure:
    names = [f"{i} <b>w{i}" for i in range(size)]
    numbers = [None, *(1 + i % 3 for i in range(size - 2)), None]
    return stretch_figure(np.tril(np.ones((size, size))) / size, names, names, numbers, numbers, "all heads", marked)


def roles(low: float = 0.0) -> go.Figure:
    scores = np.array([[0.9, 0.1], [0.2, -0.4 if low else 0.4], [0.5, 0.3]])
    return roles_figure(
        [Role("previous token", "P", scores), Role("copying", "C", scores, low)], 0.5, {(0, 0): "looks back"}
    )


def atlas() -> go.Figure:
    return atlas_figure(np.arange(6).reshape(3, 2) / 6, "<i>what</i>", [(2, 1)], {(0, 0): "PI"}, {(0, 1): "looks back"})


@pytest.mark.parametrize("figure", [between(), between(3), stretch(), stretch(2, 200), roles(), roles(-1.0), atlas()])
def test_plotly_accepts_it(figure: go.Figure) -> None:
    go.Figure(figure.to_dict())


def heat(figure: go.Figure, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = [trace for trace in read(figure)["data"] if trace["type"] == "heatmap"][number]
    return found


def test_numbers_arrive_unchanged() -> None:
    np.testing.assert_allclose(heat(between())["z"], CELLS)
    np.testing.assert_allclose(heat(stretch(size=9))["z"], np.tril(np.ones((9, 9))) / 9, atol=1e-7)
    np.testing.assert_allclose(heat(atlas())["z"], np.arange(6).reshape(3, 2) / 6, atol=1e-7)
    for number in (0, 1):
        assert heat(roles(-1.0), number)["z"][0][0] == pytest.approx(0.9)
    assert heat(roles(-1.0), 1)["zmin"] == -1.0


def test_rows_and_columns_are_named_for_the_hover_box() -> None:
    sent = read(stretch(size=200))
    assert sent["layout"]["xaxis"]["ticktext"][150].startswith("150 ")
    assert sent["layout"]["xaxis"]["showticklabels"] is False
    assert heat(stretch())["hovertemplate"].startswith("from %{y}<br>to %{x}")
    assert heat(between())["text"][2][1] == "from demonstration 2 (4 tokens)<br>to demonstration 1 (4 tokens)"
    assert heat(between())["text"][0][3] == "from start (1 token)<br>to query (2 tokens)"


def frames(figure: go.Figure) -> list[tuple[float, float, float, float]]:
    shapes = read(figure)["layout"].get("shapes", [])
    return [(s["x0"], s["x1"], s["y0"], s["y1"]) for s in shapes if s.get("line", {}).get("color") == MARK]


def test_the_marked_demonstration_is_framed_as_row_and_column() -> None:
    assert frames(between()) == []
    assert frames(between(3)) == [(1.5, 2.5, -0.5, 3.5), (-0.5, 3.5, 1.5, 2.5)]
    assert len(frames(stretch(1))) == 2
    assert frames(stretch(9)) == []


def test_clicks_carry_the_number_of_the_column() -> None:
    (targets,) = [t for t in read(between())["data"] if t.get("mode") == "markers"]
    assert {tuple(data[:2]) for data in targets["customdata"]} == {(None, 0), (7, 1), (3, 2), (None, 3)}
    (strip,) = [t for t in read(stretch())["data"] if t.get("mode") == "markers"]
    assert [data[0] for data in strip["customdata"]] == [None, 1, 2, None]
    (strip,) = [t for t in read(stretch(size=500))["data"] if t.get("mode") == "markers"]
    assert len(strip["customdata"]) <= 96
    for x, (number, column, _) in zip(strip["x"], strip["customdata"], strict=True):
        assert x == column
        assert number == (None if column in (0, 499) else 1 + (column - 1) % 3)
    (heads,) = [t for t in read(atlas())["data"] if t.get("mode") == "markers"]
    assert heads["customdata"][3] == [None, 1, 1]  # nothing, head, layer


def test_letters_and_planted_heads() -> None:
    texts = [t["text"] for t in read(roles())["data"] if t.get("mode") == "text"]
    assert texts[1] == ["<b>P</b>", "<b>P</b>"]  # scores .9 and .5 reach .5
    dotted = [s for s in read(roles())["layout"]["shapes"] if s["line"]["dash"] == "dot"]
    assert len(dotted) == 2  # in every panel
    assert "planted before training: looks back" in heat(roles())["text"][0][0]
    assert "roles PI" in heat(atlas())["text"][0][0]


def test_what_is_said_is_escaped() -> None:
    assert "<i>" not in heat(atlas())["hovertemplate"]
