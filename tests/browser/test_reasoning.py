"""Reasoning in a browser: from no steps to stages, a token's log-probability, and a comparison that is clicked."""

from __future__ import annotations

from core import run
from tests.browser.playground import Playground


def test_from_no_steps_to_a_comparison(playground: Playground) -> None:
    page = playground.app.page
    page.get_by_role("link", name="Reasoning", exact=True).click()
    playground.app.settle()
    page.get_by_role("button", name="Load the example with steps").click()
    playground.app.settle()
    study = playground.study()
    assert any(row.steps for row in study.demonstrations)
    outcome = run(study, playground.model)
    assert outcome.reasoning is not None

    def stages() -> None:
        assert page.locator(".icl-end").count() == len(outcome.reasoning.stages)  # type: ignore[union-attr]
        tokens = page.locator(".icl-wrote .t")
        assert tokens.count() == outcome.reasoning.tokens  # type: ignore[union-attr]
        assert "log p" in (tokens.first.get_attribute("title") or "")

    playground.until(stages)
    # A prompt shows its end, where the model went on.
    box = page.locator(".icl-end").first
    answer = box.locator(".answer").bounding_box()
    frame = box.bounding_box()
    assert answer is not None
    assert frame is not None
    assert answer["y"] < frame["y"] + frame["height"]

    page.get_by_text("Many questions", exact=True).click()
    playground.app.settle()
    playground.app.choose("How many", "10")
    page.get_by_role("button", name="Compute comparison").click()
    playground.app.key("reasoning_accuracy").wait_for(timeout=120_000)
    playground.app.settle()
    names = playground.app.plot("reasoning_accuracy").evaluate(
        "(n) => n.querySelector('.js-plotly-plot')._fullLayout.yaxis.ticktext"
    )
    assert list(names) == ["None", "Steps", "Self-ask", "Least-to-most"]
    assert playground.app.troubles() == []
