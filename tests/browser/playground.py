"""The Playground: its study as the store has it, and whether every view on screen shows what that study comes to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlparse

import numpy as np
from playwright.sync_api import Error

from core import Outcome, Study, run
from core.figures.colours import MARK
from core.models import LanguageModel
from pages.ui.session.examples import default_study
from tests.browser.app import App, names
from tests.browser.grid import Grid
from tests.browser.kept import kept_study
from tests.browser.server import Server

T = TypeVar("T")
VIEWS = ("answer", "posterior", "kernels", "attention")
PROMPT = """(box) => {
    const copy = box.cloneNode(true);
    copy.querySelectorAll('.n, .answer').forEach((extra) => extra.remove());
    return copy.textContent;
}"""
MARKS = """(node, colour) => node.querySelectorAll(`.icl-over rect[stroke="${colour}" i]`).length"""
PATIENCE = 20  # seconds; on a busy machine an edit may leave the browser after the page has come to rest


@dataclass
class Playground:
    """One visitor's Playground."""

    app: App
    server: Server
    model: LanguageModel

    @property
    def grid(self) -> Grid:
        return Grid(self.app)

    def open(self) -> Playground:
        self.app.open()
        return self

    def link(self) -> str:
        """The id of the study in the page's address, or "" where the first study is still untouched."""
        return parse_qs(urlparse(self.app.page.url).query).get("study", [""])[0]

    def study(self) -> Study:
        """The study that the page's address stands for, read from the store."""
        if not self.link():
            return default_study()
        return kept_study(self.server, self.link())

    def ask(self, query: str) -> None:
        """Type a query, and wait for the page to follow."""
        self.type_query(query)
        self.app.settle()

    def type_query(self, query: str) -> None:
        """Type a query and go on at once."""
        box = self.app.page.get_by_label("Query x", exact=True)
        box.fill(query)
        box.press("Enter")

    def table(self, name: str) -> None:
        """Bring a table to the front: Demonstrations, Pool or Hypotheses."""
        self.app.page.get_by_role("radio", name=re.compile(name)).click()
        self.app.settle()

    def example(self, name: str) -> None:
        """Load an example set."""
        self.app.page.get_by_role("button", name="Example sets").click()
        self.app.page.get_by_role("menuitem", name=name).or_(self.app.page.get_by_role("option", name=name)).click()
        self.app.settle()

    def family(self, name: str) -> None:
        """Draw demonstrations and a pool from a task of the mixture."""
        self.app.page.get_by_label("Task in the mixture", exact=True).first.fill(name)
        self.app.page.get_by_role("option").first.click()
        self.app.settle()

    def click(self, name: str) -> None:
        """Press a button."""
        self.app.page.get_by_role("button", name=name, exact=True).click()
        self.app.settle()

    def undo(self) -> None:
        """One step back."""
        self.app.key("frame_undo").get_by_role("button").click()
        self.app.settle()

    def redo(self) -> None:
        """One step forward."""
        self.app.key("frame_redo").get_by_role("button").click()
        self.app.settle()

    def prompt(self) -> str:
        """The prompt as drawn, without the numbers and the answer that the page adds."""
        text: str = self.app.page.locator(".icl-prompt").evaluate(PROMPT)
        return text

    def marks(self) -> dict[str, int]:
        """How many frames each view draws around the marked demonstration."""
        found = {name: self.app.key(f"playground_{name}").evaluate(MARKS, MARK) for name in ("kernels", "attention")}
        return {**found, "prompt": self.app.page.locator(".icl-prompt .marked").count()}

    def has_views(self) -> bool:
        """Whether any chart is on screen."""
        return any(self.app.key(f"playground_{view}").count() for view in VIEWS)

    def until(self, check: Callable[[], T]) -> T:
        """What `check` returns once it holds; what it raised last where it does not within `PATIENCE`."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return check()
            except (AssertionError, Error):  # a chart may be redrawn just while it is read
                if time.monotonic() > deadline:
                    raise
                self.app.settle()

    def check(self) -> Outcome:
        """Every view shows what the study comes to, computed here anew; returns that outcome."""
        return self.until(self._check)

    def _check(self) -> Outcome:
        study = self.study()
        outcome = run(study, self.model)
        prompt = outcome.prompt.text + outcome.prompt.gap
        assert self.prompt().rstrip() == prompt.rstrip()
        self._check_answer(outcome)
        self._check_posteriors(outcome)
        (kernels, *_) = self.app.figure("playground_kernels")
        np.testing.assert_allclose(kernels["z"], [k.normalised for k in outcome.kernels.values()], atol=2e-4)
        assert outcome.attention is not None
        (attention, *_) = self.app.figure("playground_attention")
        pooled = outcome.attention.pooled
        np.testing.assert_allclose(attention["z"], pooled.reshape(-1, pooled.shape[-1]), atol=2e-4)
        return outcome

    def _check_answer(self, outcome: Outcome) -> None:
        model, *others = self.app.figure("playground_answer")
        self._check_bars(model, dict(zip(outcome.answer.labels, outcome.answer.probabilities, strict=True)))
        assert bool(others) == (outcome.bayes is not None)
        if outcome.bayes is not None:
            self._check_bars(others[0], dict(zip(outcome.bayes.labels, outcome.bayes.probabilities, strict=True)))

    def _check_posteriors(self, outcome: Outcome) -> None:
        if not outcome.posteriors:
            assert self.app.key("playground_posterior").count() == 0
            return
        panels = self.app.figure("playground_posterior")
        assert len(panels) == len(outcome.posteriors)
        for panel, posterior in zip(panels, outcome.posteriors.values(), strict=True):
            self._check_bars(panel, dict(zip(posterior.tasks, posterior.weights[-1], strict=True)))

    @staticmethod
    def _check_bars(trace: dict[str, Any], expected: dict[str, float]) -> None:
        drawn = dict(zip(names(trace), trace["x"], strict=True))
        named = {name: value for name, value in drawn.items() if name in expected}
        assert named, "no bar is drawn"
        assert len(drawn) - len(named) <= 1, "at most one bar sums up the rest"
        for name, value in named.items():
            assert abs(value - expected[name]) < 2e-3, f"{name}: {value} is drawn where {expected[name]} is right"
        assert abs(sum(drawn.values()) - sum(expected.values())) < 5e-3
