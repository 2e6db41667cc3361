"""What transformers tells of a load by bars of tqdm alone: how many tensors are there, and a place to stop between two.

Only inside `core.runtime.one_load.one_load`: the names of a module stand for something else meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from core.runtime.progress import Stop, check, counting


@contextmanager
def instead(module: str, **others: Any) -> Iterator[None]:
    """Names of a module stand for something else meanwhile."""
    names = vars(import_module(module))
    before = {name: names[name] for name in others}
    names.update(others)
    try:
        yield
    finally:
        names.update(before)


def told(stop: Stop | None) -> Callable[..., Iterator[Any]]:
    """In place of a bar: what is handed through it is counted, and `stop` is asked before each."""

    def bar(tensors: Any, **_: Any) -> Iterator[Any]:
        with counting(len(tensors), "tensors") as advance:
            for done, tensor in enumerate(tensors):
                check(stop)
                advance(done)
                yield tensor

    return bar


@contextmanager
def reading(stop: Stop | None) -> Iterator[None]:
    """While transformers reads safetensors files into a model: tensor by tensor, file after file."""
    with instead("transformers.core_model_loading", tqdm=told(stop)):
        yield
