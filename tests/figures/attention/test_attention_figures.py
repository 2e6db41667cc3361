"""Figures of the Attention page: numbers arrive unchanged, names stay text, plotly accepts what is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.attention.attention import head_figure, rows_at_most, rows_figure, token_figure
from core.figures.attention.heads import Role, atlas_figure, height_for, roles_figure
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
    for axis in ("xaxis", "yaxis"):
        assert sent["layout"][axis]["categoryarray"][150].startswith("150 ")
        assert sent["layout"][axis]["showticklabels"] is True
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
        assert x.startswith(f"{column} ")
        assert number == (None if column in (0, 499) else 1 + (column - 1) % 3)
    (heads,) = [t for t in read(atlas())["data"] if t.get("mode") == "markers"]
    assert heads["customdata"][3] == [None, 1, 1]  # nothing, head, layer


def test_letters_and_planted_heads() -> None:
    texts = [t["text"] for t in read(roles())["data"] if t.get("mode") == "text"]
    assert texts[1] == ["<b>P</b>", "<b>P</b>"]  # scores .9 and .5 reach .5
    assert not [t for t in read(roles())["data"] if t.get("marker", {}).get("size") == 4]
    dotted = [s for s in read(roles())["layout"]["shapes"] if s["line"]["dash"] == "dot"]
    assert len(dotted) == 2  # in every panel
    assert "planted before training: looks back" in heat(roles())["text"][0][0]
    assert "roles PI" in heat(atlas())["text"][0][0]


SHAPES = ((4, 3), (18, 4), (30, 9), (24, 16), (48, 25), (96, 96))


@pytest.mark.parametrize(("layers", "heads"), SHAPES)
def test_letters_and_numbers_of_many_heads_do_not_run_into_each_other(layers: int, heads: int) -> None:
    """On the narrowest screen that maps are made for: every letter fits its cell, every number its place."""
    every = {(layer, head): "IL" for layer in range(layers) for head in range(heads)}
    height = height_for(layers, 268)
    assert height <= 640
    figures = {
        190: read(atlas_figure(np.ones((layers, heads)), "x", letters=every, height=height)),
        110: read(roles_figure([Role("induction", "I", np.ones((layers, heads)))] * 5, 0.5, height=height)),
    }
    for width, figure in figures.items():
        row, cell = (height - 52) / layers, width / heads
        letters = [t for t in figure["data"] if t.get("mode") == "text" and str([*t["text"], ""][0]).startswith("<b>")]
        dots = [t for t in figure["data"] if t.get("mode") == "markers" and t["marker"].get("opacity") != 0]
        marked = sum(len(t["x"]) for t in (*letters, *dots))
        assert marked == layers * heads * (1 if width == 190 else 5)
        for trace in letters:
            assert row >= 11
            assert cell >= 6.5 * len(trace["text"][0].removeprefix("<b>").removesuffix("</b>"))
        down, across = figure["layout"]["yaxis"], figure["layout"]["xaxis"]
        assert np.diff(down["tickvals"]).min(initial=layers) * row >= 12
        longest = max(len(str(name)) for name in across["ticktext"])
        assert np.diff(across["tickvals"]).min(initial=heads) * cell >= 6.5 * longest + 3


def test_a_head_without_room_for_letters_says_its_roles_in_the_hover_box() -> None:
    figure = atlas_figure(np.ones((48, 25)), "x", letters={(3, 4): "IL"})
    (dot,) = [t for t in read(figure)["data"] if t.get("mode") == "markers" and t["marker"].get("opacity") != 0]
    assert (list(dot["x"]), list(dot["y"])) == ([4], [3])
    assert "roles IL" in heat(figure)["text"][3][4]


@pytest.mark.parametrize("size", [20, 71, 200, 512])
def test_a_large_token_map_leaves_room_for_names_and_a_small_one_says_them_on_hover(size: int) -> None:
    names = [f"{i} token" for i in range(size)]
    for height in (221, 640):
        figure = read(
            token_figure(np.tril(np.ones((size, size))), ["token"] * size, [None] * size, (1, 2), None, height)
        )
        across, down = figure["layout"]["xaxis"], figure["layout"]["yaxis"]
        if size * 11 > height and height < 400:
            assert across["showticklabels"] is False
            assert list(across["ticktext"]) == names
        else:
            assert across["type"] == down["type"] == "category"
            assert list(down["categoryarray"]) == names
            assert figure["layout"]["margin"]["l"] >= 6 * len(names[-1])


@pytest.mark.parametrize(("layers", "heads"), SHAPES)
def test_names_of_rows_and_columns_do_not_run_into_each_other(layers: int, heads: int) -> None:
    """Of the Playground's charts at their least size: heads of a map, and parts of the prompt below rows."""
    drawn = read(head_figure(np.ones((layers, heads)), "x"))["layout"]
    spacing = {"yaxis": (196 / layers, 11), "xaxis": (250 / heads, 6.5 * len(str(heads - 1)))}
    for axis, (pixels, least) in spacing.items():
        places = [i for i, name in enumerate(drawn[axis]["ticktext"]) if name]
        assert min(np.diff(places), default=heads + layers) * pixels >= least
    for count in (1, 6, 16, 64):
        spans = ["start", "instruction", *map(str, range(1, count + 1)), "query"]
        numbers = [None, None, *range(1, count + 1), None]
        figure = read(
            rows_figure(np.ones((layers, count + 3)), [f"L{i}" for i in range(layers)], spans, numbers, spans)
        )
        assert layers > rows_at_most(210) or (210 - 32) / layers >= 4
        taken: dict[int, float] = {}  # where the last name of each line ends
        for place, name in enumerate(figure["layout"]["xaxis"]["ticktext"]):
            text = name.replace("<b>", "").replace("</b>", "")
            line, word = text.count("<br>"), text.replace("<br>", "")
            middle, half = (place + 0.5) * 250 / len(spans), 6 * len(word) / 2
            if word:
                assert middle - half >= taken.get(line, -100)
                taken[line] = middle + half


def test_what_is_said_is_escaped() -> None:
    assert "<i>" not in heat(atlas())["hovertemplate"]
