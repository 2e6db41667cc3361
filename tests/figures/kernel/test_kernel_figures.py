"""Figures of the Kernel page: numbers arrive unchanged, text stays text, plotly accepts what is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.colours import MARK
from core.figures.kernel.answers import LABELS, queries_figure, weights_figure
from core.figures.kernel.head_atlas import AgreementRow, AtlasPanel, agreement_figure, atlas_figure
from tests.figures.test_figures import read

NORMALISED = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [1.5, -0.25, -0.25]])
RAW = NORMALISED * np.array([[1.0], [40.0], [0.01]])
HOSTILE = "<b>bold</b> %{z} & \n more"


def weights(raw: bool = False, labels: int = 3, rows: int = 3, marked: int | None = None) -> go.Figure:
    shares = np.zeros((rows, labels))
    shares[:, -1] = 1.0
    model = np.linspace(1, 2, labels) / np.linspace(1, 2, labels).sum()
    cells = np.tile(NORMALISED, (rows // 3, 1))
    drawn = np.tile(RAW, (rows // 3, 1))
    return weights_figure(
        [f"kernel {i} {HOSTILE}" for i in range(rows)],
        drawn if raw else cells,
        cells if raw else drawn,
        shares,
        [("the model", model), ("exact Bayes", model[::-1])],
        [f"label {i} {HOSTILE}" for i in range(labels)],
        ["✓ TV 0.10"] * rows,
        ["x1", HOSTILE, "x3"],
        ["a", HOSTILE, "b"],
        [3, 1, 2],
        marked,
        raw,
        "label 1",
    )


def queries(raw: bool = False, marked: int | None = None) -> go.Figure:
    return queries_figure(
        ["q1", HOSTILE, "q3"],
        RAW if raw else NORMALISED,
        NORMALISED if raw else RAW,
        [["✓ a", "a", "b"], ["✗ b", HOSTILE, "–"], ["a", "a", "a"]],
        ["ŷ", "the model", "right answer"],
        ["x1", HOSTILE, "x3"],
        ["a", HOSTILE, "b"],
        [3, 1, 2],
        marked,
        raw,
    )


def atlas(layers: int = 4, heads: int = 3) -> go.Figure:
    values = np.random.default_rng(0).random((layers, heads))
    return atlas_figure(
        [
            AtlasPanel("Agreement with the model", "30 items", values, values / 2, "elsewhere", (1, 2)),
            AtlasPanel("Agreement with gold", "30 items", values / 3, values, "elsewhere", (1, 2)),
        ]
    )


AGREEMENT = [
    AgreementRow(f"head {HOSTILE}", (0.9, 0.8, 0.95), (0.7, 0.6, 0.8)),
    AgreementRow("the model", None, (0.5, 0.4, 0.6)),
]


@pytest.mark.parametrize(
    "figure",
    [
        weights(),
        weights(raw=True, labels=1),
        weights(labels=12, rows=30, marked=1),
        queries(),
        queries(raw=True, marked=2),
        atlas(),
        atlas(28, 16),
        agreement_figure(AGREEMENT, [("mean of all", 0.6)]),
    ],
)
def test_plotly_accepts_every_figure(figure: go.Figure) -> None:
    sent = figure.to_dict()
    go.Figure(sent["data"], sent["layout"])
    assert "<b>bold" not in figure.to_json()
    assert "%{z} &" not in figure.to_json()


def test_weights_and_shares_arrive_unchanged() -> None:
    for raw, drawn, other in ((False, NORMALISED, RAW), (True, RAW, NORMALISED)):
        data = read(weights(raw))["data"]
        cells = data[0]["customdata"]
        np.testing.assert_allclose(cells[..., 0], drawn, rtol=1e-6)
        np.testing.assert_allclose(cells[..., 1], other, rtol=1e-6)
        scale = np.abs(drawn).max(1, keepdims=True) if raw else np.abs(drawn).max()
        np.testing.assert_allclose(data[0]["z"], drawn / scale, rtol=1e-6)
        (answers,) = [trace for trace in data if trace["type"] == "heatmap" and trace.get("xaxis") == "x2"]
        np.testing.assert_allclose(answers["z"].sum(1), 1, rtol=1e-6)
        assert answers["z"].shape == (5, 3)


def test_many_candidates_are_summed_up() -> None:
    spec = read(weights(labels=12))
    (answers,) = [t for t in spec["data"] if t["type"] == "heatmap" and t.get("xaxis") == "x2"]
    assert answers["z"].shape == (5, LABELS + 1)
    np.testing.assert_allclose(answers["z"].sum(1), 1, rtol=1e-6)
    assert spec["layout"]["xaxis2"]["ticktext"][-1] == "<b>6 others</b>"


def clicks(spec: dict[str, Any]) -> dict[str, Any]:
    return next(t for t in spec["data"] if t.get("mode") == "markers" and t.get("hoverinfo") == "none")


def framed(spec: dict[str, Any]) -> list[tuple[float, float]]:
    shapes = [s for s in spec["layout"]["shapes"] if s["type"] == "rect" and s["line"]["color"] == MARK]
    return [(shape["x0"], shape["x1"]) for shape in shapes]


@pytest.mark.parametrize("draw", [weights, queries])
def test_a_click_names_the_demonstration_and_the_mark_frames_it(draw: Any) -> None:
    spec = read(draw(marked=1))
    assert framed(spec) == [(0.5, 1.5)]
    assert framed(read(draw(marked=9))) == []
    targets = clicks(spec)
    for x, data in zip(targets["x"], targets["customdata"], strict=True):
        assert data[0] == [3, 1, 2][int(x)]


def test_the_queries_share_one_scale() -> None:
    spec = read(queries(raw=True))
    np.testing.assert_allclose(spec["data"][0]["z"], RAW / np.abs(RAW).max(), rtol=1e-6)


def test_the_atlas_frames_its_head_and_clicks_name_heads() -> None:
    spec = read(atlas())
    maps = [trace for trace in spec["data"] if trace["type"] == "heatmap"]
    assert [trace["z"].shape for trace in maps] == [(4, 3), (4, 3)]
    frames = [(s["x0"], s["y0"], s["xref"], s["yref"]) for s in spec["layout"]["shapes"]]
    assert frames == [(1.5, 0.5, "x", "y"), (1.5, 0.5, "x2", "y2")]
    assert maps[0]["zmin"] == maps[1]["zmin"] <= min(trace["z"].min() for trace in maps)
    targets = clicks(spec)
    assert [data[1:] for data in targets["customdata"]][:4] == [[0, 0], [1, 0], [2, 0], [0, 1]]


def test_agreement_has_its_intervals() -> None:
    by_model, by_gold = read(agreement_figure(AGREEMENT))["data"]
    np.testing.assert_allclose(by_model["x"], [0.9])
    np.testing.assert_allclose(by_model["error_x"]["array"], [0.05], atol=1e-6)
    np.testing.assert_allclose(by_model["error_x"]["arrayminus"], [0.1], atol=1e-6)
    np.testing.assert_allclose(by_gold["x"], [0.7, 0.5])
    assert len(set(by_gold["y"])) == 2
