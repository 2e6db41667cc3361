"""A run that ends early, or takes long, must not cost anything that was typed or chosen, nor bring anything back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from core.models import LanguageModel
from pages.ui.session.examples import default_study
from tests.browser.app import App
from tests.browser.playground import Playground
from tests.browser.server import Server, serve
from tests.browser.tabs import SCREEN

HERE = Path(__file__).parent
LONG = 30_000  # milliseconds that a busy machine may take over runs of two seconds each


def test_a_page_that_begins_anew_loses_no_text(chromium: Browser, tmp_path: Path) -> None:
    with serve(tmp_path, HERE / "interrupted.py", forked=True) as server:
        page = chromium.new_page(viewport=SCREEN)
        app = App(page, server.url).open()
        query, instruction = (page.get_by_label(label, exact=True) for label in ("Query x", "Instruction"))
        assert query.input_value() == "horse"
        for place, title in enumerate(("Second", "First", "Second")):
            page.get_by_role("link", name=title, exact=True).click()
            app.settle()
            app.fill("Instruction", f"Number {place}")  # a run that brings the browser's idea of every field along
            assert query.input_value() == "horse"
            assert instruction.input_value() == f"Number {place}"
            assert page.get_by_label("Right answer", exact=True).input_value() == "cheval"
        assert app.troubles() == []
        page.close()


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("slow"), HERE / "slow.py", forked=True) as server:
        yield server


@pytest.fixture
def slow(chromium: Browser, slow_server: Server, model: LanguageModel) -> Iterator[Playground]:
    """A Playground whose every run takes two seconds."""
    context = chromium.new_context(viewport=SCREEN, reduced_motion="reduce")
    context.set_default_timeout(LONG)
    playground = Playground(App(context.new_page(), slow_server.url), slow_server, model).open()
    wait_for_views(playground)
    yield playground
    assert playground.app.troubles() == []
    context.close()


def wait_for_views(playground: Playground) -> None:
    """Until the run is done, on the Playground."""
    wait_for_cards(playground.app)
    expect(playground.app.key("playground_answer")).to_be_visible(timeout=LONG)
    expect(playground.app.page.get_by_label("Query x", exact=True)).to_have_count(1, timeout=LONG)


def wait_for_cards(app: App) -> None:
    """Until the run is done: nothing is dimmed, and no widget that was replaced is left beside its successor."""
    app.settle()
    expect(app.page.locator("[class*='st-key-dimmed_'], [class*='st-key-over_']")).to_have_count(0, timeout=LONG)
    app.settle()
    expect(app.page.locator("[data-retained]")).to_have_count(0, timeout=LONG)


def type_and_be_heard(playground: Playground, query: str) -> None:
    """Type a query, and wait for its address, though not for what comes of it."""
    before = playground.app.page.url
    playground.type_query(query)
    playground.app.page.wait_for_url(lambda url: url != before)


def test_what_is_looked_at_stays_while_the_model_works(slow: Playground) -> None:
    page = slow.app.page
    slow.table("Pool")
    page.get_by_role("radio", name="Path", exact=True).click()
    slow.app.settle()
    handle = slow.app.key("playground_n").get_by_role("slider")
    handle.focus()
    handle.press("ArrowLeft")
    slow.app.settle()
    before = int(handle.input_value())
    assert before == len(default_study().demonstrations) - 1
    for label, text in (("Right answer", "cat"), ("Query x", "dog"), ("Right answer", "chien")):
        slow.app.fill(label, text)
        wait_for_views(slow)
        assert handle.input_value() == str(before)
        assert page.get_by_role("radio", name="Path", exact=True).is_checked()
        assert page.get_by_role("radio", name="Pool").is_checked()
    assert (slow.study().query, slow.study().gold) == ("dog", "chien")


def test_undo_while_the_model_works_stands(slow: Playground) -> None:
    """The progress asks for a run every .4 s, with what the browser holds at that time."""
    page = slow.app.page
    slow.app.choose("Scorer", "Channel")
    for query in ("dog", "cat", "bird"):
        type_and_be_heard(slow, query)
    slow.undo()
    wait_for_views(slow)
    slow.until(lambda: expect(page.get_by_label("Query x", exact=True)).to_have_value("cat"))
    assert (slow.study().query, slow.study().scoring) == ("cat", "channel")
    for _ in range(3):
        slow.undo()
    wait_for_views(slow)
    assert slow.study().model_copy(update={"gold": None}) == default_study().model_copy(update={"gold": None})
    assert page.get_by_label("Query x", exact=True).input_value() == default_study().query


def test_a_number_and_a_menu_that_undo_replaces_while_the_model_works(slow: Playground) -> None:
    """On another page, whose cards wait for the same run."""
    app, page = slow.app, slow.app.page
    page.get_by_role("link", name="Posterior", exact=True).click()
    wait_for_cards(app)
    number, menu = page.get_by_label("k", exact=True), page.get_by_label("Scorer", exact=True)
    before = (number.input_value(), menu.input_value())
    for label, option in (("Selection", "Random"), ("Scorer", "Channel")):
        app.choose(label, option)
        wait_for_cards(app)
    app.fill("k", "3")
    undo = app.key("frame_undo").get_by_role("button")
    for field, value in zip((number, menu), before, strict=True):  # each while a run is on its way
        undo.click()
        expect(field.last).to_have_value(value, timeout=LONG)
    wait_for_cards(app)
    assert (number.input_value(), menu.input_value()) == before  # each is there once
    assert (slow.study().selection, slow.study().scoring, slow.study().k) == ("random", "direct", default_study().k)


def test_quick_edits_of_two_fields_while_the_model_works(slow: Playground) -> None:
    page = slow.app.page
    instruction = page.get_by_label("Instruction", exact=True)
    for number in range(6):
        slow.type_query(f"word {number}")
        instruction.fill(f"Rule {number}.")
        instruction.press("Enter")
    wait_for_views(slow)
    slow.until(lambda: _says(slow, "word 5", "Rule 5."))
    assert page.get_by_label("Query x", exact=True).input_value() == "word 5"
    assert instruction.input_value() == "Rule 5."


def _says(playground: Playground, query: str, instruction: str) -> None:
    study = playground.study()
    assert (study.query, study.instruction) == (query, instruction)


def test_refresh_while_the_model_works(slow: Playground) -> None:
    page = slow.app.page
    for query in ("dog", "cat"):
        slow.app.fill("Query x", query)
    page.reload()
    slow.app.runs = -1
    wait_for_views(slow)
    assert slow.study().query == page.get_by_label("Query x", exact=True).input_value() == "cat"
    for expected in ("dog", "horse"):
        slow.undo()
        wait_for_views(slow)
        assert slow.study().query == page.get_by_label("Query x", exact=True).input_value() == expected


def test_back_while_the_model_works(slow: Playground) -> None:
    page = slow.app.page
    for query in ("dog", "cat"):
        type_and_be_heard(slow, query)
    page.go_back()
    wait_for_views(slow)
    assert slow.study().query == page.get_by_label("Query x", exact=True).input_value() == "dog"
    slow.undo()  # going back was a step
    wait_for_views(slow)
    assert slow.study().query == page.get_by_label("Query x", exact=True).input_value() == "cat"


def test_cells_typed_while_the_model_works(slow: Playground) -> None:
    """Each cell is typed while the page works on the one before, and a new row is numbered as it comes to rest."""
    for row, text in enumerate(("tiger", "banana", "seven")):
        slow.grid.type(row, 1, text)
    slow.type_query("dog")
    wait_for_views(slow)
    slow.until(lambda: _begins(slow, "tiger", "banana", "seven"))
    assert [row[0] for row in slow.grid.rows()[:3]] == ["tiger", "banana", "seven"]
    slow.undo()
    slow.undo()
    wait_for_views(slow)
    assert slow.study().demonstrations == default_study().demonstrations


def _begins(playground: Playground, *inputs: str) -> None:
    assert [row.input for row in playground.study().demonstrations[: len(inputs)]] == list(inputs)
