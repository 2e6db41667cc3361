"""Every test: nothing leaves the machine, nothing is written outside a temporary folder, slow ones last."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put quick tests first: what is wrong in `core` shows before a browser is started."""

    def stage(item: pytest.Item) -> int:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        return LAST.index(folder) + 1 if folder in LAST else 0

    items.sort(key=stage)


@pytest.fixture(scope="session")
def smollm2_folder() -> Path:
    """The checkpoint of SmolLM2-135M, a real pretrained model, as a user would name it."""
    from tests import real_models

    return real_models.smollm2_folder()


@pytest.fixture(scope="session")
def smollm2(smollm2_folder: Path) -> LanguageModel:
    """SmolLM2-135M in float32, loaded once a session: 0.5 GB, and a second or more for every hundred tokens."""
    from core.models import load_model

    return load_model(str(smollm2_folder))
