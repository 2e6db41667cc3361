"""Every test: nothing leaves the machine, nothing is written outside a temporary folder, slow ones last."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"  # a model by hub name must fail at once, with its sentence, not after retries
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the tests start processes after tokenizing
# Two threads of one pass wait for each other; on a machine where something else runs too they wait long.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["ICLENS_HOME"] = tempfile.mkdtemp(prefix="iclens-tests-")

# One core may be all there is, so no deadline; and the same examples at every run, so that CI is not a lottery.
settings.register_profile("iclens", deadline=None, derandomize=True)
settings.load_profile("iclens")

HERE = Path(__file__).parent
LAST = ("pages", "browser")  # in this order, after everything else


def folder_of(item: pytest.Item) -> str:
    """The first folder below tests/ that a test stands in, "" for none."""
    return item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put quick tests first: what is wrong in `core` shows before a browser is started.

    Where several workers share the tests, a file is one worker's, so that its models are loaded once, and all browser
    tests are one worker's, which begins with them: one server and one Chromium, beside what needs neither.
    """
    items.sort(key=lambda item: LAST.index(folder_of(item)) + 1 if folder_of(item) in LAST else 0)
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        browser = folder_of(item) == "browser"
        item.add_marker(pytest.mark.xdist_group("browser" if browser else str(item.path.relative_to(HERE))))
    if os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") != "1":
        items.sort(key=lambda item: folder_of(item) != "browser")
