"""The exact kernel, where the mixture is known: the chance that two inputs share a label."""

from __future__ import annotations

import numpy as np

from core.errors import Unavailable
from core.kernels import kernels
from core.kernels.context import KernelContext, KernelWeights
from core.runtime.progress import check
from core.study.study import Study

TINY = 0.05  # below, not even the nearest input shown is likely to share the query's label
NOTE = (
    f"Every K(x, xᵢ) of the exact kernel is below {TINY:g}: no input shown is likely to share the query's answer, and "
    "normalised weights near 1/k say just that, not that all demonstrations matter alike."
)


DECISIVE = (
    "“Exact” is about shared labels, not about which demonstration decides: of 217 questions with 6 demonstrations, "
    "its largest weight was on the one whose removal lowers the log-odds of the embedded model's answer most in 31 % "
    "(chance 17 %), in 15 % on maps of words and in 7 % on natural tasks such as French, which is not told from "
    "chance."
)
"""What benchmarks/decisive.py measured (benchmarks/results/decisive.md), for where the kernel stands."""


@kernels.register(
    "exact",
    title="Exact",
    help=f"chance that the two inputs share a label, by the exact posterior over the mixture's tasks. {DECISIVE}",
    place=40,
    reads=("prior",),
    symmetric=True,
    every_run=True,
    converges="The exact kernel: the chance that two inputs share a label.",
)
def weigh(study: Study, context: KernelContext) -> KernelWeights:
    """K(x, x_i) = Σ_T P(T|D) Σ_y p(y|x,T) p(y|x_i,T), our definition (docs/methods.md §2.6). (Q, n), in [0, 1].

    The posterior is the one under the study's own prior, where it has one.

    Raises:
        Unavailable: the model's mixture of tasks is not known.
        StudyError: the study's prior rules every task out.
    """
    bayes = context.bayes(study.prior)
    if bayes is None:
        raise Unavailable("The exact kernel needs a model whose pretraining mixture is known.")
    rows = []
    for query in context.queries:
        check(context.stop)
        rows.append(bayes.kernel if query == bayes.question.query else bayes.kernel_at(query))
    raw = np.array(rows).reshape(len(rows), len(context.shown))
    notes = tuple(NOTE if len(context.shown) > 1 and row.max() < TINY else "" for row in raw)
    return KernelWeights(raw, "chance that both inputs share a label", notes)
