"""When work is done unasked, and what is said of it where it is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pages.ui.jobs import price as priced
from pages.ui.jobs.price import lasting, price


def model(pace: float | None, mixture: object | None = None) -> Any:
    return SimpleNamespace(pace=pace, mixture=mixture, encode=lambda text: text.split())


@pytest.fixture(autouse=True)
def prompt_of_ten_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priced, "outcome", lambda: SimpleNamespace(prompt=SimpleNamespace(text="a " * 10)))


def test_texts_are_counted_where_no_pace_is_known_and_on_the_embedded_model() -> None:
    for known in (model(None), model(1.0, mixture=object())):
        assert price(100, known, 100) == ""
        assert price(101, known, 100) == "About 101 texts are to be scored."


def test_a_large_model_is_asked_by_its_pace() -> None:
    # 3,000 texts of two labels are 1,500 prompts of at most 10 tokens: 15,000 tokens
    assert price(3000, model(1000), 0, labels=2) == ""
    assert price(3000, model(500), 10**9, labels=2) == (
        "About 3,000 texts are to be scored, at most 15,000 tokens: at most some 30 s at the pace of this machine."
    )
    assert price(3000, model(500), 0, tokens=90_000) == (
        "About 3,000 texts are to be scored, 90,000 tokens: some 3 minutes at the pace of this machine."
    )


def test_lengths_of_time() -> None:
    assert (lasting(4.4), lasting(89), lasting(150)) == ("4 s", "89 s", "2 minutes")
