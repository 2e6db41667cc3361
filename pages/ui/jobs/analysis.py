"""Work that a page asks for beside the run: a job with progress and Cancel, kept by what decides it.

    spread = analysis.result("posterior_orders", study, model, {"orders": 50}, work, "Orders")

`work(stop)` calls nothing of Streamlit. The result comes at once where it is kept or quick; until then a
progress bar stands in its place and None is returned.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from core.errors import Cancelled, ICLensError
from core.runtime.lru import LRU
from core.runtime.progress import Stop
from core.study.study import Study
from pages.ui.components.text import plain
from pages.ui.jobs import engine, jobs

if TYPE_CHECKING:
    from core.models import LanguageModel

T = TypeVar("T")
RESULTS = 96
PATIENCE = 0.25  # seconds that a page waits before it shows progress instead


@st.cache_resource(show_spinner=False)
def _results() -> LRU[str, Any]:
    """Results of all sessions by what decides them. They are frozen and nobody writes into their arrays."""
    return LRU(RESULTS)


def result(
    slot: str,
    study: Study,
    model: LanguageModel | None,
    settings: dict[str, Any],
    work: Callable[[Stop], T],
    what: str,
    *,
    ask: str = "",
) -> T | None:
    """The result of `work`, or None with progress, an error or a button drawn here.

    Args:
        slot: name of the analysis, prefixed by its page; widget keys and its job's place derive from it.
        study, model: what it is about; a change of either starts it anew and cancels the one before.
        settings: everything else that decides it, as JSON values.
        work: computes it.
        what: two or three words that a progress bar and messages name it by.
        ask: a sentence on what it costs; where given, the work starts only when its button is pressed.
    """
    fingerprint = model.fingerprint if model is not None else ""
    decides = json.dumps(settings, sort_keys=True)
    key = f"{engine.VERSION}/{fingerprint}/{slot}/{decides}/{study.model_dump_json()}"
    kept = _results()
    found: T | None = kept.get(key)
    if found is not None:
        return found
    job = jobs.current(slot)
    if job is not None and job.key != key:
        jobs.replace(slot, None)
        job = None
    if job is None:
        wanted = f"{slot}_wanted"
        if ask and st.session_state.get(wanted) != key:
            st.caption(ask)
            st.button(f"Compute {what}", key=f"{slot}_compute", on_click=_want, args=(wanted, key))
            return None
        job = jobs.submit(key, work)
        jobs.replace(slot, job)
    return _collect(slot, job, kept, what)


def _want(name: str, key: str) -> None:
    st.session_state[name] = key


def _collect(slot: str, job: jobs.Job[T], kept: LRU[str, Any], what: str) -> T | None:
    """The job's result if it comes in time; else say what is going on."""
    from concurrent.futures import CancelledError

    try:
        found = job.future.result(timeout=PATIENCE)
    except TimeoutError:
        _show_progress(slot, what)
        return None
    except (Cancelled, CancelledError):
        st.caption(f"Stopped: {what}.")
        st.button("Run again", key=f"{slot}_again", on_click=jobs.replace, args=(slot, None))
        return None
    except ICLensError as error:
        st.error(plain(str(error), 400))
        return None
    kept.put(job.key, found)
    return found


@st.fragment(run_every=0.4)
def _show_progress(slot: str, what: str) -> None:
    """How far a job is; when it is done, the page is drawn."""
    job = jobs.current(slot)
    if job is None or job.done:
        st.rerun()
    if job.share:
        st.progress(min(max(job.share, 0.0), 1.0), f"{what} … {job.share:.0%}, {job.seconds:.0f} s")
    else:  # the work cannot say how far it is; the bar only shows that it lives
        st.progress(1 - 0.5 ** (job.seconds / 5), f"{what} … {job.seconds:.0f} s, {job.checks} passes")
    st.button("Cancel", key=f"{slot}_cancel", on_click=job.cancel)
