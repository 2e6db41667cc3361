"""A page whose work waits says so and which place it has; it runs when its turn comes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from core.runtime.progress import Stop
from pages.ui.jobs import jobs
from pages.ui.jobs.jobs import Job
from tests.pages.conftest import Page


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """All threads work for others, until it is called."""
    go_on, line = threading.Event(), jobs._work()

    def work(stop: Stop) -> None:
        go_on.wait(60)

    others: list[Job[None]] = [Job(f"other {number}", line, f"other {number}") for number in range(jobs.WORKERS + 1)]
    for job in others:
        line.join(job, work)
    yield go_on.set
    go_on.set()
    for job in others:
        job.future.result(10)


def bars(page: Page) -> list[str]:
    return [str(bar.proto.text) for bar in page.at.get("progress")]


def test_what_waits_is_shown_as_waiting(busy: Callable[[], None], start) -> None:
    """The seventh of eight visitors read “orders … 13 s, 0 passes”, as if his work ran."""
    page: Page = start()
    page.edit(demonstrations=page.study.demonstrations[:3], labels=("good", "bad"))
    page.at.switch_page("pages/ordering.py")
    page.run()
    said = bars(page)
    assert said
    assert all(text.endswith(" in the queue") for text in said), said
    assert any(" … 2nd of " in text for text in said), said  # one of the others waits too
    busy()
    page.settle()
    assert bars(page) == []
