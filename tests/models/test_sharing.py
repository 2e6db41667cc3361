"""One model, several people: threads that score, read and embed at once get what each would get alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

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
