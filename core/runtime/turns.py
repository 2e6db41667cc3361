"""A lock that is had in turns: whoever has waited longest is next, and people who wait come before work that can.

Python's own lock goes to whoever asks when it is free. One that lets go between two passes and asks again at once takes
it nearly every time, and the others wait for all of its passes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType

AHEAD = 4  # turns in a row that pass by patient work which waits, so that it comes on however many people there are

_patient: ContextVar[bool] = ContextVar("patient", default=False)


@contextmanager
def patient() -> Iterator[None]:
    """What is done inside can wait: a job with a progress bar, not what a page draws when it is clicked."""
    token = _patient.set(True)
    try:
        yield
    finally:
        _patient.reset(token)


@dataclass
class _Waiting:
    """A thread that waits, and the lock that it sleeps at until it is its turn."""

    thread: int = field(default_factory=threading.get_ident)
    gate: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.gate.acquire()


class Turns:
    """A lock that its thread may take again while it has it, as `threading.RLock`, in turns."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owner, self._depth = 0, 0
        self._people: deque[_Waiting] = deque()
        self._work: deque[_Waiting] = deque()
        self._passed = 0  # turns that went to people while work waited

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._people) + len(self._work)

    def acquire(self, blocking: bool = True) -> bool:
        """Take it, behind those who wait already; False where it is another's and `blocking` is not asked for."""
        me = threading.get_ident()
        with self._guard:
            if self._owner in (0, me):
                self._owner = me
                self._depth += 1
                return True
            if not blocking:
                return False
            line = self._work if _patient.get() else self._people
            mine = _Waiting()
            line.append(mine)
        try:
            mine.gate.acquire()  # whoever lets go hands it over
        except BaseException:
            self._withdraw(mine, line)
            raise
        return True

    def release(self) -> None:
        """Let go; at the last of as many calls as it was taken, the next has it."""
        with self._guard:
            if self._owner != threading.get_ident():
                raise RuntimeError("This thread does not have the lock.")
            self._depth -= 1
            if not self._depth:
                self._hand_over()

    def __enter__(self) -> Turns:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _hand_over(self) -> None:
        due = bool(self._work) and (not self._people or self._passed >= AHEAD)
        line = self._work if due else self._people
        self._passed = self._passed + 1 if self._work and not due else 0
        if not line:
            self._owner = 0
            return
        following = line.popleft()
        self._owner, self._depth = following.thread, 1
        following.gate.release()

    def _withdraw(self, mine: _Waiting, line: deque[_Waiting]) -> None:
        """Wait no longer; where it was handed over meanwhile, hand it on."""
        with self._guard:
            if mine in line:
                line.remove(mine)
            else:
                self._hand_over()
