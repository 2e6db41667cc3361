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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put quick tests first: what is wrong in `core` shows before a browser is started."""

    def stage(item: pytest.Item) -> int:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        return LAST.index(folder) + 1 if folder in LAST else 0

    items.sort(key=stage)
