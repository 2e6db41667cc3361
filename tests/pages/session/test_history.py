"""Steps of undo: what makes one, and that they come back after a refresh, to the same browser and to no other."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core import Study
from pages.ui.session import store
from pages.ui.session.history import MOST, NOWHERE, History, HistoryStep, goes_on
from pages.ui.store import studies


def cookie(token: bytes, mask: bytes = b"\x0a\x0b\x0c\x0d") -> str:
    """As Streamlit gives it: the token under a mask that is another one in every answer."""
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(token))
    return f"2|{mask.hex()}|{masked.hex()}|1764000000"


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch):
    """Be this browser from now on."""

    def be(name: str) -> None:
        monkeypatch.setattr(store, "visitor", lambda: name)

    be("one")
    return be


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, ("query", "a"), False),
        (("query", "a"), None, False),
        (("query", "d"), ("query", "do"), True),
        (("query", "dog"), ("query", "do"), True),
        (("query", "cat"), ("query", "cart"), True),
        (("query", "cat"), ("query", "dog"), False),
        (("query", "dog"), ("query", ""), False),
        (("query", ""), ("query", "d"), False),
        (("query", "d"), ("instruction", "do"), False),
        (("k", 3), ("k", 9), True),
        (("table 3", None), ("table 3", None), True),
        (("shots", "3"), ("shots", 3), False),
    ],
)
def test_what_goes_on_with_what_was_typed(before, after, expected: bool) -> None:
    assert goes_on(before, after) == expected


def test_steps_back_and_forward_and_how_many() -> None:
    now = History(Study(query="0"))
    for number in range(1, MOST + 20):
        now.advance(Study(query=str(number)), None)
    assert len(now.undo) == MOST
    last = now.study
    now.advance(last, None)
    assert len(now.undo) == MOST
    assert now.back(lambda _: None)
    assert now.study.query == str(MOST + 18)
    assert now.forward(lambda _: None)
    assert (now.study, now.redo) == (last, ())
    now.undo = (HistoryStep(None, ("gone", "")),)
    assert not now.back(lambda _: None)
    assert (now.study, now.undo) == (last, ())
    now.undo = (HistoryStep(None, ("kept", "")),)
    assert now.back(lambda address: (Study(query=address[0]), None))
    assert (now.study.query, now.address) == ("kept", ("kept", ""))
    assert now.redo == (HistoryStep((last, None), NOWHERE),)


def test_a_visitor_is_known_by_the_token_under_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    context = SimpleNamespace(cookies={})
    monkeypatch.setattr(store.st, "context", context)
    assert store.visitor() == ""
    names = []
    for said in (cookie(b"one"), cookie(b"one", b"\x01\x02\x03\x04"), cookie(b"two")):
        context.cookies = {store.COOKIE: said}
        names.append(store.visitor())
    assert names[0] == names[1] != names[2]
    assert all(len(name) == 32 for name in names)
    for strange in ("", "2|", "2|zz|zz|0", "2|||", "é|é|é|é", 7):
        context.cookies = {store.COOKIE: strange}
        assert store.visitor() == ""


def test_undo_and_redo_go_on_after_a_refresh(start, browser) -> None:
    page = start()
    for name in ("channel", "perplexity", "direct"):
        page.choose("scoring", name)
    page.press("undo")
    after = start(study=page.at.query_params["study"])
    for press, expected in (
        ("redo", "direct"),
        ("undo", "perplexity"),
        ("undo", "channel"),
        ("undo", "direct"),
        ("redo", "channel"),
    ):
        after.press(press)
        assert after.study.scoring == expected
    after.press("undo")
    assert after.study.scoring == "direct"
    assert after.at.button(key="frame_undo").disabled


def test_a_study_passed_through_twice_keeps_its_steps(start, browser) -> None:
    page = start()
    for name in ("channel", "perplexity", "channel"):
        page.choose("scoring", name)
    after = start(study=page.at.query_params["study"])
    for expected in ("perplexity", "channel", "direct"):
        after.press("undo")
        assert after.study.scoring == expected
    assert after.at.button(key="frame_undo").disabled


def test_another_browser_learns_nothing_of_the_steps(start, browser) -> None:
    page = start()
    page.choose("scoring", "channel")
    browser("two")
    other = start(study=page.at.query_params["study"])
    assert other.study == page.study
    assert other.at.button(key="frame_undo").disabled
    browser("")  # a browser without a token keeps none
    other.choose("scoring", "perplexity")
    assert start(study=other.at.query_params["study"]).at.button(key="frame_undo").disabled


def test_steps_kept_no_more_are_said(start, browser, monkeypatch) -> None:
    page = start()
    page.choose("scoring", "channel")
    after = start(study=page.at.query_params["study"])
    monkeypatch.setattr(store, "load", lambda key: (None, ""))
    after.press("undo")
    assert "kept no more" in after.said
    assert after.study == page.study
    assert after.at.button(key="frame_undo").disabled


def test_kept_steps_are_bounded(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path))
    monkeypatch.setattr(studies, "STEPS", 10)
    places = [(f"{number:016x}", "") for number in range(300)]
    for place in places:
        store.save_steps("one", place, [places[0]], [places[1]])
    kept = [place for place in places if store.load_steps("one", place) != ([], [])]
    assert len(kept) < 80
    assert store.load_steps("one", places[-1]) == ([places[0]], [places[1]])
    assert store.load_steps("two", places[-1]) == store.load_steps("", places[-1]) == ([], [])
