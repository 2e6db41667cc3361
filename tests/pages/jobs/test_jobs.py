"""Background jobs belong to a session and end with it."""

from __future__ import annotations

from streamlit.runtime.caching import clear_session_resource_cache
from streamlit.testing.v1 import AppTest


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
