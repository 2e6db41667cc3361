"""The dashboard with a model that takes two seconds, whatever it is asked, or until there is no ICLENS_HOME/hold."""

import os
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pages.ui.jobs import engine  # noqa: E402

SECONDS = 2.0
HOLD = Path(os.environ["ICLENS_HOME"]) / "hold"


class AllSlow:
    """Every selection says that it takes its time, so that each run is a job."""

    def __contains__(self, name: str) -> bool:
        return True

    def find(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(slow=True)


def slowly(*arguments: Any) -> Any:
    time.sleep(SECONDS)
    while HOLD.exists():
        time.sleep(0.05)
    return quickly(*arguments)


if engine.compute.__name__ != "slowly":  # this script runs anew with every run of the dashboard
    quickly = engine.compute
    engine.compute, engine.selections = slowly, AllSlow()  # type: ignore[assignment]

runpy.run_path(str(ROOT / "dashboard.py"))
