"""Calibration by inputs of nothing but full stops."""

from __future__ import annotations

from collections.abc import Sequence

from core.scoring.calibration import calibrations
from core.study.demonstrations import Demonstration
from core.study.study import Study


@calibrations.register("dots", title="Dots", help="divides by what the prompt answers to “.” and “. .”")
def inputs(study: Study, shown: Sequence[Demonstration]) -> Sequence[str]:
    """Two inputs that say nothing."""
    return (".", ". .")
