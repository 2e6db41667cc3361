"""No calibration."""

from __future__ import annotations

from collections.abc import Sequence

from core.scoring.calibration import calibrations
from core.study.demonstrations import Demonstration
from core.study.study import Study


@calibrations.register("none", title="None", help="the scorer's answer as it is", place=0)
def inputs(study: Study, shown: Sequence[Demonstration]) -> Sequence[str]:
    """No inputs, so nothing is divided by."""
    return ()
