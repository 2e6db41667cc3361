"""GlobalE and LocalE (Lu et al. 2022): the order under which the model's answers to probes spread most."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.ordering import Ordered, orderings
from core.ordering.trials import try_orders
from core.runtime.progress import Stop
from core.statistics.distributions import entropy
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


@orderings.register(
    "globale",
    title="GlobalE",
    help="the order under which answers to probe inputs are most evenly spread over the labels",
    reads=("ordering_seed", "probes", "pool", "probe_source"),
    place=30,
    tries=True,
)
def globale(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """The permutation of highest `global_entropy`; ties to the one tried first, and as given is tried first."""
    return _highest(study, model, chosen, global_entropy, stop)


@orderings.register(
    "locale",
    title="LocalE",
    help="the order under which the model is least sure of each probe input on average",
    reads=("ordering_seed", "probes", "pool", "probe_source"),
    place=31,
    tries=True,
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


def _highest(
    study: Study, model: LanguageModel, chosen: Chosen, measure: Callable[[Floats], Floats], stop: Stop | None
) -> Ordered:
    """The order of highest entropy of those tried, and the entropy of each."""
    if len(chosen.indices) < 2:
        return list(chosen.indices), None
    trials = try_orders(study, model, chosen, stop)
    entropies = measure(trials.probabilities)
    return trials.highest(entropies), entropies
