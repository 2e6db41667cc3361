"""The convergence figure: values arrive unchanged, every curve can be told from the others, plotly accepts it."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.kernel.convergence import Published, convergence_figure
from core.statistics.curves import curve_of
from tests.figures.test_figures import read

NUMBERS = (1, 2, 4, 8)
VALUES = np.random.default_rng(0).random((5, 4))
NAMES = ("operator kernel", "with negative weights", "all weights equal", "model", "<b>odd")


def drawn(repetitions: int = 5, published: bool = True, most: float | None = None) -> dict[str, Any]:
    curves = [curve_of(name, VALUES[:repetitions] + i) for i, name in enumerate(NAMES)]
    reference = Published("published", (1, 4, 16), (1.3, 0.5, 0.1)) if published else None
    return read(convergence_figure(NUMBERS, curves, "distance", reference, most))


def lines(figure: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace["mode"] == "lines+markers"]


def test_values_arrive_on_a_logarithmic_axis() -> None:
    for i, line in enumerate(lines(drawn())):
        np.testing.assert_allclose(line["x"], np.log2(NUMBERS))
        np.testing.assert_allclose(line["y"], VALUES.mean(0) + i, rtol=1e-6)
    axis = drawn()["layout"]["xaxis"]
    assert list(axis["ticktext"]) == ["1", "2", "4", "8", "16"]


def test_no_two_curves_look_alike() -> None:
    looks = [(line["line"]["color"], line["line"]["dash"], line["marker"]["symbol"]) for line in lines(drawn())]
    for part in zip(*looks, strict=True):
        assert len(set(part)) == len(NAMES)


def test_bands_are_the_intervals_and_are_left_out_where_there_is_none() -> None:
    bands = [trace for trace in drawn()["data"] if trace.get("fill") == "toself"]
    curve = curve_of("a", VALUES + 1)
    np.testing.assert_allclose(bands[1]["y"], np.r_[curve.high, curve.low[::-1]], rtol=1e-5)
    alone = drawn(repetitions=1)
    assert not [trace for trace in alone["data"] if trace.get("fill")]
    assert all(row[1] == "" for row in lines(alone)[0]["customdata"])


def test_a_place_without_an_interval_parts_the_band() -> None:
    """Where all repetitions are alike there is none, and what lies on either side keeps its own."""
    values = VALUES.copy()
    values[:, 1] = 0.5
    traces = read(convergence_figure(NUMBERS, [curve_of("model", values)], "distance"))["data"]
    bands = [trace["x"] for trace in traces if trace.get("fill") == "toself"]
    assert [sorted(set(np.asarray(x).tolist())) for x in bands] == [[0.0], [2.0, 3.0]]
    assert [row[1] == "" for row in traces[-1]["customdata"]] == [False, True, False, False]


def test_published_figures_are_markers() -> None:
    (markers,) = [trace for trace in drawn()["data"] if trace["mode"] == "markers"]
    np.testing.assert_allclose(markers["y"], [1.3, 0.5, 0.1], rtol=1e-6)
    np.testing.assert_allclose(markers["x"], [0, 2, 4])
    assert not [trace for trace in drawn(published=False)["data"] if trace["mode"] == "markers"]


def test_the_axis_shows_everything_or_ends_where_it_is_told() -> None:
    assert drawn()["layout"]["yaxis"]["range"][1] > VALUES.mean(0).max() + 4
    assert drawn(most=2.0)["layout"]["yaxis"]["range"] == [0, 2.0]


def test_names_are_text() -> None:
    assert any(line["name"] == "&lt;b&gt;odd" for line in lines(drawn()))


@pytest.mark.parametrize("repetitions", [1, 5])
def test_plotly_accepts_it(repetitions: int) -> None:
    curves = [curve_of(name, VALUES[:repetitions]) for name in NAMES]
    figure = convergence_figure(NUMBERS, curves, "distance", Published("p", (1,), (1.0,)))
    go.Figure(figure.to_dict())
