"""Contextual calibration (Zhao et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence

from core.scoring.calibration import calibrations
from core.study.demonstrations import Demonstration
from core.study.study import Study

CONTENT_FREE = ("N/A", "", "[MASK]")


@calibrations.register(
    "contextual",
    title="Contextual",
    help="divides by what the prompt answers to “N/A”, an empty input and “[MASK]”",
    place=10,
)
def inputs(study: Study, shown: Sequence[Demonstration]) -> Sequence[str]:
    """The paper's three content-free inputs."""
    return CONTENT_FREE
