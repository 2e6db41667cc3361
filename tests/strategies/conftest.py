"""One new strategy of every kind, there for the length of a test file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from core.kernels import kernels
from core.ordering import orderings
from core.reasoning import reasonings
from core.scoring import scorers
from core.scoring.calibration import calibrations
from core.selection import selections

REGISTRIES = (scorers, kernels, selections, orderings, calibrations, reasonings)
PLUGINS = ("mean_direct", "same_letter", "longest", "alphabetical", "dots", "restate")


@pytest.fixture(scope="module")
def plugged() -> Iterator[None]:
    """Import every file of `plugins`, and forget afterwards what it registered."""
    before = [registry.names() for registry in REGISTRIES]
    with ExitStack() as trials:
        for registry in REGISTRIES:
            trials.enter_context(registry.trial())
        for name in PLUGINS:
            module = f"{__package__}.plugins.{name}"
            sys.modules.pop(module, None)  # registered anew, where another test file has forgotten it
            importlib.import_module(module)
        yield
    assert before == [registry.names() for registry in REGISTRIES]
