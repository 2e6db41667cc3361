"""The list of named studies on the page: name, open, change, take away and bring back, and what cannot be."""

from __future__ import annotations

import pytest

from pages.ui.session import store
from pages.ui.store.database import StoreError
from tests.pages.conftest import Page


@pytest.fixture
def page(start, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    monkeypatch.setattr(store, "visitor", lambda: "one")
    return opened(start())


def opened(page: Page) -> Page:
    page.at.session_state["frame_named_box"] = True
    return page.run()


def name(page: Page, text: str) -> Page:
    page.at.text_input(key="frame_named_name").set_value(text)
    page.at.button(key="frame_named_keep").click()
    return page.run()


def listed(page: Page) -> dict[str, str]:
    """Ids of names by the name as it stands on its button."""
    prefix = "frame_named_open_"
    return {
        b.label.replace("\\", ""): b.key.removeprefix(prefix)
        for b in page.at.button
        if (b.key or "").startswith(prefix)
    }


def press(page: Page, what: str, text: str) -> Page:
    page.at.button(key=f"frame_named_{what}_{listed(page)[text]}").click()
    return page.run()


def test_what_is_named_is_listed_and_opened_again(page: Page) -> None:
    assert "Nothing has a name yet" in page.said
    page.edit(query="cat")
    name(page, "  with a\tcat ")
    assert list(listed(page)) == ["with a cat"]
    page.edit(query="dog")
    press(page, "open", "with a cat")
    assert page.study.query == "cat"
    page.press("undo")
    assert page.study.query == "dog"


def test_a_name_is_changed_taken_away_and_brought_back(page: Page) -> None:
    name(page, "first")
    press(page, "rename", "first")
    (field,) = [field for field in page.at.text_input if field.label == "New name"]
    field.set_value("second")
    next(button for button in page.at.button if button.label == "Rename").click()
    page.run()
    assert list(listed(page)) == ["second"]
    press(page, "delete", "second")
    assert listed(page) == {}
    assert "“second” is off the list." in page.said
    page.at.button(key="frame_named_restore").click()
    page.run()
    assert list(listed(page)) == ["second"]


def test_a_name_goes_over_to_another_study_and_undo_gives_it_back(page: Page) -> None:
    page.edit(query="cat")
    name(page, "mine")
    page.edit(query="dog")
    name(page, "mine")
    assert "“mine” was another study’s name." in page.said
    page.at.button(key="frame_named_restore").click()
    page.run()
    press(page, "open", "mine")
    assert page.study.query == "cat"


def test_a_name_of_another_is_refused_and_a_blank_one_is_none(page: Page) -> None:
    name(page, "first")
    page.edit(query="cat")
    name(page, "second")
    name(page, "   ")
    assert sorted(listed(page)) == ["first", "second"]
    press(page, "rename", "second")
    (field,) = [field for field in page.at.text_input if field.label == "New name"]
    field.set_value("first")
    next(button for button in page.at.button if button.label == "Rename").click()
    page.run()
    assert "“first” is another study’s name." in page.said
    assert sorted(listed(page)) == ["first", "second"]


def test_a_name_is_text(page: Page) -> None:
    name(page, "![x](http://example.org/y) **b**")
    (label,) = [b.label for b in page.at.button if (b.key or "").startswith("frame_named_open_")]
    assert "![x](" not in label
    assert "**" not in label


def test_a_store_that_cannot_be_read_is_a_sentence(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def of(self, owner: str) -> None:
            raise StoreError("Studies cannot be kept in the database (it cannot be reached).")

    monkeypatch.setattr(store, "names", Broken)
    assert "it cannot be reached" in page.run().said


def test_without_cookies_there_is_no_list(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "visitor", lambda: "")
    assert "takes no cookies" in page.run().said
