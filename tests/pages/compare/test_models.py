"""A on a slow or absent model: it holds up nothing of B, and what happens to it is told as A's."""

from __future__ import annotations

import time

import pytest

from core import ModelChoice, Outcome, load_model
from core.errors import Cancelled
from pages.ui.jobs import engine
from pages.ui.session.examples import default_study
from tests.pages.compare.comparing import PAGE, Compare
from tests.pages.conftest import Start
from tests.pages.workbench.test_models import wait
from tests.tiny import folder


@pytest.fixture
def page(start: Start) -> Compare:
    return Compare(start(PAGE).at)


@pytest.fixture
def slow(monkeypatch) -> ModelChoice:
    """A model in memory on which every run takes two seconds."""
    choice = ModelChoice(name=str(folder("llama")))
    engine.models().put(choice.model_dump_json(), load_model(choice))
    real = engine.compute

    def late(study, model, kept, stop=None) -> Outcome:
        for _ in range(40 if study.model == choice else 0):
            if stop is not None and stop():
                raise Cancelled
            time.sleep(0.05)
        return real(study, model, kept, stop)

    monkeypatch.setattr(engine, "compute", late)
    return choice


def test_a_slow_a_does_not_hold_up_b(page: Compare, slow: ModelChoice) -> None:
    page.a = default_study().model_copy(update={"model": slow, "query": "sea"})
    page.edit(query="cat")
    (job, run_job) = (page.at.session_state["job_compare_a"], page.at.session_state["job_run"])
    assert not job.done
    assert run_job is None  # B ran on the embedded model meanwhile
    assert len(page.at.get("progress")) == 1
    assert "Comes when this is done: A." in page.said
    page.edit(query="dog")  # an edit of B does not start A anew
    assert page.at.session_state["job_compare_a"] is job
    assert not job.flag.is_set()
    page.at.button(key="compare_a_cancel").click()
    page.run()
    wait(page, lambda: "Stopped: A." in page.said)
    page.at.button(key="compare_a_again").click()
    page.run()
    page.ready()
    assert page.draws("answer")
    assert "Exact Bayes is known in B only" in page.html


def test_both_slow_both_shown_and_cancelled_apart(page: Compare, slow: ModelChoice) -> None:
    page.a = default_study().model_copy(update={"model": slow, "query": "bird"})
    page.edit(query="wolf", model=slow)
    assert len(page.at.get("progress")) == 2
    a, b = page.at.session_state["job_compare_a"], page.at.session_state["job_run"]
    page.at.button(key="run_cancel").click()
    page.run()
    assert (a.flag.is_set(), b.flag.is_set()) == (False, True)
    wait(page, lambda: "Stopped; change something" in page.said)
    page.at.button(key="frame_run_again").click()
    page.run()
    wait(page, lambda: page.draws("answer"))


def test_a_on_a_model_that_is_not_loaded(page: Compare) -> None:
    choice = ModelChoice(name=str(folder("gpt2")))
    shelf = engine.models()
    shelf._things.pop(choice.model_dump_json(), None)
    page.a = default_study().model_copy(update={"model": choice})
    page.edit(query="cat")
    assert "which is not loaded" in page.said
    page.at.button(key="compare_load").click()
    page.run()
    wait(page, lambda: page.draws("answer"))
    assert page.study.model == engine.EMBEDDED  # B's model stays
    assert page.a is not None
    assert page.a.model == choice
    assert "their heads are not the same heads" in page.html


def test_a_model_of_a_that_cannot_be_loaded(page: Compare) -> None:
    choice = ModelChoice(name="/no/such/folder")
    page.a = default_study().model_copy(update={"model": choice})
    page.edit(query="cat")
    page.at.button(key="compare_load").click()
    page.run()
    wait(page, lambda: any(line.startswith("A:") for line in page.said.splitlines()))
    assert page.study.model == engine.EMBEDDED
