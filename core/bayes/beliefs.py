"""What exact Bayes believes once it has read the next input, where the posterior page stops at the demonstrations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.mixture.mixture import accumulate
from core.statistics.distributions import softmax

if TYPE_CHECKING:
    from core.mixture.mixture import Mixture

Floats = NDArray[np.float64]


def beliefs_at_inputs(mixture: Mixture, pairs: Sequence[tuple[str, str]], query: str, instruction: str = "") -> Floats:
    """P(T | D_n, x_{n+1}) over families for n = 0 … k, (k + 1, F), x_{k+1} the query: what an answer rests on.

    ∝ Σ_t P(t | D_n) p(x_{n+1} | t, D_n) over the latents t of a family; a codebook's p(x) moves with what it was shown.
    """
    joint, states = accumulate(mixture, pairs, instruction)  # (k + 1, latents)
    inputs = [*(x for x, _ in pairs), query]
    logs = joint + mixture.fresh_inputs(inputs)
    books = mixture.codebook_latents
    moved = [[math.log(state.input_probability(x)) for state in row] for row, x in zip(states, inputs, strict=True)]
    logs[:, books] = joint[:, books] + np.array(moved)
    families: Floats = mixture.by_family(softmax(logs))
    return families
