"""Work that must not hold up a page: a pool of threads, a stop flag and a count for each job.

A job never calls `st.*`. A page polls it from a fragment and draws when it is done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from core.runtime.progress import Progress, Stop, reporting

T = TypeVar("T")
WORKERS = 2  # models share one lock each, so more would only wait


@dataclass
class Job(Generic[T]):
    """One piece of work under way.

    Attributes:
        key: what it computes; a page that wants something else cancels it.
        future: its result or error.
        flag: set to ask it to stop.
        started: `time.monotonic()` at the start.
        checks: how often it has asked whether to stop: proof of life where there is no other count.
        progress: how far it is, where the work says so.
    """

    key: str
    future: Future[T] = field(default_factory=Future)
    flag: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)
    checks: int = 0
    progress: Progress = field(default_factory=Progress)

    def hear(self, progress: Progress) -> None:
        """Told whenever the work has come further."""
        self.progress = progress

    @property
    def share(self) -> float:
        """How much is done, in [0, 1]."""
        return self.progress.share

    def stop(self) -> bool:
        """Passed to the work, which ends where this is True."""
        self.checks += 1
        return self.flag.is_set()

    def cancel(self) -> None:
        """Ask the work to stop; it does at its next check, or never starts."""
        self.flag.set()
        self.future.cancel()

    @property
    def done(self) -> bool:
        return self.future.done()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


@st.cache_resource(show_spinner=False)
def pool() -> ThreadPoolExecutor:
    """The threads of this server."""
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="iclens-job")


def _cancel_all(found: list[Job[Any]]) -> None:
    for job in found:
        job.cancel()


@st.cache_resource(show_spinner=False, scope="session", on_release=_cancel_all)
def _mine() -> list[Job[Any]]:
    """Jobs of this session under way: they end with it, a while after its tab was closed."""
    return []


def _keep(job: Job[Any]) -> None:
    mine = _mine()
    mine[:] = [*(other for other in mine if not other.done), job]


def submit(key: str, work: Callable[[Stop], T]) -> Job[T]:
    """Start `work(stop)` in the pool; what it says of its progress (`core.runtime.progress`) the job hears."""
    job: Job[T] = Job(key)

    def heard() -> T:
        with reporting(job.hear):
            return work(job.stop)

    job.future = pool().submit(heard)
    _keep(job)
    return job


def current(slot: str) -> Job[Any] | None:
    """The job of this session in a slot ("run", "load", an analysis), if any."""
    return st.session_state.get(f"job_{slot}")


def replace(slot: str, job: Job[Any] | None) -> None:
    """Put a job into a slot of this session; the one before it is cancelled: the last edit wins."""
    before = current(slot)
    if before is not None and before is not job:
        before.cancel()
    st.session_state[f"job_{slot}"] = job
