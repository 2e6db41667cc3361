"""What a browser sends before it has heard of a change is no edit; the same value chosen later is."""

from __future__ import annotations

from typing import Any

import pytest

from pages.ui.session import state
from tests.pages.conftest import Page


@pytest.mark.parametrize(
    ("key", "field", "value"), [("scoring", "scoring", "channel"), ("template", "template", "bar")]
)
def test_a_value_that_undo_took_back_is_not_chosen_by_a_late_message(
    playground: Page, monkeypatch: pytest.MonkeyPatch, key: str, field: str, value: Any
) -> None:
    monkeypatch.setattr(state, "GRACE", 60.0)
    before = getattr(playground.study, field)
    playground.choose(key, value)
    assert getattr(playground.study, field) != before
    playground.press("undo")
    assert getattr(playground.study, field) == before
    playground.choose(key, value)  # a run that had been asked for before the browser knew
    assert getattr(playground.study, field) == before
    assert playground.at.selectbox(key=f"frame_{key}").value != value
    monkeypatch.setattr(state, "GRACE", 0.0)
    playground.choose(key, value)
    assert getattr(playground.study, field) != before


def test_an_edit_after_an_edit_counts_at_once(playground: Page) -> None:
    for name in ("channel", "perplexity", "channel", "direct"):
        playground.choose("scoring", name)
        assert playground.study.scoring == name
