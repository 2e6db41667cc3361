"""What people type that no study expects: one sentence or a plain result, never a traceback, never markup that runs."""

from __future__ import annotations

import pytest

from tests.browser.grid import INPUT, LABEL
from tests.browser.playground import Playground

MARKUP = "<img src=x onerror='window.pwned=1'><b>bold</b> **stars** $x^2$ :red[red] [a](javascript:pwned)"


def paste(playground: Playground, text: str) -> None:
    """Make pasted rows the demonstrations."""
    page = playground.app.page
    page.get_by_role("button", name="Import").click()
    playground.app.settle()
    box = page.get_by_label("Or paste a table", exact=True)
    box.fill(text)
    box.press("Control+Enter")
    playground.app.settle()
    page.get_by_role("dialog").get_by_role("radio", name="Demonstrations").click()  # many rows are a pool at first
    playground.app.settle()
    playground.app.key("frame_import_take").get_by_role("button").click()
    page.get_by_role("dialog").wait_for(state="detached")
    playground.app.settle()
    playground.ask("horse")  # the example's went with it


def test_an_empty_table(playground: Playground) -> None:
    playground.click("Clear")
    assert playground.study().demonstrations == ()
    assert playground.grid.rows() == []
    assert playground.app.troubles() == []
    # Zero demonstrations are a study: the prior answers.
    assert playground.app.key("playground_answer").is_visible()


def test_a_query_of_ten_thousand_words(playground: Playground) -> None:
    playground.ask(" ".join(["dog"] * 10_000))
    text = playground.app.text()
    assert "The prompt has" in text
    assert "demonstration fits" in text
    assert not playground.has_views()
    assert playground.app.troubles() == []
    playground.ask("dog")
    playground.check()


def test_a_table_that_is_too_long_offers_to_drop_the_earliest(playground: Playground) -> None:
    paste(playground, "\n".join(f"dog {n} -> chien" for n in range(300)))
    assert "drop the earliest" in playground.app.text()
    assert not playground.has_views()
    playground.click("Drop the earliest")
    playground.check()


@pytest.mark.parametrize(
    "query", ["zyxxqv", "🦊 🍋", "naïve Ünïcødé", "كلب", "\u202eright to left", "12345678901234567890"]
)
def test_unknown_words(playground: Playground, query: str) -> None:
    playground.ask(query)
    assert playground.study().query == query
    playground.check()


def test_markup_is_text(playground: Playground) -> None:
    playground.grid.type(0, INPUT, MARKUP)
    playground.grid.type(0, LABEL, "<script>window.pwned=1</script>")
    playground.ask(MARKUP)
    assert MARKUP in playground.prompt()
    page = playground.app.page
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src=x], .icl-prompt b, .icl-prompt script").count() == 0
    playground.check()


def test_one_label(playground: Playground) -> None:
    paste(playground, "dog -> animal\ncat -> animal")
    playground.check()


def test_duplicates_and_a_label_that_begins_another(playground: Playground) -> None:
    paste(playground, "dog -> new\ndog -> new\ncat -> new york\nbird -> new york city")
    outcome = playground.check()
    assert len(outcome.demonstrations) == 4
    assert {"new", "new york", "new york city"} <= set(outcome.answer.labels)
