"""Figures of the Posterior page: numbers arrive unchanged, text stays text, and plotly accepts what is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.colours import MARK, MODEL, OTHERS
from core.figures.posterior.gains import REACH, gains_figure
from core.figures.posterior.mixture import task_mixture_figure
from core.figures.posterior.orders import Strip, orders_figure
from core.figures.posterior.posterior import Panel, bars_figure, path_figure
from core.figures.posterior.steps import StepLine, steps_figure
from core.figures.posterior.twice import twice_figure
from tests.figures.test_figures import read

GAINS = np.array([[0.5, -20.0], [3.0, 0.01], [-1.25, 0.0]])  # three demonstrations, two tasks
SHARES = np.array([[0.5, 0.1, 0.0, 0.05], [0.1, 0.1, 0.01, 0.04], [0.05, 0.03, 0.01, 0.01]])
OWN = np.array([0.7, 0.2, 0.02, 0.08])
LABELS = ("chat", "<b>cat", "other", "any other text")
COLOURS = {"French": "#0072B2", "copy": "#E69F00"}
VALUES = np.array([[0.2, 0.8], [0.3, 0.7], [0.25, 0.75]])


def gains(marked: int | None = None, n: int | None = None) -> go.Figure:
    return gains_figure(GAINS, ["French", "a<b>"], ["x", "y", "z"], ["a", "b", "c"], [3, 1, 2], marked, n)


def every_figure() -> dict[str, go.Figure]:
    strip = Strip("answer", ("chat", "<i>cat"), VALUES, np.array([0.25, 0.75]), (MODEL, OTHERS), "spread .1")
    bare = Strip("posterior", ("chat",), VALUES[:, :1], None, (MODEL,))
    bars = [("once", [0.2, 0.8], MODEL, "/"), ("twice", [0.1, 0.9], MODEL, "")]
    lines = [
        StepLine("exact – <implicit>", [0.0, np.nan, 0.5], MODEL),
        StepLine("b", [1, 2, 3], OTHERS, "dot", "right"),
    ]
    return {
        "gains": gains(2, 1),
        "steps": steps_figure(lines, 1, "nats", "labels alone"),
        "steps, bounded": steps_figure(lines[:1], 1, "TV", top=1.0),
        "mixture": task_mixture_figure(LABELS, OWN, SHARES, ("French", "copy", "plural"), COLOURS, "chat"),
        "orders": orders_figure([strip, bare], ["1 2", "2 1", "1 1"]),
        "one order": orders_figure([bare], ["1"]),
        "twice": twice_figure([("answer", "", ["a", "<b>"], bars), ("posterior", "note", ["c", "d"], bars)]),
    }


@pytest.mark.parametrize("name", list(every_figure()))
def test_plotly_accepts_every_property(name: str) -> None:
    go.Figure(every_figure()[name].to_dict())


@pytest.mark.parametrize("name", list(every_figure()))
def test_numbers_travel_as_float32_and_nothing_typed_is_markup(name: str) -> None:
    sent = read(every_figure()[name])
    for trace in sent["data"]:
        for field in ("x", "y", "z"):
            if isinstance(values := trace.get(field), np.ndarray):
                assert values.dtype == np.float32, field
        assert "<" not in str(trace.get("name", "")).replace("<br>", "")
    ticks = [str(sent["layout"].get(axis, {}).get("ticktext", "")) for axis in ("yaxis", "yaxis2")]
    assert all(mark not in tick for tick in ticks for mark in ("<b>c", "<i>", "a<b>", "<b>'"))


def test_gains_are_cut_off_in_colour_and_not_in_number() -> None:
    heatmap, letters, targets = read(gains())["data"]
    np.testing.assert_allclose(heatmap["z"], [[0.5, 3.0, -1.25], [-REACH, 0.01, 0.0]])
    np.testing.assert_allclose(np.asarray(heatmap["customdata"])[1, 0, 0], -20.0)
    assert letters["text"] == ["+0.5", "+3.0", "−1.2", "−20.0", "", ""]
    assert targets["customdata"][:3] == [[3, 0, 0], [1, 1, 0], [2, 2, 0]]


def test_gains_frame_the_marked_one_and_veil_what_does_not_count_yet() -> None:
    shapes = read(gains(marked=1, n=2))["layout"]["shapes"]
    assert [(s["x0"], s["x1"]) for s in shapes] == [(0.5, 1.5), (1.5, 2.5)]
    assert shapes[0]["line"]["color"] == MARK
    assert read(gains(n=3))["layout"].get("shapes", []) == []


def test_mixture_stacks_add_up_to_the_predictive() -> None:
    own, *stacks = read(every_figure()["mixture"])["data"]
    np.testing.assert_allclose(own["x"], OWN, rtol=1e-6)
    np.testing.assert_allclose(sum(trace["x"] for trace in stacks), SHARES.sum(0), rtol=1e-6)
    assert [trace["name"] for trace in stacks] == ["French", "copy", "1 other task"]
    assert read(every_figure()["mixture"])["layout"]["yaxis"]["ticktext"][0] == "★ chat"


def test_mixture_sums_up_labels_beyond_the_room() -> None:
    own = np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.1])
    labels = [f"l{i}" for i in range(6)] + ["any other text"]
    figure = read(task_mixture_figure(labels, own, own[None], ("t",), {"t": MODEL}, most=4))
    assert figure["layout"]["yaxis"]["ticktext"] == ["l0", "l1", "4 others", "any other text"]
    np.testing.assert_allclose(figure["data"][0]["x"], [0.3, 0.2, 0.4, 0.1], rtol=1e-6)


def test_a_dot_an_order_and_a_diamond_for_bayes() -> None:
    data = read(every_figure()["orders"])["data"]
    np.testing.assert_allclose(data[0]["x"], VALUES[:, 0])
    assert data[0]["customdata"] == ["1 2", "2 1", "1 1"]
    assert data[0]["marker"]["line"]["width"] == [2.0, 0.0, 0.0], "the order given is ringed"
    np.testing.assert_allclose(data[2]["x"], [0.25, 0.75])
    assert data[2]["marker"]["symbol"] == "diamond-tall"
    np.testing.assert_allclose(np.round(data[1]["y"]), 1.0), "dots stay on their row"


def test_steps_leave_gaps_and_mark_n() -> None:
    sent = read(every_figure()["steps"])
    assert np.isnan(sent["data"][0]["y"][1])
    assert sent["data"][1]["yaxis"] == "y2"
    (band,) = sent["layout"]["shapes"]
    assert (band["x0"], band["x1"]) == (1, 1)


def test_twice_has_one_legend_for_all_panels() -> None:
    data = read(every_figure()["twice"])["data"]
    assert [trace["showlegend"] for trace in data] == [True, True, False, False]
    assert {trace["xaxis"] for trace in data} == {"x", "x2"}


@pytest.mark.parametrize("figure", [bars_figure, path_figure])
def test_three_panels_say_their_notes_a_clause_a_line(figure: Any) -> None:
    """Side by side on one line each they would run into each other; two panels have the room."""
    notes = ("prompt fits, log P(D) −3.2", "answers fit, residual 0.1 nats, condition 2", "")
    panels = [Panel(f"p{i}", ("a", "b"), [[0.5, 0.5], [0.9, 0.1]], note) for i, note in enumerate(notes)]
    colours = {"a": "#000000", "b": "#111111"}
    three, two = (figure(some, 1, colours)["layout"] for some in (panels, panels[:2]))
    lines = [title["text"].split("<br>")[1:] for title in three["annotations"]]
    assert [len(some) for some in lines] == [3, 3, 3]  # level with each other
    assert "residual 0.1 nats" in lines[1][1]
    assert three["margin"]["t"] == two["margin"]["t"] + 2 * 14
    assert [title["text"].count("<br>") for title in two["annotations"]] == [1, 1]
