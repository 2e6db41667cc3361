"""Whether two inputs begin alike."""

from __future__ import annotations

import numpy as np

from core.kernels import KernelContext, KernelWeights, kernels
from core.study.study import Study


@kernels.register(
    "same-letter",
    title="Same letter",
    help="1 where the two inputs begin with the same letter, else 0",
    symmetric=True,
    every_run=True,
    converges="1 where two inputs begin alike.",
)
def weigh(study: Study, context: KernelContext) -> KernelWeights:
    """K(x, x_i) = [x and x_i begin alike], (Q, n)."""
    raw = np.array([[float(x[:1] == other[:1]) for other in context.inputs] for x in context.queries])
    return KernelWeights(raw.reshape(len(context.queries), len(context.shown)), "first letter")
