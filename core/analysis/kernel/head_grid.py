"""Every head as a kernel, layers × heads: how it votes, how near it comes to the model, what it weighs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.kernel.weight_table import KernelTable, distance
from core.kernels.variants import KernelVariant
from core.study.outcome import Answer, Kernel
from core.study.study import Head

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeadGrid:
    """The single heads of a table of kernels, on its first query.

    Attributes:
        kernels: by (layer, head).
        shape: layers and heads of the model.
        labels: (L,) candidates, the columns of every `Kernel.predictive`.
        others: kernels of the table that are no single head, such as the mean of all.
    """

    kernels: dict[Head, Kernel]
    shape: tuple[int, int]
    labels: tuple[str, ...]
    others: tuple[Kernel, ...]

    def votes(self, answer: Answer) -> Floats:
        """ŷ_h(y*), (layers, heads): the share of a head's weight on demonstrations labelled y*, the model's answer. NaN
        where a head is not in the table or weighs nothing."""
        place = self.labels.index(answer.best) if answer.best in self.labels else None
        return self._of(lambda k: float(k.predictive[place]) if place is not None and k.normalised.any() else np.nan)

    def overlaps(self, answer: Answer) -> Floats:
        """1 − ½ Σ_y |ŷ_h(y) − p(y)|, (layers, heads): how much of ŷ and of the model's distribution is the same. NaN as
        above."""
        return self._of(lambda kernel: 1.0 - distance(kernel, answer, self.labels))

    def weights(self, place: int) -> Floats:
        """K_i / Σ K of the demonstration at a place, (layers, heads). NaN as above."""
        return self._of(lambda k: float(k.normalised[place]) if k.normalised.any() else np.nan)

    def _of(self, measure: Callable[[Kernel], float]) -> Floats:
        found = np.full(self.shape, np.nan)
        for head, kernel in self.kernels.items():
            found[head] = measure(kernel)
        return found


def head_grid(table: KernelTable, variants: Sequence[KernelVariant], layers: int, heads: int) -> HeadGrid | None:
    """The heads of a table, or None where it holds none, or those of several kernels, which one grid has no room for.

    Args:
        table: of these variants.
        variants: among them single heads: those whose settings name one head.
    """
    single = {v.name: (v.kernel, dict(v.settings)["heads"]) for v in variants if "heads" in dict(v.settings)}
    single = {name: (kernel, chosen) for name, (kernel, chosen) in single.items() if len(chosen) == 1}
    if len({kernel for kernel, _ in single.values()}) != 1:
        return None
    first = [row[0] for row in table.kernels]
    of_heads = {single[kernel.name][1][0]: kernel for kernel in first if kernel.name in single}
    others = tuple(kernel for kernel in first if kernel.name not in single)
    return HeadGrid(of_heads, (layers, heads), table.labels[0], others) if of_heads else None
