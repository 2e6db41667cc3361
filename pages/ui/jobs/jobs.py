"""Work that must not hold up a page: a place in line (`line.py`), a stop flag and a count for each job.

A job never calls `st.*`. A page polls it from a fragment and draws when it is done. A job that nobody looks at any more
stops: its card has gone from the page (`leave`), or its session's browser has been away for a while. Jobs of several
visitors that ask for the same share the work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.runtime.progress import Progress, Stop
from pages.ui.jobs.line import Line
from pages.ui.session import store

T = TypeVar("T")
WORKERS, EACH = 3, 2  # threads for runs and analyses, and how many of them one visitor may have
LOADERS, LOADS_EACH = 2, 1  # threads for loads, apart: a download of an hour holds up no run
AWAY = 20.0  # seconds that a browser may be gone before its jobs stop: a reload or a broken line is shorter
OFTEN = 1.0  # seconds between two looks at whether it is there
SLOT = "job_"
LASTING = ("run", "load", "load_a", "import")
"""Slots that no card owns: the study's run and models, which every page awaits, and the file in the dialog."""


class Watch:
    """Whether the browser that asked for a job is still there. A script without a browser, a test, is never away."""

    def __init__(self) -> None:
        context = get_script_run_ctx(suppress_warning=True)
        self._session = context.session_id if context is not None and runtime.exists() else ""
        self._looked = self._seen = time.monotonic()

    def away(self) -> bool:
        """Whether it has been gone for `AWAY` seconds. Called by the job's thread."""
        now = time.monotonic()
        if not self._session or now - self._looked < OFTEN:
            return False
        self._looked = now
        if runtime.exists() and runtime.get_instance().is_active_session(self._session):
            self._seen = now
        return now - self._seen > AWAY


@dataclass(eq=False)
class Job(Generic[T]):
    """One piece of work of a session, waiting or under way.

    Attributes:
        key: what it computes; a page that wants something else cancels it.
        line: where it waits.
        visitor: whose it is.
        future: its result or error.
        flag: set to ask it to stop.
        asked: `time.monotonic()` when it was asked for.
        started: the same when the work began; until then when it was asked for.
        checks: how often it has asked whether to stop: proof of life where there is no other count.
        progress: how far it is, where the work says so.
        watch: whether somebody waits for it.
    """

    key: str
    line: Line | None = None
    visitor: str = ""
    future: Future[T] = field(default_factory=Future)
    flag: threading.Event = field(default_factory=threading.Event)
    asked: float = field(default_factory=time.monotonic)
    started: float = field(default_factory=time.monotonic)
    checks: int = 0
    progress: Progress = field(default_factory=Progress)
    watch: Watch = field(default_factory=Watch)

    def hear(self, progress: Progress) -> None:
        """Told whenever the work has come further."""
        self.progress = progress

    def begin(self, at: float) -> None:
        """Told when the work begins, or that it has begun for another who asked for the same."""
        self.started = at

    @property
    def place(self) -> tuple[int, int] | None:
        """Which one of how many it is that wait, from 1; None where it has begun."""
        return None if self.line is None else self.line.place(self)

    @property
    def share(self) -> float:
        """How much is done, in [0, 1]."""
        return self.progress.share

    def stop(self) -> bool:
        """Passed to the work, which ends where this is True."""
        self.checks += 1
        if self.watch.away():
            self.flag.set()
        return self.flag.is_set()

    def cancel(self) -> None:
        """Ask the work to stop; it does at its next check, or never starts. Where others asked for the same it goes on
        for them, and this job ends at once."""
        self.flag.set()
        if self.line is not None:
            self.line.leave(self)

    @property
    def done(self) -> bool:
        return self.future.done()

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self.flag.is_set() and not self.done

    @property
    def age(self) -> float:
        """Seconds since it was asked for."""
        return time.monotonic() - self.asked

    @property
    def seconds(self) -> float:
        """Seconds that it has been worked on."""
        return time.monotonic() - self.started

    @property
    def seconds_left(self) -> float | None:
        """How much longer, at the pace so far; None where the work does not say how far it is."""
        return self.progress.seconds_left(self.seconds)


@st.cache_resource(show_spinner=False)
def _work() -> Line:
    """Where the runs and analyses of this server wait."""
    return Line("iclens-job", WORKERS, EACH)


@st.cache_resource(show_spinner=False)
def _loads() -> Line:
    """Where its loads do."""
    return Line("iclens-load", LOADERS, LOADS_EACH)


@st.cache_resource(show_spinner=False)
def _files() -> Line:
    """Where files are read: seconds of work, which do not wait for an analysis."""
    return Line("iclens-file", WORKERS, EACH)


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


def submit(
    key: str, work: Callable[[Stop], T], *, first: bool = False, load: bool = False, file: bool = False
) -> Job[T]:
    """Have `work(stop)` done in a thread, together with whoever asked for the same; what it says of its progress
    (`core.runtime.progress`) the job hears.

    Args:
        key: all that decides what comes of it.
        work: calls nothing of Streamlit.
        first: whether it goes before what else this visitor waits for.
        load: whether it loads a model.
        file: whether it reads a file.
    """
    line = _loads() if load else _files() if file else _work()
    job: Job[T] = Job(key, line, _visitor())
    line.join(job, work, first)
    _keep(job)
    return job


def _visitor() -> str:
    """Whose a job is: the browser's, whichever of its tabs; of a script without one the session's."""
    context = get_script_run_ctx(suppress_warning=True)
    return store.visitor() or (context.session_id if context is not None else "")


def current(slot: str) -> Job[Any] | None:
    """The job of this session in a slot ("run", "load", an analysis), if any."""
    return st.session_state.get(f"{SLOT}{slot}")


def replace(slot: str, job: Job[Any] | None) -> None:
    """Put a job into a slot of this session; the one before it is cancelled: the last edit wins."""
    before = current(slot)
    if before is not None and before is not job:
        before.cancel()
    st.session_state[f"{SLOT}{slot}"] = job


def leave(looked_at: Collection[str]) -> None:
    """Cancel the jobs of this session in slots that nothing on the page reads any more."""
    for name in [name for name in st.session_state if str(name).startswith(SLOT)]:
        slot = str(name).removeprefix(SLOT)
        job = current(slot)
        if slot not in looked_at and slot not in LASTING and job is not None and not job.done:
            replace(slot, None)
