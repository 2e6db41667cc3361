"""Figures: arrays arrive unchanged, text stays text, colours stay with their task, and plotly accepts what is sent."""

import base64
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.figures import (
    Panel,
    answer_figure,
    assign_colours,
    bars_figure,
    by_family_figure,
    by_k_figure,
    calibration_figure,
    demonstration_figure,
    head_figure,
    kernel_figure,
    learning_figure,
    mixture_figure,
    open_figure,
    path_figure,
    token_figure,
)
from core.figures.base import escape, shorten, wrap
from core.figures.colours import MARK, OTHERS, TASK_COLOURS
from core.figures.posterior.layers import layers_figure
from core.figures.posterior.posterior import importance

TASKS = tuple(f"task {i}" for i in range(12))
WEIGHTS = np.stack([np.full(12, 1 / 12), np.r_[0.7, 0.2, 0.05, np.full(9, 0.05 / 9)]])
CURVE = [{"step": i, "tokens": 1000.0 * i, "loss": 2.0 / (i + 1), "kl": 1.0 / (i + 1)} for i in range(5)]


def read(figure: go.Figure) -> dict[str, Any]:
    """A figure as it is sent, its packed arrays unpacked again."""

    def unpack(value: Any) -> Any:
        if isinstance(value, dict) and "bdata" in value:
            flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
            return flat.reshape([int(n) for n in value["shape"].split(",")]) if "shape" in value else flat
        if isinstance(value, dict):
            return {key: unpack(inner) for key, inner in value.items()}
        return [unpack(inner) for inner in value] if isinstance(value, list | tuple) else value

    return unpack(figure.to_dict())


def kernels(marked: int | None = None) -> go.Figure:
    cells = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    return kernel_figure(
        ["attention", "hidden"],
        cells,
        cells * 2,
        ["a", "b"],
        "a",
        ["x1", "x2", "<b>x3"],
        ["a", "b", "b"],
        [3, 1, 2],
        marked,
    )


OPEN = [
    {"entropy": name, "probes": 0.1, "probes_low": 0.08, "probes_high": 0.13, "decoded": None}
    for name in ("0 – 0.05", "above 1.5")
]


def every_figure() -> dict[str, go.Figure]:
    panels = [Panel("exact", TASKS, WEIGHTS), Panel("implicit", TASKS, WEIGHTS), Panel("mine", ("a", "b"), np.eye(2))]
    colours = assign_colours(*importance(panels))
    return {
        "answer": answer_figure(["yes", "no"], [0.6, 0.4], [0.5, 0.5], gold="no"),
        "answer alone": answer_figure(["yes"], [1.0]),
        "bars": bars_figure(panels, 1, colours),
        "path": path_figure(panels, 1, colours),
        "kernels": kernels(2),
        "heads": head_figure(np.eye(3, 2), "1"),
        "demonstrations": demonstration_figure(
            np.ones((2, 2, 3)) / 3, ["1", "2", "query"], [2, 1, None], ["a", "b", "c"], 1
        ),
        "tokens": token_figure(np.tril(np.ones((4, 4))), list("abcd"), [1, 1, None, None], (0, 1), 1),
        "mixture": mixture_figure(["a", "b", "c"], [0.5, 0.3, 0.2], {"a": "d", "b": "d", "c": "e"}),
        "learning": learning_figure(CURVE),
        "by k": by_k_figure([{"k": k, "kl": 0.1, "accuracy_model": 0.9, "accuracy_bayes": 0.95} for k in range(3)]),
        "layers": layers_figure(["a", "b", "c"], np.full((3, 3), 1 / 3), np.eye(3)[0], {"a": "#000000"}),
        "open": open_figure(OPEN, "entropy"),
        "calibration": calibration_figure(
            [{"of": of, "said": 0.5, "true": 0.4, "cases": 3} for of in ("answer", "posterior")]
        ),
        "by family": by_family_figure(["a", "b"], [0.01, 0.2], target=0.08),
    }


@pytest.mark.parametrize("name", list(every_figure()))
def test_plotly_accepts_every_property(name: str) -> None:
    # Figures are built without plotly's checks; here they are made up for.
    go.Figure(every_figure()[name].to_dict())


