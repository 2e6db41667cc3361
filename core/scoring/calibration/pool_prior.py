"""Prior correction by unlabelled inputs (Zhou et al. 2024, batch calibration)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import StudyError
from core.scoring.calibration import calibrations
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.study import Study


@calibrations.register(
    "prior",
    title="Prior correction",
    help="divides by the labels' mean probability over inputs of the pool, their labels unread",
    reads=("pool", "probes", "calibration_seed"),
    place=30,
)
def inputs(study: Study, shown: Sequence[Demonstration]) -> Sequence[str]:
    """Up to `probes` distinct inputs of the pool that are neither shown nor the query, drawn with the seed.

    Raises:
        StudyError: the pool has none.
    """
    known = {study.query, *(row.input for row in shown)}
    free = list(dict.fromkeys(row.input for row in study.pool if usable(row) and row.input.strip() not in known))
    if not free:
        raise StudyError(
            "Prior correction averages over inputs of the pool, and it has none that is not shown; add some, or choose "
            "another calibration."
        )
    if len(free) > study.probes:
        drawn = np.random.default_rng(study.calibration_seed).choice(len(free), study.probes, replace=False)
        free = [free[i] for i in sorted(drawn)]
    return free
