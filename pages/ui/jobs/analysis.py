"""Work that a page asks for beside the run: a job with progress and Cancel, kept by what decides it.

    ORDERS = {"demonstrations", "query", "template", "scoring"}    # fields of Study

    table = analysis.value("posterior_orders", study, model, {"orders": 50}, work, "orders", reads=ORDERS)

`work(study, stop)` calls nothing of Streamlit. It is given the study cut to the fields in `reads`, all others
at their defaults, and what came of it is kept by that cut study: an edit of another field neither forgets nor changes
it. Until it is there, `Waiting` is raised; a card shows what that says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from core.errors import Cancelled, ICLensError
from core.runtime.lru import LRU
from core.runtime.progress import Stop
from core.study.study import Study
from pages.ui.jobs import engine, jobs
from pages.ui.jobs.turnstile import turnstile
from pages.ui.jobs.waiting import Asked, Failed, Running, Stopped

if TYPE_CHECKING:
    from core.models import LanguageModel

T = TypeVar("T")
RESULTS = 96
PATIENCE = 0.25  # seconds that a page waits before it shows progress instead
LOOKED_AT = "analysis_looked_at"  # slots that the page has asked for

EXPLAINS = frozenset(
    {"gold", "hypotheses", "chained", "posteriors", "posterior_solver", "heads", "hidden_layer", "similarity"}
    | {"bandwidth", "span", "pooling", "token_head", "input_pattern"}
)
ANSWERS = frozenset(Study.model_fields) - EXPLAINS
"""What decides an answer, the model's and exact Bayes's: every field but those that only explain it, and gold."""


@st.cache_resource(show_spinner=False)
def _results() -> LRU[str, Any]:
    """Results of all sessions by what decides them. They are frozen and nobody writes into their arrays."""
    return LRU(RESULTS)


def cut(study: Study, reads: Collection[str]) -> Study:
    """The study with every field at its default but those in `reads`."""
    return Study.model_construct(**{name: getattr(study, name) for name in Study.model_fields if name in reads})


def value(
    slot: str,
    study: Study,
    model: LanguageModel | None,
    settings: dict[str, Any],
    work: Callable[[Study, Stop], T],
    what: str,
    *,
    reads: Collection[str],
    ask: str = "",
) -> T:
    """The result of `work`.

    Args:
        slot: name of the analysis, prefixed by its page; widget keys and its job's place derive from it.
        study, model: what it is about; a change of a field that is read, or of the model, starts it anew and cancels
            the one before.
        settings: everything else that decides it, as JSON values.
        work: computes it, from the study cut to `reads`.
        what: two or three words that a progress bar and messages name it by.
        reads: the fields of `Study` that decide it.
        ask: a sentence on what it costs; where given, the work starts only when its button is pressed.

    Raises:
        Waiting: it is not there yet, was stopped, or cannot be had.
    """
    held = cut(study, reads)
    return _value(slot, held, model, settings, lambda stop: work(held, stop), what, ask)


def look_at(slot: str) -> None:
    """Say that what is drawn now asks for this slot: of those that wait for it, the first says so."""
    st.session_state.setdefault(LOOKED_AT, set()).add(slot)


def _value(
    slot: str,
    study: Study,
    model: LanguageModel | None,
    settings: dict[str, Any],
    work: Callable[[Stop], T],
    what: str,
    ask: str,
) -> T:
    look_at(slot)
    fingerprint = model.fingerprint if model is not None else ""
    decides = json.dumps(settings, sort_keys=True)
    key = f"{engine.VERSION}/{fingerprint}/{slot}/{decides}/{engine.body(study)}"
    found: T | None = _results().get(key)
    if found is not None:
        return found
    job = jobs.current(slot)
    if job is not None and job.key != key:
        jobs.replace(slot, None)
        job = None
    if job is None:
        wanted = f"{slot}_wanted"
        if ask and st.session_state.get(wanted) != key:
            raise Asked(slot, what, key, ask, lambda: _want(wanted, key))
        job = jobs.submit(key, _kept(key, work))
        jobs.replace(slot, job)
    return _collect(slot, job, what)


def _kept(key: str, work: Callable[[Stop], T]) -> Callable[[Stop], T]:
    """The work, and its result kept before anybody hears of it: whoever asks from then on finds it."""
    results = _results()

    def keep(stop: Stop) -> T:
        found = work(stop)
        results.put(key, found)
        return found

    return keep


def derived(found: Any, name: str, make: Callable[[], T]) -> T:
    """What follows from a result, worked out when first asked for and kept with it: bootstraps, tables, rows.

    Args:
        found: a result, which nothing changes.
        name: of what follows, with whatever else decides it.
        make: works it out.
    """
    kept: dict[str, Any] = vars(found).setdefault("_derived", {})
    if name not in kept:
        kept[name] = make()
    value: T = kept[name]
    return value


def _want(name: str, key: str) -> None:
    st.session_state[name] = key


def _collect(slot: str, job: jobs.Job[T], what: str) -> T:
    """The job's result if it comes in time."""
    with suppress(Exception), turnstile.aside():
        job.future.exception(timeout=max(0.0, PATIENCE - job.age))
    if not job.done:
        raise Running(slot, what, job.key)
    try:
        found = job.future.result()
    except (Cancelled, CancelledError):
        raise Stopped(slot, what, job.key) from None
    except ICLensError as error:
        raise Failed(str(error), slot) from None
    return found
