"""A new strategy of each kind, one file each, stands on every page that lists its kind, and works there."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from core import Study, run
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import questions_of
from core.kernels import kernels
from core.models import LanguageModel
from core.ordering import orderings
from core.reasoning import reasonings
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections
from tests.pages.conftest import Page, Start
from tests.strategies.conftest import plugged  # noqa: F401 (a fixture)
from tests.strategies.test_one_file_each import STUDY

pytestmark = pytest.mark.usefixtures("plugged")

ASKED = STUDY.model_copy(update={"gold": "foo", "posteriors": ("exact",)})
PATIENCE = 120


def settle(page: Page) -> Page:
    """Run until no job is under way."""
    deadline = time.monotonic() + PATIENCE
    while any(button.label == "Cancel" for button in page.at.button):
        assert time.monotonic() < deadline, "a job did not come to its end"
        time.sleep(0.2)
        page.run()
    assert not page.at.error
    return page


def opened(start: Start, page: str, study: Study = ASKED, **state: Any) -> Page:
    """A page with this study."""
    found = start(page)
    for key, value in state.items():
        found.at.session_state[key] = value
    return settle(found.edit(**dict(study)))


def chart(page: Page, key: str) -> dict[str, Any]:
    """The figure of this key."""
    return page.plots[key]


def words(page: Page) -> str:
    """All that stands on the page as text."""
    return page.said + "\n".join(str(element.value) for element in (*page.at.markdown, *page.at.html))


def options(page: Page, kind: str, key: str) -> list[str]:
    """What a widget offers, as it is shown."""
    return list(getattr(page.at, kind)(key=key).options)


def test_playground(start: Start, model: LanguageModel) -> None:
    page = opened(start, "", frame_more=True)
    menus = {"selection": selections, "ordering": orderings, "scoring": scorers, "calibration": calibrations}
    for key, registry in {**menus, "reasoning": reasonings}.items():
        assert options(page, "selectbox", f"frame_{key}") == [entry.title for entry in registry]
    outcome = run(page.study, model)
    weights = np.asarray(page.chart("kernels")["data"][0]["z"])
    np.testing.assert_allclose(weights, [k.normalised for k in outcome.kernels.values()], atol=1e-4)
    assert list(outcome.kernels) == [entry.name for entry in kernels if entry.every_run]
    assert {"attention", "hidden", "exact", "same-letter"} <= set(outcome.kernels)
    page.edit(reasoning="restate", longest=4)
    assert page.has_chart("answer")


def test_scoring(start: Start) -> None:
    page = opened(start, "pages/scoring.py", ASKED.model_copy(update={"calibration": "none"}))
    table = json.dumps(chart(page, "scoring_table"), default=lambda array: array.tolist())
    assert "Mean direct" in table
    assert "Dots" in table
    assert "÷ 1 token " in words(page)
    page.edit(calibration="dots")
    settle(page)
    assert "“. .”" in words(page)


def test_kernel(start: Start, model: LanguageModel) -> None:
    page = opened(start, "pages/kernel.py")
    deadline = time.monotonic() + PATIENCE
    while "kernel_weights" not in page.plots:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        page.run()
    assert "Same letter" in json.dumps(chart(page, "kernel_weights"), default=lambda array: array.tolist())
    page.at.session_state["kernel_rows"] = "Chosen"
    page.run()
    assert "Same letter" in options(page, "multiselect", "kernel_chosen")


def test_selection(start: Start, model: LanguageModel) -> None:
    page = opened(start, "pages/selection.py")
    assert "Longest" in json.dumps(chart(page, "selection_table"), default=lambda array: array.tolist())
    assert "the number of characters of the input" in page.said, "what its score is"
    assert "Longest" in options(page, "multiselect", "selection_names")
    page.at.multiselect(key="selection_names").set_value(["longest"])
    settle(page.run())
    source = page.at.selectbox(key="selection_questions_source").value
    found = evaluate([ASKED], model, questions_of(ASKED, model, source, 50, 0))
    np.testing.assert_allclose(chart(page, "selection_accuracy")["data"][0]["x"], found.accuracy, atol=1e-6)


def test_ordering(start: Start) -> None:
    page = opened(start, "pages/ordering.py", ordering_questions_count=10)
    strategies = next(frame.value for frame in page.at.dataframe if "Strategy" in frame.value)
    assert "Alphabetical" in list(strategies["Strategy"])


def test_reasoning(start: Start, model: LanguageModel) -> None:
    study = ASKED.model_copy(update={"reasoning": "restate", "longest": 4})
    page = opened(start, "pages/reasoning.py", study)
    assert "Restate" in options(page, "segmented_control", "reasoning_method")
    outcome = run(page.study, model)
    assert outcome.reasoning is not None
    for place, stage in enumerate(outcome.reasoning.stages, start=1):
        assert f"**{place} · {stage.name}" in words(page)
    page.at.segmented_control(key="reasoning_view").set_value("Many questions")
    settle(page.run())
    assert "Restate" in options(page, "pills", "reasoning_methods")
