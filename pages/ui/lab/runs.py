"""Experiments that this server computes: one after another, each in processes of its own, whoever looks at them.

An experiment goes on when its page is left; it ends when it is done or cancelled, and what was computed is kept.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.errors import Cancelled, ICLensError, StudyError
from core.experiments.design import Design
from core.experiments.experiment import Experiment
from core.experiments.ledger import Ledger
from core.experiments.ray_workers import RayWorkers
from core.experiments.run import Advance, run_experiment
from core.runtime.allowed import cluster_refusal
from core.runtime.paths import home
from pages.ui.jobs import engine
from pages.ui.session import store

FILE = "experiments.sqlite"
KEPT = 32  # runs that have ended, of which the page still knows how


@dataclass
class Run:
    """An experiment under way, or at its end.

    Attributes:
        experiment: which.
        advance: how far it is, None while it waits for others.
        error: why it ended, "" where it is under way or done.
    """

    experiment: Experiment
    advance: Advance | None = None
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self._ended.is_set()

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to end and has not yet."""
        return self._stop.is_set() and not self.ended

    def cancel(self) -> None:
        """End it; what was computed stays."""
        self._stop.set()


class Runs:
    """Every experiment that was begun since the server was."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._waiting: list[str] = []
        self._lock = threading.Lock()
        self._turn = threading.Condition(self._lock)

    def start(self, experiment: Experiment, owner: str, *, again: bool = False, ray: str = "") -> None:
        """Begin an experiment or go on with it; one that is under way goes on as it does."""
        key = experiment.key
        with suppress(ICLensError):  # said when it runs; two visitors' experiment is in both lists
            ledger().keep(experiment, Design(experiment).items, owner)
        with self._lock:
            before = self._runs.get(key)
            if before is not None and not before.ended:
                return
            for old in [name for name, run in self._runs.items() if run.ended][:-KEPT]:
                del self._runs[old]
            run = self._runs[key] = Run(experiment)
            self._waiting.append(key)
        thread = threading.Thread(target=self._work, args=(run, owner, again, ray), name=f"experiment-{key}")
        thread.daemon = True  # its processes end with the server's
        thread.start()

    def of(self, key: str) -> Run | None:
        """The run of an experiment, None where it was not begun since the server was."""
        return self._runs.get(key)

    def before(self, key: str) -> int:
        """How many run before this one does."""
        with self._lock:
            return self._waiting.index(key) if key in self._waiting else 0

    def _work(self, run: Run, owner: str, again: bool, ray: str) -> None:
        key = run.experiment.key
        try:
            with self._turn:
                while self._waiting[0] != key and not run.cancelling:
                    self._turn.wait(0.2)
            if run.cancelling:
                raise Cancelled
            for choice in run.experiment.models:
                engine.check_allowed(choice.name)
            if why := cluster_refusal(ray):
                raise StudyError(why)
            workers = RayWorkers(run.experiment, ray) if ray else None

            def hear(now: Advance) -> None:
                run.advance = now

            run_experiment(
                run.experiment,
                ledger(),
                workers=workers,
                owner=owner,
                again=again,
                stop=run._stop.is_set,
                listener=hear,
            )
        except Cancelled:
            run.error = "Cancelled; what was computed is kept."
        except ICLensError as error:
            run.error = str(error)
        except Exception as error:  # a thread that dies in silence would leave a bar that never moves
            run.error = f"The experiment ended ({type(error).__name__}: {' '.join(str(error).split())[:160]})."
        finally:
            with self._turn:
                self._waiting.remove(key)
                self._turn.notify_all()
            run._ended.set()


@st.cache_resource(show_spinner=False)
def ledger() -> Ledger:
    """Where this server keeps experiments: beside its studies."""
    return Ledger(home() / FILE)


def _end(runs: Any) -> None:
    for run in runs._runs.values():
        run.cancel()


@st.cache_resource(show_spinner=False, on_release=_end)
def runs() -> Runs:
    """Experiments of this server."""
    return Runs()


def owner() -> str:
    """Whose experiments are listed: the browser's."""
    return store.visitor()
