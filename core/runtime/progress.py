"""How far work is, told from deep inside it, so that no signature on the way carries a callback.

    with reporting(job.advance):
        chosen = select(study, model)    # inside, a strategy marks its stages: with part(0.0, 0.9): …

Whoever can count its own steps says `advance(done / total)`; it is heard only inside a part, where somebody has said
what those steps are a share of. What is told never goes down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.errors import Cancelled

Stop = Callable[[], bool]
Progress = Callable[[float], None]  # told the share that is done, 0 to 1


@dataclass
class _Listener:
    """Who is told, and how much they know."""

    progress: Progress
    known: float = 0.0

    def tell(self, share: float) -> None:
        if share > self.known:
            self.known = min(share, 1.0)
            self.progress(self.known)


@dataclass(frozen=True)
class _Part:
    """From … to of the whole."""

    listener: _Listener
    low: float = 0.0
    high: float = 1.0
    counted: bool = False

    def at(self, share: float) -> float:
        return self.low + (self.high - self.low) * share


@dataclass
class _Open(threading.local):
    parts: list[_Part] = field(default_factory=list)


_open = _Open()


@contextmanager
def reporting(progress: Progress | None) -> Iterator[None]:
    """What this thread does inside is the whole that `progress` hears of; nothing is told where it is None."""
    if progress is None:
        yield
        return
    _open.parts.append(_Part(_Listener(progress)))
    try:
        yield
    finally:
        _open.parts.pop()


@contextmanager
def part(low: float, high: float) -> Iterator[None]:
    """What is done inside takes the work from `low` to `high`, shares in [0, 1] of what surrounds it."""
    if not _open.parts:
        yield
        return
    around = _open.parts[-1]
    mine = _Part(around.listener, around.at(low), around.at(high), counted=True)
    _open.parts.append(mine)
    try:
        yield
        mine.listener.tell(mine.high)
    finally:
        _open.parts.pop()


def advance(share: float) -> None:
    """Say that this share, in [0, 1], of the innermost part is done; nobody hears it outside every part."""
    if _open.parts and _open.parts[-1].counted:
        mine = _open.parts[-1]
        mine.listener.tell(mine.at(share))


def check(stop: Stop | None) -> None:
    """Raise `Cancelled` where the user has asked for the work to stop."""
    if stop is not None and stop():
        raise Cancelled


def report(progress: Progress | None, share: float) -> None:
    """Tell how much is done, where somebody asked."""
    if progress is not None:
        progress(share)
