"""Studies in, outcomes out: models loaded once, outcomes kept by what decides them, slow work as jobs."""

from __future__ import annotations

import gc
import os
import sys
import threading
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import streamlit as st
from streamlit import config

from core.errors import Cancelled, ICLensError, ModelError
from core.runtime.allowed import refusal
from core.runtime.lru import LRU
from core.runtime.once import Once
from core.runtime.progress import Stop
from core.runtime.version import code_version
from core.selection import selections
from core.study.study import ModelChoice, Study
from pages.ui.jobs import jobs
from pages.ui.jobs.turnstile import turnstile

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture
    from core.models import LanguageModel
    from core.study.outcome import Outcome

EMBEDDED = ModelChoice()
MODELS = 2  # models kept in memory at once, the embedded one aside
OUTCOMES = 96  # two entries each: under its own right answer, and under any
PATIENCE = 0.25  # seconds that a page waits for a job before it shows progress instead

# Messages wait for the thread that computes to give way. At 5 ms each, Python's own, they took longer than drawing did.
sys.setswitchinterval(0.001)


VERSION = code_version()  # nothing computed by older code is served


@st.cache_resource(show_spinner=False)
def embedded() -> LanguageModel:
    """The embedded model, loaded at the first visit and shared by all sessions."""
    from core.models.loading import load_model, wait_asleep  # late: a page paints before models are thought of

    wait_asleep()
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        # Threads that wait for each other on a busy machine make a small model fifty times slower, and visitors share
        # this one: half of the processors each.
        torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    model = load_model(EMBEDDED)
    settle()
    return model


def settle() -> None:
    """Take what is loaded now (torch, transformers, a model: half a million objects) out of garbage collection.

    Looking through all of these takes a quarter of a second each time, and none of them ever goes.
    """
    gc.collect()
    gc.freeze()


@cache
def settle_once() -> None:
    """`settle`, after the first outcome was drawn: what drawing has imported stays too."""
    settle()


# Streamlit collects garbage after every run, in front of the messages that the browser still waits for: half of what an
# edit of the Playground took of the server. It is collected once nobody has edited anything for a while.
config.set_option("runner.postScriptGC", False)
IDLE = 1.5  # seconds


class Sweeper:
    """Collects garbage when the server has been idle for a while."""

    def __init__(self) -> None:
        self._lock, self._timer = threading.Lock(), threading.Timer(IDLE, gc.collect)

    def later(self) -> None:
        """A run has ended."""
        with self._lock:
            self._timer.cancel()
            self._timer = threading.Timer(IDLE, gc.collect)
            self._timer.daemon = True
            self._timer.start()


sweeper = Sweeper()


_ready = threading.Event()


def at_hand(choice: ModelChoice) -> bool:
    """Whether `loaded` answers at once."""
    return choice.name != EMBEDDED.name or _ready.is_set()


@st.cache_resource(show_spinner=False)
def mixture() -> Mixture:
    """The mixture of tasks that the embedded model was trained on."""
    from core.mixture.mixture import load_mixture  # late: reads its words

    return load_mixture()


@st.cache_resource(show_spinner=False)
def models() -> LRU[str, LanguageModel]:
    """Models that some session has loaded."""
    return LRU(MODELS)


@st.cache_resource(show_spinner=False)
def outcomes() -> LRU[str, Outcome]:
    """Outcomes by study, weights and code. They are frozen and nobody writes into their arrays."""
    return LRU(OUTCOMES)


def loaded(choice: ModelChoice) -> LanguageModel | None:
    """The model of a study, if it is in memory. The embedded one is loaded on the spot."""
    if choice.name == EMBEDDED.name:
        model = embedded()
        _ready.set()
        return model
    return models().get(choice.model_dump_json())


def is_loaded(choice: ModelChoice) -> bool:
    """Whether a model is in memory, or is the embedded one, which always can be."""
    return choice.name == EMBEDDED.name or models().get(choice.model_dump_json()) is not None


