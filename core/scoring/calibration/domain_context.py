"""Domain-context calibration (Fei et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.embeddings.segmentation import joined, pieces
from core.scoring.calibration import calibrations
from core.study.cleaning import usable
from core.study.demonstrations import Demonstration
from core.study.study import Study

STRINGS = 20


@calibrations.register(
    "domain-context",
    title="Domain context",
    help="divides by what the prompt answers to 20 strings of random words from the pool",
    reads=("pool", "calibration_seed"),
    place=20,
)
def inputs(study: Study, shown: Sequence[Demonstration]) -> Sequence[str]:
    """20 strings of words drawn from the pool's inputs, never the query's; as long as these inputs are on average.

    Words stand between white space, and in scripts without it are cut apart (`core.embeddings.segmentation`). Without a
    pool the words come from the demonstrations shown.
    """
    texts = [row.input for row in study.pool if usable(row) and row.input.strip() != study.query]
    texts = texts or [row.input for row in shown]
    words = [word for text in texts for word in pieces(text)]
    if not words:
        return ()
    length = max(1, round(len(words) / len(texts)))
    rng = np.random.default_rng(study.calibration_seed)
    return [joined(rng.choice(words, length).tolist()) for _ in range(STRINGS)]
