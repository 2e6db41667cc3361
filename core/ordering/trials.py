"""Orders tried on probe inputs: what the model answers under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.ordering.sampled_probes import sampled_probes
from core.runtime.progress import Stop
from core.scoring.direct import label_probabilities
from core.scoring.labels import task_labels
from core.selection import rows_of, table_of
from core.study.cleaning import usable
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
MAX_PERMUTATIONS = 24
ORDERS, PROBES = 1, 2
"""Streams of `ordering_seed`: one draw must not move the other."""


@dataclass(frozen=True)
class Trials:
    """What the model answers to probes under every order tried.

    Attributes:
        indices: (k) places of the demonstrations, as given.
        orders: (M) permutations of range(k); as given comes first.
        probes: (P) inputs.
        labels: (L).
        probabilities: (M, P, L), normalised over the labels.
    """

    indices: tuple[int, ...]
    orders: tuple[tuple[int, ...], ...]
    probes: tuple[str, ...]
    labels: tuple[str, ...]
    probabilities: Floats

    def highest(self, measure: Floats) -> list[int]:
        """Places in the order of highest measure, (M,); ties to the one tried first."""
        # Rounded as in `core.selection.top`: equal measures must stay tied.
        best = self.orders[int(np.argmax(np.round(measure, 6)))]
        return [self.indices[j] for j in best]


def try_orders(
    study: Study,
    model: LanguageModel,
    chosen: Chosen,
    stop: Stop | None = None,
    probes: Sequence[str] | None = None,
    orders: Sequence[tuple[int, ...]] | None = None,
) -> Trials:
    """Orders, those of `orders_tried` unless given, on probes, the study's unless given, in one call of the model.

    Raises:
        PromptTooLong: a prompt is longer than the model's context.
    """
    rows = rows_of(study, chosen)
    tried = orders_tried(len(rows), study.ordering_seed) if orders is None else list(orders)
    if probes is None:
        probes = probes_of(study, model, chosen, stop)
    labels = task_labels(study, rows)
    prompts = [([rows[j] for j in order], probe) for order in tried for probe in probes]
    p = label_probabilities(study, model, prompts, labels, stop).reshape(len(tried), len(probes), len(labels))
    return Trials(chosen.indices, tuple(tried), tuple(probes), tuple(labels), p)


def probes_of(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None = None) -> list[str]:
    """The inputs on which entropies are taken: `sampled_probes` or `probe_inputs`, as the study says."""
    if study.probe_source == "model":
        rows = rows_of(study, chosen)
        found = sampled_probes(study, model, rows, orders_tried(len(rows), study.ordering_seed), stop)
        if len(found) > 1:
            return found
    return probe_inputs(study, chosen)


def orders_tried(n: int, seed: int) -> list[tuple[int, ...]]:
    """All permutations of n ≤ 4 things; 24 distinct ones of more, drawn with the seed. As given comes first."""
    if n <= 4:
        return list(permutations(range(n)))
    rng = np.random.default_rng([seed, ORDERS])
    tried = dict.fromkeys([tuple(range(n))])
    while len(tried) < MAX_PERMUTATIONS:
        tried[tuple(int(i) for i in rng.permutation(n))] = None
    return list(tried)


def probe_inputs(study: Study, chosen: Chosen) -> list[str]:
    """Up to `study.probes` distinct inputs of the pool that are neither shown nor the query, drawn with the seed.

    The paper samples probes from the model and discards their labels; a pool is its cheaper option
    (docs/methods.md §5.3). With
    fewer than two such inputs the inputs shown stand in, as one probe cannot tell orders apart by GlobalE.
    """
    source = table_of(study, chosen)
    shown = list(dict.fromkeys(source[i].input for i in chosen.indices))
    known = {*shown, study.query}
    free = list(dict.fromkeys(row.input for row in study.pool if usable(row) and row.input not in known))
    if len(free) < 2:
        free += shown
    if len(free) > study.probes:
        drawn = np.random.default_rng([study.ordering_seed, PROBES]).choice(len(free), study.probes, replace=False)
        free = [free[i] for i in sorted(drawn)]
    return free