@pytest.mark.parametrize("name", list(every_figure()))
def test_numbers_travel_as_float32(name: str) -> None:
    for trace in read(every_figure()[name])["data"]:
        for field in ("x", "y", "z", "values"):
            if isinstance(values := trace.get(field), np.ndarray):
                assert values.dtype == np.float32, field


@given(st.text())
def test_nothing_typed_becomes_markup(text: str) -> None:
    for safe in (escape(text), shorten(text), wrap(text).replace("<br>", "")):
        assert "<" not in safe
        assert ">" not in safe
        assert "%{" not in safe
        assert "\n" not in safe


@given(st.text(min_size=40), st.integers(4, 30))
def test_shortened_text_fits(text: str, width: int) -> None:
    assert (
        shorten(text.replace("&", "x").replace("<", "x").replace(">", "x").replace("%{", "xx"), width).__len__()
        <= width
    )


def test_open_bars_carry_their_intervals_and_leave_out_what_was_not_measured() -> None:
    (bars,) = read(open_figure(OPEN, "entropy"))["data"]
    assert bars["x"] == ["0 – 0.05", "above 1.5"]
    np.testing.assert_allclose(bars["error_y"]["array"], 0.03, atol=1e-6)
    np.testing.assert_allclose(bars["error_y"]["arrayminus"], 0.02, atol=1e-6)


def test_answer_sorts_by_the_model_and_sums_up_the_rest() -> None:
    p = np.array([0.05, 0.4, 0.1, 0.1, 0.1, 0.1, 0.05, 0.1])
    figure = read(answer_figure([f"l{i}" for i in range(8)], p, most=4))
    (bars,) = figure["data"]
    np.testing.assert_allclose(bars["x"], [0.4, 0.1, 0.1, 0.4], atol=1e-6)
    assert figure["layout"]["yaxis"]["ticktext"] == ["l1", "l2", "l3", "5 others"]


def test_answer_marks_the_right_label() -> None:
    assert read(answer_figure(["yes", "no"], [0.6, 0.4], gold="no"))["layout"]["yaxis"]["ticktext"] == [
        "yes",
        "★ no",
    ]


def test_colours_are_distinct_and_kept_while_the_data_changes() -> None:
    first = assign_colours(TASKS, WEIGHTS[1])
    assert len(set(first.values())) == len(first)
    # New leaders come in; those who stay keep theirs.
    moved = np.full(12, 0.02)
    moved[[0, 1, 8, 9]] = 0.2
    second = assign_colours(TASKS, moved, first)
    assert {t: second[t] for t in ("task 0", "task 1")} == {t: first[t] for t in ("task 0", "task 1")}
    assert len(set(second.values())) == len(second) <= len(TASK_COLOURS)


def test_colours_of_a_fresh_study_depend_on_nothing_else() -> None:
    assert assign_colours(TASKS, WEIGHTS[1]) == assign_colours(TASKS, WEIGHTS[1], {})


def test_posterior_rows_stay_in_place_and_add_up() -> None:
    panels = [Panel("exact", TASKS, WEIGHTS)]
    colours = assign_colours(*importance(panels), floor=0.02)
    before, after = (read(bars_figure(panels, n, colours)) for n in (0, 1))
    assert before["layout"]["yaxis"]["ticktext"] == after["layout"]["yaxis"]["ticktext"]
    assert before["data"][0]["x"].sum() == pytest.approx(1, abs=1e-5)
    assert after["data"][0]["x"].sum() == pytest.approx(1, abs=1e-5)
    assert after["data"][0]["marker"]["color"][-1] == OTHERS


