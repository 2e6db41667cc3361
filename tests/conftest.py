"""Every test: nothing leaves the machine, nothing is written outside a temporary folder, slow ones last."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import Producer

    from core.models import LanguageModel

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
# Those that drive a browser longest begin first among these: no worker is left with one when the others are done.
LONG = ("test_strategies.py", "test_convergence.py", "test_attention.py", "test_ordering.py", "test_links.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put quick tests first: what is wrong in `core` shows before a browser is started."""

    def stage(item: pytest.Item) -> tuple[int, int]:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        name = item.path.name
        long = LONG.index(name) if folder == "browser" and name in LONG else len(LONG)
        return LAST.index(folder) + 1 if folder in LAST else 0, long

    items.sort(key=stage)


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is run in a test takes the place of `__main__`, which a process started later would run: it is put
    back."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def pytest_xdist_auto_num_workers() -> int:
    """A worker a core and one more: a test that drives a browser waits now and then."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Give a worker a whole file, whose models it then loads once; of those that drive a browser a test at a time.

    They are few, long and alike in what they need, a server and a browser, which each worker has once. Those that draw
    without a server stay together.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Shared(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return nodeid if "browser/" in file and not file.endswith("test_drawing.py") else file

    return Shared(config, log)


@pytest.fixture(scope="session")
def smollm2_folder() -> Path:
    """The checkpoint of SmolLM2-135M, a real pretrained model, as a user would name it."""
    from tests import real_models

    return real_models.smollm2_folder()


@pytest.fixture(scope="session")
def smollm2_file() -> Path:
    """The GGUF file that it is made from, inside its package."""
    from tests import real_models

    return real_models.smollm2_file()


@pytest.fixture(scope="session")
def smollm2(smollm2_folder: Path) -> LanguageModel:
    """SmolLM2-135M in float32, loaded once a session: 0.5 GB, and a second or more for every hundred tokens."""
    from core.models import load_model

    return load_model(str(smollm2_folder))