def start_loading(choice: ModelChoice, slot: str = "load") -> None:
    """Load a model in a job of this session, or wait for another's who loads the same."""
    shelf = models()

    def work(stop: Stop) -> LanguageModel:
        # late: tests put another loader there; models are thought of once one is loaded
        from core import load_model
        from core.models.shelf import remember

        model = load_model(choice, stop=stop)
        settle()
        if stop():
            raise Cancelled
        shelf.put(choice.model_dump_json(), model)
        remember(choice.name)
        return model

    jobs.replace(slot, jobs.submit(choice.model_dump_json(), work, load=True))


def load_ended(slot: str = "load") -> tuple[ModelChoice, str] | None:
    """Take away a load that has ended: which model, and a sentence where it could not be loaded; else None."""
    job = jobs.current(slot)
    if job is None or not job.done:
        return None
    jobs.replace(slot, None)
    choice = ModelChoice.model_validate_json(job.key)
    try:
        job.future.result()
    except ICLensError as error:
        return choice, str(error)
    except Exception as error:  # a model's own code may raise anything; the page must not
        return choice, f"“{choice.name}” could not be loaded ({type(error).__name__})."
    return choice, ""


def check_allowed(name: str) -> None:
    """Refuse what the operator of this dashboard does not allow (`core.runtime.allowed`); the embedded model always is.

    Raises:
        ModelError: it is not allowed.
    """
    why = "" if name == EMBEDDED.name else refusal(name)
    if why:
        raise ModelError(why)


@lru_cache(maxsize=8)
def body(study: Study) -> str:
    """The study's JSON. Hashing a study costs a tenth of writing it."""
    return study.model_dump_json()


def compute(study: Study, model: LanguageModel, kept: LRU[str, Outcome], stop: Stop | None = None) -> Outcome:
    """`run(study, model)`, or what came of it before. Calls nothing of Streamlit: jobs run it in their threads.

    Another right answer is no other question: where it decides no number, no model pass is made for it. Whoever asks
    for what another is computing waits for that.

    Args:
        study: what to do.
        model: on which model.
        kept: `outcomes()`.
        stop: asked now and then.
    """
    # late: a page is painted before a study is run
    from core import run
    from core.pipeline.regrade import with_gold

    key, bare = (f"{VERSION}/{model.fingerprint}/{body(s)}" for s in (study, study.model_copy(update={"gold": None})))
    with _once(bare, stop):
        found = kept.get(key)
        if found is None and (other := kept.get("any gold " + bare)) is not None:
            found = with_gold(other, model, study.gold)
        if found is None:
            found = run(study, model, stop=stop)
            kept.put("any gold " + bare, found)
        kept.put(key, found)
        return found


_once = Once()


class Latest:
    """Tells a script run that a newer one of its session has begun: a superseded computation ends early."""

    def __init__(self) -> None:
        self.number = 0

    def begin(self) -> Stop:
        self.number += 1
        mine = self.number
        return lambda: self.number != mine


def superseded() -> Stop:
    """Called once a script run."""
    latest: Latest = st.session_state.setdefault("engine_latest", Latest())
    return latest.begin()


def outcome_or_job(study: Study, model: LanguageModel) -> Outcome | jobs.Job[Outcome]:
    """The outcome at once on the embedded model; on any other, or with a selection that trains or writes first, the job
    that computes it, unless it is quick.

    Raises:
        ICLensError: the study cannot be run; one sentence.
    """
    kept, stop = outcomes(), superseded()
    slow = study.selection in selections and selections.find(study.selection).slow
    if model.mixture is not None and not slow:
        jobs.replace("run", None)
        return compute(study, model, kept, stop)
    key = f"{body(study)}/{model.fingerprint}"
    job = jobs.current("run")
    if job is None or job.key != key:

        def work(halt: Stop) -> Outcome:
            return compute(study, model, kept, halt)

        job = jobs.submit(key, work, first=True)
        jobs.replace("run", job)
    try:
        with turnstile.aside():
            result: Outcome = job.future.result(timeout=max(0.0, PATIENCE - job.age))  # several cards ask
    except TimeoutError:
        return job
    return result
