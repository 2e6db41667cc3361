"""What an answer cost: forward passes, counted where they happen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What something cost.

    Attributes:
        passes: forward passes of the model; a pass may read many texts.
        texts: texts scored or embedded. Without passes that share prefixes, each would be a pass of its own.
        backward: passes back through the model, where something was learned by gradient.
    """

    passes: int = 0
    texts: int = 0
    backward: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.passes + other.passes, self.texts + other.texts, self.backward + other.backward)

    def __str__(self) -> str:
        said = f"{self.passes:,} forward pass{'es' if self.passes != 1 else ''}"
        if self.backward:
            said += f" and {self.backward:,} back"
        return f"{said} over {self.texts:,} text{'s' if self.texts != 1 else ''}"


NOTHING = Cost()


class Meter:
    """Counts while it is open.

    Attributes:
        spent: what was counted.
        learned: of it, and of runs before, what went into learning something that is kept (`core.runtime.memo`).
        remarks: what a reader must know of how that came about, one sentence each.
    """

    def __init__(self) -> None:
        self.spent, self.learned = NOTHING, NOTHING
        self.remarks: tuple[str, ...] = ()


# In a context variable, as listeners to progress are: no signature on the way to a pass carries a meter, and a thread
# counts what it spends itself.
_open: ContextVar[tuple[Meter, ...]] = ContextVar("meters", default=())


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what this thread spends inside; meters may be nested."""
    meter = Meter()
    token = _open.set((*_open.get(), meter))
    try:
        yield meter
    finally:
        _open.reset(token)


def count(passes: int = 0, texts: int = 0, backward: int = 0) -> None:
    """Called by whatever runs a model."""
    for meter in _open.get():
        meter.spent += Cost(passes, texts, backward)


def count_learned(cost: Cost) -> None:
    """Called where something learned is used: what learning it cost, now or before."""
    for meter in _open.get():
        meter.learned += cost


def remark(sentence: str) -> None:
    """Called where something did not go as usual and the result is sound all the same."""
    for meter in _open.get():
        meter.remarks = (*meter.remarks, sentence)
