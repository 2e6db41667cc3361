"""How far a job is: the one progress bar of all pages, with the time left, and Cancel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.jobs import jobs

EVERY = 0.4  # seconds between two looks


@st.fragment(run_every=EVERY)
def progress(
    slot: str, what: str, done: Callable[[], None], *, drop: bool = False, dropped: Callable[[], None] | None = None
) -> None:
    """A bar that is the work done over the work to do, until the job ends.

    Args:
        slot: of the job.
        what: two or three words that name it.
        done: called once the job has ended; draws what came of it.
        drop: whether Cancel forgets the job at once, and does not wait for its end.
        dropped: called when Cancel has done so.
    """
    job = jobs.current(slot)
    if job is None or job.done:
        done()
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(min(max(job.share, 0.0), 1.0), said(job, what))
        if job.cancelling:
            st.button("Cancelling…", key=f"{slot}_cancelling", disabled=True)
        else:
            cancel = partial(_drop, slot, dropped) if drop else job.cancel
            st.button("Cancel", key=f"{slot}_cancel", on_click=cancel)


def _drop(slot: str, dropped: Callable[[], None] | None) -> None:
    jobs.replace(slot, None)
    if dropped is not None:
        dropped()


def said(job: jobs.Job[Any], what: str) -> str:
    """What stands on the bar: its place in line; then how much is done, and how long the rest takes at this pace."""
    if job.cancelling:
        return f"Cancelling… {what}"
    place = job.place
    if place is not None:
        return f"{what} … {ordinal(place[0])} of {place[1]} in the queue"
    found, left = job.progress, job.seconds_left
    if left is None:
        return f"{what} … {_time(job.seconds)}"
    done = f"{found.done:,} of {found.total:,} {found.unit}" if found.total else f"{found.share:.0%}"
    return f"{what} … {done}" + (f", {_time(left)} left" if job.seconds > 1 else "")


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _time(seconds: float) -> str:
    """12 s, 3 min 20 s."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
