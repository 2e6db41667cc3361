"""Every page on SmolLM2-135M, a real pretrained model: it draws, says no error, and shows what transformers gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core import Demonstration, Hypothesis, ModelChoice, Study
from core.models import LanguageModel
from pages.ui.frame.shell import MENU
from pages.ui.jobs import engine, price
from tests.models import plain
from tests.pages.conftest import Page, Start

PATIENCE = 400  # seconds for the jobs of one page, on a busy machine
# At least; one elsewhere. What the Lab draws is computed by processes of its own (tests/experiments).
CHARTS = {"playground": 4, "ordering": 4, "selection": 3, "compare": 3, "lab": 0}
KEYS = {"model_card": "card"}  # how the keys of a page's charts begin, where not with its name
PAGES = tuple(name for name, *_ in MENU)
LABELS = ("positive", "negative")
FORWARD = "great fun -> positive\nso dull -> negative\n"


def rows(**pairs: str) -> tuple[Demonstration, ...]:
    return tuple(Demonstration(input=x.replace("_", " "), label=y) for x, y in pairs.items())


@pytest.fixture
def study(smollm2: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Two demonstrations and two candidates, on the model, which is in memory as if someone had loaded it.

    Pages work unasked however long it takes: whether they ask first goes by the pace of the machine, and has tests
    with a pace of their own.
    """
    monkeypatch.setattr(price, "FREE_SECONDS", float("inf"))
    choice = ModelChoice(name=smollm2.name)
    engine.models().put(choice.model_dump_json(), smollm2)
    return Study(
        model=choice,
        query="truly awful",
        demonstrations=rows(great_fun="positive", so_dull="negative"),
        pool=rows(a_joy="positive", a_bore="negative", very_good="positive", very_bad="negative"),
        labels=LABELS,
        gold="negative",
        k=2,
        posteriors=("instruction",),
        hypotheses=(
            Hypothesis(name="feeling", instruction="Name the feeling of each review."),
            Hypothesis(name="flipped", instruction="Name the opposite of the feeling."),
        ),
    )


def opened(start: Start, name: str, study: Study) -> Page:
    page = start()
    page.study = study
    if name == "compare":
        page.a = study.model_copy(update={"demonstrations": study.demonstrations[::-1]})
    if name == "ordering":
        page.at.session_state["ordering_strategies_asked"] = "entropies"  # which a large model is not asked for unasked
    page.at.switch_page(f"pages/{name}.py")
    return page.run().settle(PATIENCE)


@pytest.mark.parametrize("name", PAGES)
def test_a_page(name: str, start: Start, study: Study) -> None:
    """It comes to rest with charts of its own and without an error."""
    page = opened(start, name, study)
    assert page.study.model == study.model
    assert not page.at.error, page.at.error[0].value
    drawn = [key for key in page.charts if key.startswith(KEYS.get(name, name))]
    assert len(drawn) >= CHARTS.get(name, 1), (drawn, page.said)


def test_a_real_model_orders_only_what_is_asked_for(start: Start, study: Study) -> None:
    """At first the orders and what looks at texts alone; the entropies say how they come."""
    page = start()
    page.study = study
    page.at.switch_page("pages/ordering.py")
    page.run().settle(PATIENCE)
    assert "choose them under “Strategies asked”" in page.said
    strategies = next(frame.value for frame in page.at.dataframe if "Strategy" in frame.value)
    assert set(strategies["Strategy"]) == {"As given", "Random", "Nearest last", "Nearest first"}


def test_the_answer_on_the_playground_is_transformers_own(start: Start, study: Study, smollm2_folder: Path) -> None:
    prompt = f"{FORWARD}truly awful ->"
    logs = [plain.score(smollm2_folder, prompt, f" {label}", torch.float64).sum() for label in LABELS]
    right = np.exp(logs) / np.exp(logs).sum()
    (bars,) = opened(start, "playground", study).chart("answer")["data"]
    np.testing.assert_allclose(bars["x"], sorted(right, reverse=True), atol=1e-4)  # the likeliest on top
