"""Our own drawing takes the figures that are sent to it, and refuses what it would not draw."""

from __future__ import annotations

import ast
import copy
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from core.figures import Spec
from pages.ui.components.live_chart import live_chart
from pages.ui.components.supported import Unsupported, check_supported, table
from tests.pages.components import live_figures as made
from tests.pages.components.live_figures import live_figures

ROOT = Path(__file__).parents[3]
FIGURES = live_figures()


def changed(name: str, place: list[str | int], value: Any) -> Spec:
    """A figure with one attribute set, or taken away where the value is ...."""
    figure = copy.deepcopy(FIGURES[name])
    thing: Any = figure
    for step in place[:-1]:
        thing = thing[step]
    if value is ...:
        del thing[place[-1]]
    else:
        thing[place[-1]] = value
    return figure


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_that_is_sent_there_uses_only_what_is_drawn(name: str) -> None:
    check_supported(FIGURES[name])


def test_every_function_whose_figures_are_sent_there_is_among_these() -> None:
    sent = {
        name.id
        for path in (ROOT / "pages").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "spec"
        for name in ast.walk(node.value)
        if isinstance(name, ast.Name)
    }
    tried = {name for name in vars(made) if name.endswith("_figure")}
    assert {name for name in sent if name.endswith("_figure")} == tried


@pytest.mark.parametrize(
    ("name", "place", "value", "sentence"),
    [
        ("answer", ["data", 0, "opacity"], 0.5, "data[0].opacity is not drawn"),
        ("answer", ["data", 0, "marker", "line"], {"width": 1}, "data[0].marker.line.width is not drawn"),
        ("answer", ["data", 0, "orientation"], "v", "data[0].orientation is 'v', and what is drawn is 'h'"),
        ("answer", ["data", 0, "width"], ..., "data[0].width is missing"),
        ("answer", ["data", 0, "type"], "violin", "data[0]: no traces of type violin are drawn"),
        ("kernels", ["data", 0, "x"], [1, 2, 3], "data[0].x is not drawn"),
        ("path, one", ["data", 0, "line", "dash"], "dot", "data[0].line.dash is not drawn"),
        ("path, one", ["data", 0, "mode"], "text+lines", "data[0].mode is 'text+lines'"),
        ("kernels", ["layout", "xaxis", "side"], "top", "xaxis.side is 'top', and what is drawn is 'bottom'"),
        ("bars, two", ["layout", "xaxis2", "zeroline"], ..., "xaxis2.zeroline is missing"),
        ("kernels", ["layout", "shapes", 0, "fillcolor"], "red", "shapes[0].fillcolor is not drawn"),
        ("kernels", ["layout", "annotations", 0, "showarrow"], True, "annotations[0].showarrow is True"),
        ("answer", ["layout", "title"], {"text": "Answer"}, "layout.title.text is not drawn"),
    ],
)
def test_what_is_not_drawn_is_refused(name: str, place: list[str | int], value: Any, sentence: str) -> None:
    figure = changed(name, place, value)
    with pytest.raises(Unsupported) as raised:
        check_supported(figure)
    assert sentence in str(raised.value)
    with pytest.raises(Unsupported):
        live_chart(figure, "key", "alt", "100px")


def test_nothing_is_as_good_as_absent() -> None:
    check_supported(changed("kernels", ["layout", "annotations", 0, "hovertext"], None))
    with pytest.raises(Unsupported, match="zmin is missing"):
        check_supported(changed("kernels", ["data", 0, "zmin"], None))


def test_all_troubles_are_told_at_once() -> None:
    figure = changed("answer", ["data", 0, "opacity"], 0.5)
    figure["layout"]["title"] = {"text": "Answer"}
    with pytest.raises(Unsupported, match=r"data\[0\]\.opacity is not drawn; layout\.title\.text is not drawn"):
        check_supported(figure)


def test_plotly_knows_every_attribute_of_the_table() -> None:
    """The drawing draws a part of plotly's format, so that plotly draws the same figure where a notebook shows it."""
    kinds = {
        "bar": go.Bar(),
        "heatmap": go.Heatmap(),
        "scatter": go.Scatter(),
        "targets": go.Scatter(),
        "layout": go.Layout(),
        "axis": go.layout.XAxis(),
        "shape": go.layout.Shape(),
        "annotation": go.layout.Annotation(),
    }
    assert kinds.keys() == table().keys()
    unknown = [
        f"{kind}.{name}"
        for kind, thing in kinds.items()
        for name in table()[kind]["attributes"]
        if name.replace(".", "_") not in thing
    ]
    assert unknown == []
