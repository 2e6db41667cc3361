"""Background jobs belong to a session and end with it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit.runtime.caching import clear_session_resource_cache
from streamlit.testing.v1 import AppTest

from core.runtime.progress import Progress
from pages.ui.jobs import jobs, view


def _script() -> None:
    import streamlit as st

    from pages.ui.jobs import jobs

    def work(stop):
        import time

        while not stop():
            time.sleep(0.01)
        return "stopped"

    if "first" not in st.session_state:
        st.session_state["first"] = jobs.submit("first", work)
        st.session_state["second"] = jobs.submit("second", work)


def test_a_session_that_ends_takes_its_jobs_along() -> None:
    at = AppTest.from_function(_script).run()
    assert not at.exception
    found = [at.session_state["first"], at.session_state["second"]]
    assert not any(job.done for job in found)
    clear_session_resource_cache("test session id")
    for job in found:
        # One that still waited for a thread, which other sessions' work may hold, never starts.
        assert job.future.cancelled() or job.future.result(timeout=10) == "stopped"


def _watched() -> None:
    import streamlit as st

    from pages.ui.jobs import jobs

    def work(stop):
        import time

        while not stop():
            time.sleep(0.01)
        return "stopped"

    if "first" not in st.session_state:
        for name in ("first", "second", "run"):
            st.session_state[name] = jobs.submit(name, work)
            jobs.replace(name, st.session_state[name])
        jobs.leave({"first"})


def test_a_job_whose_card_has_gone_stops() -> None:
    at = AppTest.from_function(_watched).run()
    assert not at.exception
    assert [at.session_state[name].flag.is_set() for name in ("first", "second", "run")] == [False, True, False]
    for name in ("first", "run"):
        at.session_state[name].cancel()


def test_a_job_whose_browser_has_gone_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    now, there = [0.0], [True]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(jobs.runtime, "exists", lambda: True)
    monkeypatch.setattr(jobs.runtime, "get_instance", lambda: SimpleNamespace(is_active_session=lambda _: there[0]))
    monkeypatch.setattr(jobs, "get_script_run_ctx", lambda **_: SimpleNamespace(session_id="one"))
    job: jobs.Job[str] = jobs.Job("work")
    now[0] = 1_000.0
    assert not job.stop()
    there[0] = False  # a reload: gone, and back soon
    now[0] += jobs.AWAY / 2
    assert not job.stop()
    there[0] = True
    now[0] += jobs.AWAY / 2
    assert not job.stop()
    there[0] = False
    now[0] += jobs.AWAY + 1
    assert job.stop()
    assert job.cancelling


def test_what_stands_on_the_bar() -> None:
    job: jobs.Job[str] = jobs.Job("work")
    job.started -= 30
    assert view.said(job, "orders") == "orders … 30 s"
    job.hear(Progress(share=0.25, done=6, total=24, unit="orders"))
    assert view.said(job, "orders") == "orders … 6 of 24 orders, 1 min 30 s left"
    job.flag.set()
    assert view.said(job, "orders") == "Cancelling… orders"
