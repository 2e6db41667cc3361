"""GlobalE and LocalE (Lu et al. 2022): the order under which the model's answers to probes spread most."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.labels import task_labels
from core.ordering import Ordered, orderings
from core.outcome import Chosen
from core.scoring.direct import label_probabilities
from core.statistics import entropy
from core.study import Study
from core.tidy import Stop, usable

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
MAX_PERMUTATIONS = 24
ORDERS, PROBES = 1, 2
"""Streams of `ordering_seed`: one draw must not move the other."""


@orderings.register(
    "globale",
    title="GlobalE",
    help="the order under which answers to probe inputs are most evenly spread over the labels",
    reads=("ordering_seed", "probes", "pool"),
    place=30,
)
def globale(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """The permutation of highest `global_entropy`; ties to the one tried first, and as given is tried first."""
    return _highest(study, model, chosen, global_entropy, stop)


@orderings.register(
    "locale",
    title="LocalE",
    help="the order under which the model is least sure of each probe input on average",
    reads=("ordering_seed", "probes", "pool"),
    place=31,
)
def locale(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """The permutation of highest `local_entropy`; ties to the one tried first, and as given is tried first."""
    return _highest(study, model, chosen, local_entropy, stop)


def global_entropy(p: Floats) -> Floats:
    """GlobalE_m = −Σ_v p_m^v ln p_m^v, p_m^v the share of probes that permutation m answers with label v.

    Args:
        p: (M, P, L) label distributions of M permutations on P probes. An answer is the argmax, ties to the lowest.

    Returns:
        (M,) nats.
    """
    answers = np.eye(p.shape[-1])[np.argmax(p, axis=-1)]  # (M, P, L), one-hot
    return entropy(np.mean(answers, axis=1))


def local_entropy(p: Floats) -> Floats:
    """LocalE_m = mean_i H(p_{i,m}) over probes i, (M, P, L) -> (M,) nats."""
    result: Floats = np.mean(entropy(p), axis=1)
    return result


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

    The paper samples probes from the model and discards their labels; a pool is its cheaper option (METHODS §5). With
    fewer than two such inputs the inputs shown stand in, as one probe cannot tell orders apart by GlobalE.
    """
    source = study.demonstrations if chosen.source == "demonstrations" else study.pool
    shown = list(dict.fromkeys(source[i].input for i in chosen.indices))
    known = {*shown, study.query}
    free = list(dict.fromkeys(row.input for row in study.pool if usable(row) and row.input not in known))
    if len(free) < 2:
        free += shown
    if len(free) > study.probes:
        drawn = np.random.default_rng([study.ordering_seed, PROBES]).choice(len(free), study.probes, replace=False)
        free = [free[i] for i in sorted(drawn)]
    return free


def _highest(
    study: Study, model: LanguageModel, chosen: Chosen, measure: Callable[[Floats], Floats], stop: Stop | None
) -> Ordered:
    """The order of highest entropy of those tried, and the entropy of each."""
    indices = chosen.indices
    if len(indices) < 2:
        return list(indices), None
    source = study.demonstrations if chosen.source == "demonstrations" else study.pool
    tried = orders_tried(len(indices), study.ordering_seed)
    probes = probe_inputs(study, chosen)
    labels = task_labels(study, [source[i] for i in indices])
    prompts = [([source[indices[j]] for j in order], probe) for order in tried for probe in probes]
    p = label_probabilities(study, model, prompts, labels, stop).reshape(len(tried), len(probes), len(labels))
    entropies = measure(p)
    # Rounded as in `core.selection.top`: equal entropies must stay tied.
    best = tried[int(np.argmax(np.round(entropies, 6)))]
    return [indices[j] for j in best], entropies
