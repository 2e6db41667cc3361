"""How far work is, told from deep inside it, so that no signature on the way carries a callback.

Whoever wants to know listens; whoever works says what it is a part of and counts:

    with reporting(job.hear):                           # hears a `Progress` whenever more is done
        table = order_table(study, model, …)

    with part(0.0, 0.1):                                # a stage: from 0 to .1 of what surrounds it
        choose(…)
    with part(0.1, 1.0), counting(len(orders), "orders") as advance:
        for done, one in enumerate(orders, start=1):
            score(one)                                  # what is counted in here fills this one order
            advance(done)

Parts and counts nest. A count inside another fills the unit that comes next, so a loop need not know of loops inside
it, and never more is told than is done. A stage or a loop that ends without an error is done. What is told never goes
down. Work that is always somebody else's part (a model's passes) opens `counting(…, inner=True)`, which is heard only
where that somebody has opened a part or a count.

Scopes are kept in a context variable: a signature that carried them would have to pass through every strategy, and one
thread's work must not be heard as another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from core.errors import Cancelled

T = TypeVar("T")
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Progress:
    """How far work is.

    Attributes:
        share: work done over work to do, in [0, 1].
        done, total: of the outermost thing that is counted at the moment ("3 of 24 orders"); total is 0 where nothing
            is counted.
        unit: what is counted, in the plural.
    """

    share: float = 0.0
    done: int = 0
    total: int = 0
    unit: str = ""

    def seconds_left(self, elapsed: float) -> float | None:
        """elapsed · (1 − share) / share: the rest at the pace so far; None where nothing is done yet."""
        return elapsed * (1 - self.share) / self.share if self.share > 0 else None


Listener = Callable[[Progress], None]
Advance = Callable[[int], None]  # told how many units are done


class _Ears:
    """Who is told, and how much they know."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self._known = listener, 0.0

    def hear(self, share: float, counted: _Scope | None) -> None:
        if share <= self._known:
            return
        self._known = min(share, 1.0)
        done, total, unit = (counted.done, counted.total, counted.unit) if counted is not None else (0, 0, "")
        self._listener(Progress(self._known, done, total, unit))


class _Scope:
    """From `low` to `high` of the whole, in `total` units of which `done` are done; total is 0 for a stage."""

    def __init__(
        self,
        ears: _Ears,
        low: float,
        high: float,
        around: _Scope | None,
        total: int = 0,
        unit: str = "",
        at_once: int = 1,
    ) -> None:
        self.ears, self.low, self.high = ears, low, high
        self.done, self.total, self.unit, self.at_once = 0, total, unit, at_once
        outermost = around.counted if around is not None else None
        self.counted: _Scope | None = outermost or (self if total > 1 else None)  # "0 of 1 studies" tells nothing

    def at(self, share: float) -> float:
        return self.low + (self.high - self.low) * share

    @property
    def window(self) -> tuple[float, float]:
        """What is filled by work that goes on inside: the units that come next, or the whole stage."""
        if not self.total:
            return self.low, self.high
        return self.at(min(self.done / self.total, 1.0)), self.at(min((self.done + self.at_once) / self.total, 1.0))

    def advance(self, done: int) -> None:
        self.done = max(self.done, min(done, self.total))
        self.ears.hear(self.at(self.done / self.total) if self.total else self.high, self.counted)

    def finish(self) -> None:
        self.done = self.total
        self.ears.hear(self.high, self.counted)


_open: ContextVar[tuple[_Scope, ...]] = ContextVar("progress", default=())


@contextmanager
def reporting(listener: Listener | None) -> Iterator[None]:
    """What is done inside is the whole that `listener` hears of; where it is None whoever listens already goes on."""
    if listener is None:
        yield
        return
    with _scope(_Scope(_Ears(listener), 0.0, 1.0, None), silent=True):
        yield


@contextmanager
def part(low: float, high: float) -> Iterator[None]:
    """What is done inside takes the work from `low` to `high`, shares in [0, 1] of what surrounds it."""
    around = _around()
    if around is None:
        yield
        return
    start, end = around.window
    span = end - start
    with _scope(_Scope(around.ears, start + span * low, start + span * high, around)):
        yield


@contextmanager
def counting(total: int, unit: str, *, at_once: int = 1, inner: bool = False) -> Iterator[Advance]:
    """Count what is done inside: `advance(done)` of `total` units.

    Args:
        total: of units, all alike in work as far as is known.
        unit: what they are, in the plural.
        at_once: units that are worked on between two calls of `advance`: what is counted inside fills so many.
        inner: only ever a part of other work: not heard where nobody has said of what.
    """
    scopes = _open.get()
    if not scopes or (inner and len(scopes) == 1) or total < 1:
        yield _unheard
        return
    around = scopes[-1]
    scope = _Scope(around.ears, *around.window, around, total, unit, at_once)
    with _scope(scope):
        yield scope.advance


def check(stop: Stop | None) -> None:
    """Raise `Cancelled` where the user has asked for the work to stop."""
    if stop is not None and stop():
        raise Cancelled


_asked: ContextVar[Stop | None] = ContextVar("stop", default=None)
OFTEN = 500
"""Things that `watched` hands on between two questions."""


@contextmanager
def stoppable(stop: Stop | None) -> Iterator[None]:
    """What is `watched` inside asks `stop`, for work of many small functions that all take no time by themselves; where
    it is None whoever is asked already still is."""
    token = _asked.set(stop if stop is not None else _asked.get())
    try:
        yield
    finally:
        _asked.reset(token)


def pause() -> None:
    """Raise `Cancelled` where whoever opened `stoppable` says stop."""
    check(_asked.get())


def watched(things: Iterable[T], total: int, unit: str) -> Iterator[T]:
    """The things one by one, counted, until whoever opened `stoppable` says stop.

    Args:
        total: how many there are, at least roughly.
        unit: what they are, in the plural.

    Raises:
        Cancelled: the user has asked for the work to stop.
    """
    with counting(total, unit) as advance:
        for done, thing in enumerate(things):
            if done % OFTEN == 0:
                pause()
                advance(done)
            yield thing


def _around() -> _Scope | None:
    scopes = _open.get()
    return scopes[-1] if scopes else None


@contextmanager
def _scope(scope: _Scope, silent: bool = False) -> Iterator[None]:
    """Inside this scope; at the end, without an error, it is done."""
    # One that listens hears what is done from here on alone: a whole of its own begins.
    token = _open.set((scope,) if silent else (*_open.get(), scope))
    try:
        yield
        if not silent:
            scope.finish()
    finally:
        _open.reset(token)


def _unheard(done: int) -> None:
    """Where nobody listens."""
