"""The Kernel page: every view shows what core computes, and every control changes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core import run
from core.analysis.kernel.head_atlas import head_atlas
from core.analysis.kernel.weight_table import kernel_table
from core.evaluation.items import items_from_mixture, items_from_pool
from core.kernels.variants import one_of_each, variants
from core.mixture.mixture import load_mixture
from core.models import LanguageModel
from pages.ui.session.examples import examples
from tests.pages.conftest import Page, Start

WITH_POOL = next(example for example in examples() if example.study.pool).study
FEW = {"kernel_atlas_count": 6, "kernel_atlas_k": 4, "kernel_atlas_kinds": ["codebook"]}


@pytest.fixture
def kernel(start: Start) -> Page:
    return start("pages/kernel.py")


def chart(page: Page, name: str) -> dict[str, Any] | None:
    return page.plots.get(f"kernel_{name}")


def drawn(page: Page, name: str, timeout: float = 60) -> dict[str, Any]:
    """The chart, once its job is done."""
    deadline = time.monotonic() + timeout
    while (spec := chart(page, name)) is None:
        assert time.monotonic() < deadline, page.said
        time.sleep(0.1)
        page.run()
    return spec


def put(page: Page, **values: Any) -> Page:
    for key, value in values.items():
        page.at.session_state[key] = value
    return page.run()


def same_weights(page: Page, model: LanguageModel, select: Callable[[Any], bool] | None = None) -> None:
    study = page.study
    offered = variants(model.layers, model.heads)
    rows = [v for v in offered if select(v)] if select else list(one_of_each(study, offered, model.layers))
    outcome = run(study, model)
    table = kernel_table(study, model, outcome.demonstrations, rows, [study.query])
    spec = drawn(page, "weights")
    expected = [row[0].normalised for row in table.kernels]
    np.testing.assert_allclose(np.asarray(spec["data"][0]["customdata"])[..., 0], expected, atol=1e-4)


def test_one_of_each_every_layer_every_head_and_chosen(kernel: Page, model: LanguageModel) -> None:
    same_weights(kernel, model)
    put(kernel, kernel_rows="Every layer")
    same_weights(kernel, model, lambda v: v.kernel == "hidden")
    put(kernel, kernel_rows="Every head")
    same_weights(kernel, model, lambda v: v.kernel == "attention")
    put(kernel, kernel_rows="Chosen")
    same_weights(kernel, model)
    put(kernel, kernel_chosen=["Attention 1.0", "Exact"])
    same_weights(kernel, model, lambda v: v.name in ("Exact", "Attention 1.0"))
    put(kernel, kernel_chosen=[])
    assert "Choose a kernel" in kernel.said


def test_raw_weights(kernel: Page) -> None:
    normalised = drawn(kernel, "weights")["data"][0]["customdata"]
    raw = drawn(put(kernel, kernel_scale="Raw"), "weights")["data"][0]["customdata"]
    np.testing.assert_allclose(np.asarray(raw)[..., 0], np.asarray(normalised)[..., 1])
    np.testing.assert_allclose(np.asarray(raw)[..., 1], np.asarray(normalised)[..., 0])


def test_settings_reach_the_study(kernel: Page, model: LanguageModel) -> None:
    at = kernel.at
    assert at.slider(key="kernel_bandwidth").disabled
    at.multiselect(key="kernel_heads").set_value(["1.0", "2.1"])
    at.selectbox(key="kernel_similarity").set_value("rbf")
    at.get_by_key("kernel_span").set_value("label")
    at.get_by_key("kernel_pooling").set_value("sum")
    kernel.run()
    assert not at.slider(key="kernel_bandwidth").disabled
    at.slider(key="kernel_bandwidth").set_value(2.5)
    kernel.run()
    study = kernel.study
    assert (study.heads, study.similarity, study.bandwidth) == (((1, 0), (2, 1)), "rbf", 2.5)
    assert (study.span, study.pooling) == ("label", "sum")
    same_weights(kernel, model)


def test_the_exact_kernel_says_when_nothing_shares_a_label(kernel: Page) -> None:
    drawn(kernel, "weights")  # horse -> cheval, shown are other words
    assert any("no input shown is likely to share" in str(warning.value) for warning in kernel.at.warning)
    kernel.edit(**dict(WITH_POOL))
    drawn(kernel, "weights")
    assert not kernel.at.warning


def test_order_is_said_to_be_beyond_kernels(kernel: Page) -> None:
    drawn(kernel, "weights")
    assert "cannot explain an effect of order" in kernel.said


def test_a_sentence_encoder_that_is_not_there_is_named(kernel: Page) -> None:
    put(kernel, kernel_encoders=["/no/such/folder"], kernel_rows="Chosen")
    put(kernel, kernel_chosen=["Exact", "Encoder: folder"])
    spec = drawn(kernel, "weights")
    assert len(spec["data"][0]["customdata"]) == 1
    assert "There is no sentence encoder" in kernel.said


def test_nothing_shown_and_nothing_asked(kernel: Page) -> None:
    kernel.edit(demonstrations=())
    assert "none is shown" in kernel.said
    kernel.edit(query="")
    assert kernel.at.error
    assert chart(kernel, "weights") is None


def test_other_queries(kernel: Page, model: LanguageModel) -> None:
    kernel.edit(**dict(WITH_POOL))
    put(kernel, kernel_view="Queries", kernel_queries=["a very good film", "unheard of"], kernel_drawn=3)
    kernel.at.selectbox(key="kernel_kernel").set_value("Prediction")
    kernel.run()
    spec = drawn(kernel, "over_queries")
    outcome = run(kernel.study, model)
    ticks = spec["layout"]["yaxis"]["ticktext"]
    assert len(ticks) == 6
    assert ticks[1:3] == ["a very good film", "unheard of"]
    (prediction,) = [v for v in variants(model.layers, model.heads) if v.name == "Prediction"]
    queries = [kernel.study.query, "a very good film", "unheard of"]
    table = kernel_table(kernel.study, model, outcome.demonstrations, [prediction], queries)
    weights = np.asarray(spec["data"][0]["customdata"])[:3, :, 0]
    np.testing.assert_allclose(weights, [k.normalised for k in table.kernels[0]], atol=1e-4)
    words = spec["data"][-1]["text"]
    assert words[1] == outcome.answer.best
    put(kernel, kernel_drawn=0)
    assert len(drawn(kernel, "over_queries")["layout"]["yaxis"]["ticktext"]) == 3


def test_the_atlas_of_the_mixture(kernel: Page, model: LanguageModel) -> None:
    put(kernel, kernel_view="Head atlas", **FEW)
    spec = drawn(kernel, "atlas_map")
    mixture = load_mixture()
    families = [family.name for family in mixture.details if family.kind == "codebook"]
    atlas = head_atlas(kernel.study, model, items_from_mixture(mixture, families, 4, 6, 0))
    choice = atlas.choose()
    maps = [trace for trace in spec["data"] if trace["type"] == "heatmap"]
    np.testing.assert_allclose(maps[0]["z"], atlas.agreement("model")[choice.reading], atol=1e-6)
    np.testing.assert_allclose(maps[1]["z"], atlas.agreement("gold")[choice.reading], atol=1e-6)
    assert "Label balance" in kernel.said
    rows = drawn(kernel, "atlas_agreement")["layout"]["yaxis"]["ticktext"]
    assert rows[0] == f"Attention {choice.layer}.{choice.head}, chosen"
    assert {"Exact", "Prediction", "Always the commonest label", "The model itself"} <= set(rows)
    kernel.at.selectbox(key="kernel_atlas_reading").set_value(3)
    kernel.run()
    assert "summed weight in the label" in "\n".join(str(m.value) for m in kernel.at.markdown)


def test_the_atlas_of_the_pool(kernel: Page, model: LanguageModel) -> None:
    kernel.edit(**dict(WITH_POOL))
    put(kernel, kernel_view="Head atlas", kernel_atlas_source="Pool, leaving one out", **FEW)
    spec = drawn(kernel, "atlas_map")
    atlas = head_atlas(kernel.study, model, items_from_pool(kernel.study, 4, 6, 0))
    maps = [trace for trace in spec["data"] if trace["type"] == "heatmap"]
    np.testing.assert_allclose(maps[0]["z"], atlas.agreement("model")[atlas.choose().reading], atol=1e-6)
    put(kernel, kernel_atlas_k=100)
    deadline = time.monotonic() + 30
    while not kernel.at.error and time.monotonic() < deadline:
        kernel.run()
    assert "different inputs in the pool" in str(kernel.at.error[0].value)


def test_no_kind_of_task_is_a_sentence(kernel: Page) -> None:
    put(kernel, kernel_view="Head atlas", **{**FEW, "kernel_atlas_kinds": []})
    deadline = time.monotonic() + 30
    while not kernel.at.error and time.monotonic() < deadline:
        kernel.run()
    assert "Choose at least one task" in str(kernel.at.error[0].value)


def test_settings_survive_a_look_at_another_page(kernel: Page) -> None:
    put(kernel, kernel_view="Queries", kernel_scale="Raw", kernel_drawn=5)
    kernel.at.switch_page("pages/playground.py").run()
    kernel.at.switch_page("pages/kernel.py").run()
    kernel.check()
    assert kernel.at.session_state["kernel_view"] == "Queries"
    assert kernel.at.session_state["kernel_drawn"] == 5
    assert kernel.at.session_state["kernel_scale"] == "Raw"


def test_convergence_needs_no_study_that_runs(kernel: Page) -> None:
    kernel.at.session_state["kernel_view"] = "Convergence"
    kernel.edit(query="")
    assert any("There is no query" in error.value for error in kernel.at.error)
    assert [group for group in kernel.at.button_group if group.key == "kernel_convergence_source"]
    assert "Nothing to show" not in kernel.said
    kernel.at.button(key="kernel_convergence_hmm_cancel").click()
    kernel.run()