def test_a_line_under_every_bar_spans_its_interval() -> None:
    """Of the panel that has intervals alone, the row of all others too; ends by hand."""
    panels = [Panel("exact", TASKS, WEIGHTS), Panel("implicit", TASKS, WEIGHTS, reach=[0.05, 0.2])]
    colours = assign_colours(*importance(panels))
    figure = read(bars_figure(panels, 1, colours))
    bars, lines = figure["data"][1], figure["layout"]["shapes"]
    assert len(lines) == len(bars["x"]) > 1
    assert {(line["xref"], line["yref"]) for line in lines} == {("x2", "y2")}
    for bar, line, hover in zip(bars["x"], lines, np.asarray(bars["customdata"]), strict=True):
        ends = np.sin(np.clip(np.arcsin(np.sqrt(bar)) + np.array([-0.2, 0.2]), 0, np.pi / 2)) ** 2
        assert [line["x0"], line["x1"]] == pytest.approx(ends.tolist(), abs=1e-3)
        assert hover[1] == f"<br>exact Bayes within {line['x0']:.3f} – {line['x1']:.3f}"
    assert all(hover[1] == "" for hover in np.asarray(figure["data"][0]["customdata"]))


def test_n_past_the_end_shows_the_last_row() -> None:
    panels = [Panel("exact", TASKS, WEIGHTS)]
    colours = assign_colours(*importance(panels))
    np.testing.assert_array_equal(
        read(bars_figure(panels, 99, colours))["data"][0]["x"],
        read(bars_figure(panels, 1, colours))["data"][0]["x"],
    )


def test_path_draws_every_coloured_task_and_the_rest() -> None:
    panels = [Panel("exact", TASKS, WEIGHTS)]
    colours = assign_colours(*importance(panels), floor=0.1)
    data = read(path_figure(panels, 0, colours))["data"]
    assert [trace["name"] for trace in data] == ["task 0", "task 1", "others"]
    np.testing.assert_allclose(sum(trace["y"] for trace in data), [1, 1], atol=1e-5)


def test_kernels_show_the_weights_and_frame_the_marked_one() -> None:
    figure = read(kernels(2))
    np.testing.assert_allclose(figure["data"][0]["z"], [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], atol=1e-6)
    (frame,) = figure["layout"]["shapes"]
    assert (frame["x0"], frame["x1"], frame["line"]["color"]) == (1.5, 2.5, MARK)  # number 2 is the third column
    assert [note["text"][0] for note in figure["layout"]["annotations"][:2]] == ["✓", "✗"]


def test_kernels_with_negative_weights_diverge_around_nothing() -> None:
    cells = np.array([[0.9, -0.2, 0.3]])
    figure = read(kernel_figure(["exact"], cells, cells, ["a"], "a", list("xyz"), list("aab"), [1, 2, 3]))
    assert figure["data"][0]["zmin"] == -figure["data"][0]["zmax"]


def test_kernels_with_no_weight_at_all_are_blank_not_broken() -> None:
    cells = np.zeros((1, 2))
    figure = read(kernel_figure(["exact"], cells, cells, [None], "a", ["x", "y"], ["a", "b"], [1, 2]))
    assert figure["data"][0]["zmax"] == 1.0


def test_clicks_carry_the_number_of_the_column() -> None:
    targets = read(kernels())["data"][-1]
    assert targets["customdata"][0] == [3, 0, 0]
    assert targets["customdata"][-1] == [2, 2, 1]


def test_only_a_marked_demonstration_is_framed() -> None:
    pooled = np.ones((1, 2, 2)) / 2
    for marked, frames in ((None, 0), (7, 1), (8, 0)):
        figure = demonstration_figure(pooled, ["1", "query"], [7, None], ["a", "b"], marked)
        assert len(read(figure)["layout"]["shapes"]) == frames


def test_long_token_maps_are_cut_to_what_a_browser_draws() -> None:
    t = 600
    figure = token_figure(np.ones((t, t), dtype=np.float32), ["x"] * t, [None] * t, (0, 0))
    assert read(figure)["data"][0]["z"].shape == (512, 512)


def test_treemap_totals_are_the_domains() -> None:
    data = read(every_figure()["mixture"])["data"][0]
    assert data["parents"] == ["", "", "d:d", "d:d", "d:e"]
    np.testing.assert_allclose(data["values"], [0, 0, 0.5, 0.3, 0.2], atol=1e-6)


def test_families_past_the_target_stand_out() -> None:
    data = read(every_figure()["by family"])["data"][0]
    assert data["marker"]["color"][0] != data["marker"]["color"][1]
    np.testing.assert_allclose(data["x"], [0.2, 0.01], atol=1e-6)
