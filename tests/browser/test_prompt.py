"""The rendered prompt in a browser: a click on a demonstration marks it everywhere, a second one unmarks it."""

from __future__ import annotations

from tests.browser.playground import Playground


def test_a_demonstration_is_marked_by_a_click_in_the_prompt(playground: Playground) -> None:
    written = playground.prompt()
    shown = playground.app.page.locator(".icl-prompt [data-n='2']")
    shown.click()
    playground.app.settle()
    assert playground.marks() == {"kernels": 1, "attention": 1, "prompt": 1}
    assert playground.app.page.get_by_label("Marked", exact=True).input_value() == "2"
    shown.click()
    playground.app.settle()
    assert playground.marks() == {"kernels": 0, "attention": 0, "prompt": 0}
    assert playground.prompt() == written


def test_copying_from_the_prompt_marks_nothing(playground: Playground) -> None:
    box = playground.app.page.locator(".icl-prompt [data-n='1']").bounding_box()
    assert box is not None
    mouse = playground.app.page.mouse
    mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2, steps=4)
    mouse.up()
    playground.app.settle()
    assert playground.app.page.evaluate("getSelection().toString().trim().length") > 0
    assert playground.marks()["prompt"] == 0
