"""The convergence view alone: its controls, its progress, its table and file, with small worlds so that it is quick."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.kernel.convergence import model_convergence
from core.hidden_markov.convergence import NUMBERS, PUBLISHED
from core.study.study import ModelChoice
from pages.ui.components.card import save_csv
from pages.ui.jobs import analysis
from pages.ui.kernel import convergence as view
from tests.pages.conftest import plots_of

P = "kernel_convergence_"
SMALL = {"tasks": 2, "states": 6, "observations": 10, "length": 1, "seeds": 2}


def script() -> None:
    from pages.ui.frame import parts
    from pages.ui.kernel.convergence import CARD
    from pages.ui.session import state

    state.start()
    parts.begin()
    parts.framed(CARD)
    parts.end()


class View:
    """A session that shows the view and nothing else."""

    def __init__(self, **settings: Any) -> None:
        self.at = AppTest.from_function(script, default_timeout=120)
        for name, value in {**SMALL, **settings}.items():
            self.at.session_state[P + name] = value

    def run(self, wait: bool = True) -> View:
        """Until no job is under way."""
        self.at.run()
        for _ in range(600):
            assert not self.at.exception, self.at.exception[0].message
            if not wait or not self.buttons(P + "hmm_cancel", P + "model_cancel"):
                return self
            time.sleep(0.1)
            self.at.run()
        raise AssertionError("the job never ended")

    def buttons(self, *keys: str) -> list[str]:
        return [button.key for button in self.at.button if button.key in keys]

    def choose(self, name: str, value: Any) -> View:
        self.at.selectbox(key=P + name).set_value(value)
        return self.run()

    def chart(self, name: str = "chart") -> dict[str, Any]:
        return plots_of(self.at)[f"{P}{name}"]

    def names(self, name: str = "chart") -> list[str]:
        return [trace["name"] for trace in self.chart(name)["data"] if "markers" in trace["mode"]]

    @property
    def table(self) -> Any:
        (frame,) = self.at.dataframe
        return frame.value

    @property
    def said(self) -> str:
        kinds = (self.at.error, self.at.info, self.at.caption)
        return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    """Another test's results are not this one's."""
    analysis._results.clear()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The rows of the file that the view last offered."""
    rows: list[dict[str, Any]] = []

    def keep(label: str, name: str, records: Callable[[], list[dict[str, Any]]], *, help: str = "") -> None:
        rows[:] = records()
        save_csv(label, name, records, help=help)

    monkeypatch.setattr(view, "save_csv", keep)
    return rows


def test_the_curves_the_table_and_the_published_figures() -> None:
    page = View().run()
    assert page.names() == [
        "operator kernel",
        "with negative weights",
        "all weights equal",
        "published (Han et al. 2023)",
    ]
    markers = page.chart()["data"][-1]
    np.testing.assert_allclose(markers["y"], PUBLISHED, rtol=1e-6)
    assert list(page.table.columns) == ["n", "published", *page.names()[:3]]
    assert page.table["n"].tolist() == list(NUMBERS)
    kernel = page.chart()["data"][1]["y"]
    assert [float(text.split(" ±")[0]) for text in page.table["operator kernel"]] == pytest.approx(kernel, abs=6e-4)
    assert kernel[-1] < kernel[0]
    assert "Rank of Σ" in page.said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tasks", 4),
        ("states", 8),
        ("observations", 20),
        ("length", 2),
        ("seeds", 4),
        ("differ", "start"),
        ("temperature", 0.2),
    ],
)
def test_every_control_changes_the_curve(name: str, value: Any) -> None:
    page = View().run()
    before = page.chart()["data"][1]["y"]
    after = page.choose(name, value).chart()["data"][1]["y"]
    assert not np.allclose(before, after)


def test_another_norm_computes_nothing_anew_and_leaves_the_published_figures_out() -> None:
    page = View().run().choose("norm", "max")
    assert "published" not in page.table.columns
    assert len(page.names()) == 3
    assert page.chart()["data"][1]["y"].max() <= 1


def test_states_stay_a_multiple_of_the_tasks() -> None:
    page = View(tasks=8, states=80, seeds=2).run(wait=False)
    page.at.selectbox(key=P + "tasks").set_value(12)
    page.run(wait=False)
    assert page.at.session_state[P + "states"] == 72


def test_only_lengths_that_can_be_computed_are_offered() -> None:
    page = View(tasks=8, states=80, observations=100, length=2).run(wait=False)
    assert page.at.selectbox(key=P + "length").options == ["1", "2", "3"]
    page.at.selectbox(key=P + "differ").set_value("start")
    page.run(wait=False)
    assert page.at.selectbox(key=P + "length").options == ["1"]
    assert page.at.session_state[P + "length"] == 1


def test_a_long_computation_can_be_cancelled_and_run_again() -> None:
    page = View(tasks=16, states=192, observations=100, length=3, seeds=32).run(wait=False)
    assert page.buttons(P + "hmm_cancel")
    page.at.button(key=P + "hmm_cancel").click()
    for _ in range(100):
        page.run(wait=False)
        if "Stopped" in page.said:
            break
        time.sleep(0.1)
    assert page.buttons(P + "hmm_again")


def test_the_file_holds_every_curve(written: list[dict[str, Any]]) -> None:
    View().run()
    assert {row["measure"] for row in written} == {"distance L1", "distance L2", "distance max", "distance"}
    assert len(written) == 3 * 3 * len(NUMBERS) + len(NUMBERS)
    assert all(row["mean"] >= 0 for row in written)


def test_the_embedded_model_is_measured_when_asked(
    monkeypatch: pytest.MonkeyPatch, written: list[dict[str, Any]]
) -> None:
    def few(*args: Any, **settings: Any) -> Any:
        return model_convergence(*args, **{**settings, "documents": 2, "numbers": (1, 2)})

    monkeypatch.setattr(view, "model_convergence", few)
    page = View(source=view.EMBEDDED).run()
    assert "24 documents of 16 demonstrations" in page.said
    page.at.button(key=P + "model_compute").click()
    page.run()
    assert page.names("model_chart") == ["model", "exact kernel", "attention kernel", "all weights equal"]
    assert page.choose("measure", "Accuracy").names("model_chart")[0] == "exact Bayes"
    assert page.choose("measure", "Distance to the model").names("model_chart")[0] == "exact Bayes"
    assert {row["measure"] for row in written} == set(view.MEASURES)


def test_a_model_without_a_known_mixture_is_told_so() -> None:
    page = View(source=view.EMBEDDED)
    page.at.run()
    now = page.at.session_state["state_history"]
    now.study = now.study.model_copy(update={"model": ModelChoice(name="gpt2")})
    page.run()
    assert "mixture of tasks is known" in page.said
    assert not plots_of(page.at)
