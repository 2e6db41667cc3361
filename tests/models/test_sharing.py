"""One model, several people: threads that score, read and embed at once get what each would get alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.models import LanguageModel
from tests.models.conftest import Model


@pytest.mark.parametrize("architecture", ["gemma3", "falcon"])
def test_threads_do_not_see_each_other(architecture: str, model: Model) -> None:
    tested = model(architecture)
    contexts = [f"the film {word} was good ->" for word in ("dog", "cat", "house", "bird")]

    def everything(context: str) -> list[np.ndarray]:
        scored = tested.score([(context, label) for label in (" positive", " negative", " a")])
        reading = tested.read(context, hidden=True, head=(1, 1))
        assert reading.attention is not None
        assert reading.hidden is not None
        assert reading.map is not None
        parts = [reading.attention, reading.hidden, reading.map, tested.embed([context])]
        return [*parts, tested.next_logprobs([context, "a"]), *(one.logprobs for one in scored)]

    alone = [everything(context) for context in contexts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(everything, contexts * 3))
    for found, expected in zip(together, alone * 3, strict=True):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_lock_is_held_during_passes(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = model("llama")
    inner = tested._passes.logits
    free: list[bool] = []

    def spy(*arguments: object) -> object:
        with ThreadPoolExecutor(1) as other:
            free.append(other.submit(lambda: tested.lock.acquire(blocking=False)).result())
        return inner(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tested._passes, "logits", spy)
    tested.score([("the film", " good")])
    assert free == [False]


ONE_TEXT_A_PASS = {"tokens": 1, "row": 1, "padding": 0, "logits": 1, "shortest_trunk": 10**6}


def by_turns(tested: LanguageModel, name: str, monkeypatch: pytest.MonkeyPatch, long: Callable[[], object]) -> str:
    """Whose passes they were, a letter each, where another thread asks for one pass during the first of many."""
    inner, mine, passes = getattr(tested._passes, name), threading.get_ident(), list[str]()
    with ThreadPoolExecutor(1) as other:
        short: list[Future[Any]] = []

        def spy(*arguments: Any) -> Any:
            passes.append("l" if threading.get_ident() == mine else "s")
            if not short:
                short.append(other.submit(tested.score, [("the film", " good")]))
                deadline = time.monotonic() + 10
                while not tested.lock.waiting:
                    assert time.monotonic() < deadline
            return inner(*arguments)

        monkeypatch.setattr(tested._passes, name, spy)
        if name != "logits":
            logits = tested._passes.logits
            monkeypatch.setattr(tested._passes, "logits", lambda *some: passes.append("s") or logits(*some))
        long()
        short[0].result(10)
    return "".join(passes)


def test_many_passes_give_way_to_one(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who scores thousands of texts held the model for all of them, and an edit on the Playground waited for it."""
    tested = model("llama")
    monkeypatch.setattr(tested, "limits", replace(tested.limits, **ONE_TEXT_A_PASS))
    pairs = [(f"{word} film", " good") for word in ("the", "a", "that", "this", "his")]
    alone = tested.score(pairs)
    found: list[Any] = []
    order = by_turns(tested, "logits", monkeypatch, lambda: found.append(tested.score(pairs)))
    assert order.count("l") > 3
    assert order.index("s") < 3, order
    for one, expected in zip(found[0], alone, strict=True):
        np.testing.assert_array_equal(one.logprobs, expected.logprobs)


def test_embedding_many_texts_gives_way_to_one(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    tested = model("llama")
    monkeypatch.setattr(tested, "limits", replace(tested.limits, **ONE_TEXT_A_PASS))
    texts = [f"{word} film" for word in ("the", "a", "that", "this", "his")]
    alone = tested.embed(texts)
    found: list[Any] = []
    order = by_turns(tested, "hidden", monkeypatch, lambda: found.append(tested.embed(texts)))
    assert order.count("l") > 3
    assert order.index("s") < 3, order
    np.testing.assert_array_equal(found[0], alone)
