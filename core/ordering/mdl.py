"""The order under which the model's answer to the query is shortest to write down (Wu et al. 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.ordering import Ordered, orderings
from core.ordering.trials import try_orders
from core.runtime.progress import Stop
from core.statistics.distributions import entropy
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@orderings.register(
    "mdl",
    title="MDL",
    help="the order under which the model is surest of the query's answer",
    reads=("ordering_seed",),
    place=32,
    tries=True,
)
def mdl(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """argmin over the orders c tried of H(p(· | c, x)), nats: the expected length of an answer's code under c.

    Its `order_scores` are −H, so that the highest is taken as in the other entropy orders. Sure is not right: a
    prompt that answers anything with one label is surest of all.
    """
    if len(chosen.indices) < 2:
        return list(chosen.indices), None
    trials = try_orders(study, model, chosen, stop, probes=[study.query])
    lengths = entropy(trials.probabilities[:, 0])  # (M,)
    return trials.highest(-lengths), -lengths
