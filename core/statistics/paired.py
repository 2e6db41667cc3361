"""Two ways to answer the same questions: is one right more often?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Paired:
    """What the same N questions say of two accuracies.

    Attributes:
        count: N.
        only_a, only_b: questions that one side alone answers right.
        difference: accuracy of B minus that of A.
        interval: 95 % of the difference, paired.
        p: McNemar's exact two-sided p: the chance of a split of the disagreements at least as uneven, were A and B
            equally often right.
    """

    count: int
    only_a: int
    only_b: int
    difference: float
    interval: tuple[float, float]
    p: float


def paired(right_a: ArrayLike, right_b: ArrayLike) -> Paired:
    """Compare two accuracies on the same questions.

    The p-value is McNemar's exact test (McNemar 1947), by SciPy's binomial test, which is what statsmodels' `mcnemar`
    works out as well and one dependency less: with b questions that only B answers right and a that only A does, the
    two-sided binomial test of b out of a + b at 1/2; 1 where they never differ. The interval is Bonett and Price's
    adjusted Wald interval (2012, J. Educ. Behav. Stat. 37): with p_b = (b + 1)/(N + 2) and p_a = (a + 1)/(N + 2),
    p_b − p_a ± z √((p_a + p_b − (p_b − p_a)²) / (N + 2)), cut to [−1, 1].

    Args:
        right_a, right_b: (N,) whether each question was answered right.

    Raises:
        ValueError: the two differ in length, or there is no question.
    """
    from scipy.stats import binomtest, norm

    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise ValueError("both sides must answer the same questions, one at least")
    count, only_a, only_b = int(a.size), int((a & ~b).sum()), int((b & ~a).sum())
    p_a, p_b = (only_a + 1) / (count + 2), (only_b + 1) / (count + 2)
    middle = p_b - p_a
    reach = float(norm.ppf(0.975)) * float(np.sqrt((p_a + p_b - middle**2) / (count + 2)))
    p = float(binomtest(only_b, only_a + only_b).pvalue) if only_a + only_b else 1.0
    interval = (max(-1.0, middle - reach), min(1.0, middle + reach))
    return Paired(count, only_a, only_b, (only_b - only_a) / count, interval, p)
