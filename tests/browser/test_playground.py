"""What a visitor does on the Playground; after each step every view shows what the study comes to."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from core import Outcome, run
from tests.browser.app import names
from tests.browser.grid import INPUT, LABEL
from tests.browser.playground import VIEWS, Playground
from tests.browser.tabs import SCREEN


def test_the_first_look_fits_one_screen(playground: Playground) -> None:
    page = playground.app.page
    boxes = [playground.app.key(f"playground_{view}").bounding_box() for view in VIEWS]
    boxes += [page.locator(selector).first.bounding_box() for selector in ("[data-testid=stDataFrame]", ".icl-prompt")]
    boxes += [page.get_by_label(label, exact=True).first.bounding_box() for label in ("Query x", "Scorer", "Selection")]
    for box in boxes:
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= SCREEN["height"]
        assert box["x"] + box["width"] <= SCREEN["width"]
    playground.check()


def test_typing_into_a_demonstration(playground: Playground) -> None:
    playground.grid.type(1, INPUT, "house")
    playground.grid.type(1, LABEL, "maison")
    assert playground.grid.rows()[1] == ("house", "maison")
    assert playground.study().demonstrations[1].label == "maison"
    assert "house -> maison" in playground.check().prompt.text


def test_adding_and_deleting_a_demonstration(playground: Playground) -> None:
    rows = playground.grid.rows()
    playground.grid.type(len(rows), INPUT, "water")
    playground.grid.type(len(rows), LABEL, "eau")
    assert [(d.input, d.label) for d in playground.study().demonstrations] == [*rows, ("water", "eau")]
    playground.check()
    playground.grid.delete(0)
    assert [d.input for d in playground.study().demonstrations] == [x for x, _ in rows[1:]] + ["water"]
    playground.check()


def test_leaving_a_demonstration_out(playground: Playground) -> None:
    first = playground.grid.rows()[0]
    playground.grid.tick(0)
    outcome = playground.check()
    assert playground.study().demonstrations[0].excluded
    assert first not in [(d.input, d.label) for d in outcome.demonstrations]


def test_moving_duplicating_and_deleting_the_marked_row(playground: Playground) -> None:
    rows = playground.grid.rows()
    mark = playground.app.page.get_by_label("Marked", exact=True)
    mark.fill("2")
    mark.press("Enter")
    playground.app.settle()
    for key, expected in (
        ("up", [rows[1], rows[0], *rows[2:]]),
        ("duplicate", [rows[1], rows[1], rows[0], *rows[2:]]),
        ("delete", [rows[1], rows[0], *rows[2:]]),
    ):
        playground.app.key(f"frame_{key}").get_by_role("button").click()
        playground.app.settle()
        assert [(d.input, d.label) for d in playground.study().demonstrations] == expected, key
        assert playground.grid.rows() == expected
        playground.check()


def test_typing_a_query(playground: Playground) -> None:
    playground.ask("dog")
    assert playground.check().study.query == "dog"


def test_undo_and_redo(playground: Playground) -> None:
    first = playground.study()
    playground.ask("dog")
    playground.app.key("frame_undo").get_by_role("button").click()
    playground.app.settle()
    assert playground.study() == first
    playground.check()
    playground.app.key("frame_redo").get_by_role("button").click()
    playground.app.settle()
    assert playground.study().query == "dog"
    playground.check()


def test_example_sets_and_tasks_of_the_mixture(playground: Playground) -> None:
    first = playground.study()
    playground.example("Next, double or plus two?")
    second = playground.study()
    assert second.demonstrations != first.demonstrations
    playground.check()
    playground.family("plural")
    third = playground.study()
    assert third.pool
    assert third.demonstrations != second.demonstrations
    playground.check()


def test_stepping_through_n(playground: Playground) -> None:
    outcome = playground.check()
    slider = playground.app.key("playground_n").get_by_role("slider")
    slider.focus()
    for n in range(len(outcome.demonstrations) - 1, -1, -1):
        slider.press("ArrowLeft")
        playground.app.settle()
        playground.until(partial(_check_bars, playground, outcome, n))


def _check_bars(playground: Playground, outcome: Outcome, n: int) -> None:
    panels = playground.app.figure("playground_posterior")
    for panel, posterior in zip(panels, outcome.posteriors.values(), strict=True):
        expected = dict(zip(posterior.tasks, posterior.weights[n], strict=True))
        drawn = {task: p for task, p in zip(names(panel), panel["x"], strict=True) if task in expected}
        assert drawn == pytest.approx({task: expected[task] for task in drawn}, abs=2e-3)


def test_a_click_marks_one_demonstration_in_every_view(playground: Playground) -> None:
    assert not any(playground.marks().values())
    playground.app.key("playground_kernels").locator(".icl-data rect").nth(2).click()
    playground.app.settle()
    assert playground.marks() == {"kernels": 1, "attention": 1, "prompt": 1}
    assert playground.app.page.get_by_label("Marked", exact=True).input_value() == "3"
    playground.check()


def test_the_tokens_of_one_head(playground: Playground) -> None:
    page = playground.app.page
    page.get_by_role("radio", name="Tokens").click()
    playground.app.settle()
    page.get_by_label("Head", exact=True).first.click()
    page.get_by_role("option", name="layer 1 head 0").click()
    playground.app.settle()
    study = playground.study()
    assert study.token_head == (1, 0)
    attention = run(study, playground.model).attention
    assert attention is not None
    (drawn, *_) = playground.app.figure("playground_tokens")
    np.testing.assert_allclose(drawn["z"], attention.map, atol=2e-4)
