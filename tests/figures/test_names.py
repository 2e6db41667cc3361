"""Names that differ are drawn differently, however alike they begin."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.figures import Panel, answer_figure, kernel_figure, path_figure
from core.figures.base import distinct, escape, shorten
from core.figures.compare.difference import Series, sides_figure
from core.figures.kernel.answers import weights_figure

LONG = ["Department of Education", "Department of Energy", "Department of the Interior"]


@given(st.lists(st.text("ab ", min_size=1, max_size=30), max_size=9, unique=True), st.integers(6, 20))
def test_as_many_as_there_are(names: list[str], width: int) -> None:
    names = [name.strip() for name in names]
    found = distinct(names, width)
    assert len(set(found)) == len(set(names))
    assert all(len(one) <= width for one in found)
    assert all(one == name for one, name in zip(found, names, strict=True) if len(name) <= width and name in found)


def test_ends_are_kept_where_beginnings_are_alike() -> None:
    assert distinct(["Department of Education", "Department of Energy", "Sport"], 12) == [
        "Department…n",
        "Department…y",
        "Sport",
    ]
    assert distinct(["one", "two"], 5) == ["one", "two"]
    assert distinct([LONG[0]], 12) == [shorten(LONG[0], 12)]
    assert distinct(["<b>", "x"], 5) == [escape("<b>"), "x"]
    assert distinct([LONG[0], LONG[0]], 12) == [shorten(LONG[0], 12)] * 2, "one name is one name"


def ticks(figure: object, axis: str = "yaxis") -> list[str]:
    return list(getattr(figure, "layout")[axis]["ticktext"])  # noqa: B009  # plotly's own objects


def test_figures_keep_labels_apart() -> None:
    third = np.full(3, 1 / 3)
    cells = np.full((1, 3), 1 / 3)
    figures = [
        ticks(answer_figure(LONG, third)),
        ticks(sides_figure(LONG, [Series("model", third, third)])),
        ticks(kernel_figure(["k"], cells, cells, [None], LONG[0], ["a", "b", "c"], LONG, [1, 2, 3]), "xaxis"),
        ticks(weights_figure(["k"], cells, cells, cells, [], LONG, [""], ["a", "b", "c"], LONG, [1, 2, 3]), "xaxis2"),
    ]
    for found in figures:
        assert len({name.split("<br>")[-1] for name in found}) == 3


def test_a_legend_has_an_entry_for_every_task() -> None:
    """Two tasks with the same first letters had one, which showed and hid the lines of both."""
    names = [f"a task with quite a long name, number {i}" for i in range(3)]
    colours = dict(zip(names, ("#000001", "#000002", "#000003"), strict=True))
    figure = path_figure([Panel("exact", tuple(names), np.full((2, 3), 1 / 3))], 1, colours)
    assert sum(bool(trace.showlegend) for trace in figure.data) == 3
    assert len({trace.legendgroup for trace in figure.data}) == 3
