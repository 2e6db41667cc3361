"""The line of those who wait for work: in turns between visitors, and what several ask for alike is done once.

Every visitor has a queue of his own, and the queues take turns, so that twenty jobs of one visitor hold up another's
first by one job and not by twenty. No visitor has all the threads, however long his jobs are. Equal requests are one
piece of work: whoever asks later joins it, at whichever turn comes first, and it goes on until the last of them has
cancelled.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.runtime.progress import Progress, Stop, reporting
from core.runtime.turns import patient


class Asker(Protocol):
    """Somebody who asked for a piece of work.

    Attributes:
        key: what it computes.
        visitor: whose it is.
        future: what this asker gets.
        flag: set once he wants it no longer.
    """

    key: str
    visitor: str
    future: Future[Any]
    flag: threading.Event

    def stop(self) -> bool:
        """Whether he wants it no longer."""
        ...

    def begin(self, at: float) -> None:
        """Told when the work begins, or that it began, by `time.monotonic()`."""
        ...

    def hear(self, progress: Progress) -> None:
        """Told whenever it has come further."""
        ...


@dataclass(eq=False)
class _Task:
    """One piece of work, for all who asked for it."""

    key: str
    work: Callable[[Stop], Any]
    askers: list[Asker] = field(default_factory=list)
    begun: float | None = None
    ended: bool = False  # nobody wants it any more, and so nobody can join
    progress: Progress = field(default_factory=Progress)

    @property
    def wanted(self) -> bool:
        return not self.ended and not all(one.flag.is_set() for one in self.askers)


class Line:
    """Work for some threads.

    Args:
        name: of the threads.
        threads: how many; they share a model's lock and the processors, so that more would only wait.
        each: how many of them one visitor may have at a time.
    """

    def __init__(self, name: str, threads: int, each: int) -> None:
        self._each = each
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.RLock()
        self._tasks: dict[str, _Task] = {}  # by key, those that can be joined
        self._queues: OrderedDict[str, deque[_Task]] = OrderedDict()  # by visitor, whose turn is next first
        self._running: list[tuple[str, _Task]] = []

    def join(self, asker: Asker, work: Callable[[Stop], Any], first: bool = False) -> None:
        """Have `work(stop)` done for somebody, with whoever asked for the same.

        Args:
            asker: his future gets what comes of it.
            work: is done in another thread, which calls nothing of Streamlit.
            first: whether it goes before what else this visitor waits for.
        """
        with self._lock:
            task = self._tasks.get(asker.key)
            if task is None or not task.wanted:
                task = self._tasks[asker.key] = _Task(asker.key, work)
            task.askers.append(asker)
            if task.begun is not None:
                asker.begin(task.begun)
                asker.hear(task.progress)
                return
            queue = self._queues.setdefault(asker.visitor, deque())
            if task not in queue:
                (queue.appendleft if first else queue.append)(task)
        self._pool.submit(self._serve)

    def leave(self, asker: Asker) -> None:
        """Somebody wants it no longer, and has set his flag. After the last one the work stops at its next check."""
        with self._lock:
            task = self._task_of(asker)
            if task is None or (task.begun is not None and not task.wanted):
                return
            task.askers.remove(asker)
            asker.future.cancel()
            if task.begun is None and all(other.visitor != asker.visitor for other in task.askers):
                self._unqueue(task, asker.visitor)
            if not task.askers:
                self._forget(task)

    def place(self, asker: Asker) -> tuple[int, int] | None:
        """Which one of how many it is that wait, from 1, as they would begin; None where it has begun."""
        with self._lock:
            waiting = self._in_order()
            task = next((one for one in waiting if asker in one.askers), None)
            return None if task is None else (waiting.index(task) + 1, len(waiting))

    def _in_order(self) -> list[_Task]:
        """What waits, the first of every visitor before the second of any."""
        queues = [list(queue) for queue in self._queues.values()]
        rounds = range(max(map(len, queues), default=0))
        found = [queue[turn] for turn in rounds for queue in queues if turn < len(queue)]
        return list(dict.fromkeys(found))

    def _task_of(self, asker: Asker) -> _Task | None:
        waiting = (one for queue in self._queues.values() for one in queue)
        running = (one for _, one in self._running)
        return next((one for some in (waiting, running) for one in some if asker in one.askers), None)

    def _unqueue(self, task: _Task, *visitors: str) -> None:
        for visitor in visitors or tuple(self._queues):
            queue = self._queues.get(visitor, deque())
            if task in queue:
                queue.remove(task)
            if not queue:
                self._queues.pop(visitor, None)

    def _forget(self, task: _Task) -> None:
        """Nobody joins it any more."""
        if self._tasks.get(task.key) is task:
            del self._tasks[task.key]

    def _serve(self) -> None:
        """Do what is next, until nothing may begin."""
        while (task := self._next()) is not None:
            self._do(task)

    def _next(self) -> _Task | None:
        """What begins now: the first of the visitor whose turn it is."""
        with self._lock:
            for visitor in tuple(self._queues):
                if sum(whose == visitor and one.wanted for whose, one in self._running) >= self._each:
                    continue
                task = self._queues[visitor][0]
                self._queues.move_to_end(visitor)
                self._unqueue(task)
                task.begun = time.monotonic()
                self._running.append((visitor, task))
                for asker in task.askers:
                    asker.begin(task.begun)
                return task
        return None

    def _do(self, task: _Task) -> None:
        found, error = None, None
        try:
            with patient(), reporting(lambda progress: self._hear(task, progress)):
                found = task.work(lambda: self._stops(task))
        except BaseException as raised:  # whatever a model's own code raises is for those who asked
            error = raised
        with self._lock:
            self._running = [(whose, one) for whose, one in self._running if one is not task]
            self._forget(task)
            for asker in task.askers:
                if error is None:
                    asker.future.set_result(found)
                else:
                    asker.future.set_exception(error)

    def _hear(self, task: _Task, progress: Progress) -> None:
        with self._lock:
            task.progress = progress
            for asker in task.askers:
                asker.hear(progress)

    def _stops(self, task: _Task) -> bool:
        """Asked by the work now and then: whether nobody wants it any more."""
        with self._lock:
            gone = [asker.stop() for asker in task.askers]  # each is asked, so that each notes that it is alive
            task.ended = task.ended or all(gone)
            return task.ended
