"""The set whose answers depend most on the input: mutual information."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop, part
from core.scoring.direct import label_probabilities
from core.scoring.labels import task_labels
from core.selection import Selected, candidates, selections
from core.selection.learning.splits import SETS, draw_sets, filled, hold_out, learn_once, spread
from core.statistics.distributions import entropy
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


@selections.register(
    "mutual-information",
    title="Mutual information",
    help="of some sets, the one under which the model answers most inputs surely and differently",
    reads=("pool", "k", "organisations", "selection_probes", "selection_seed"),
    place=32,
    slow=True,
    at_once=True,
    scores="I = H(mean of p over inputs) − mean of H(p) under the best set tried that holds the row, in nats: what the "
    "model's answer tells of the input it was given to",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """argmax over `study.organisations` sets of `mutual_information` on `study.selection_probes` inputs.

    Probes are distinct inputs of the pool, at most half of them, that stand in no set; their labels are not read
    (Sorensen et al. 2022). Sets are drawn from the other rows with `selection_seed` and shown in the pool's order. p
    is the direct scorer's, normalised over the study's labels. Ties go to the set tried first. The score of an input
    is the mutual information of the best set that it is in, in nats. Where the rows left are too few for a set, all of
    them are shown, with the first of the others. Nothing of it depends on the query, so it is kept.

    Raises:
        StudyError: a prompt is longer than the model's context, or there are no labels.
    """
    free = candidates(study)
    if len(free) <= study.k or not study.k:
        return free[: study.k], None
    rest, probes = hold_out(study, free, study.selection_probes)
    if len(rest) <= study.k or not probes:
        return filled(rest, free, study.k), None
    sets = draw_sets(rest, study.k, study.organisations, np.random.default_rng([study.selection_seed, SETS]))
    prompts = [([study.pool[i] for i in chosen], study.pool[probe].input) for chosen in sets for probe in probes]
    labels = task_labels(study)

    def measure() -> Floats:
        with part(0.0, 1.0):
            p = label_probabilities(study, model, prompts, labels, stop)
        return mutual_information(p.reshape(len(sets), len(probes), len(labels)))

    fields = ("k", "organisations", "selection_probes", "selection_seed")
    values = learn_once(study, model, free, fields, measure, stop, labels)
    return list(sets[int(np.argmax(np.round(values, 6)))]), spread(study, sets, values)


def mutual_information(p: Floats) -> Floats:
    """I_m = H(mean_i p_{i,m}) − mean_i H(p_{i,m}): what an answer tells of the input it was given to.

    Args:
        p: (M, P, L) label distributions under M prompts on P probes.

    Returns:
        (M,) nats, not negative.
    """
    result: Floats = np.maximum(0.0, entropy(p.mean(axis=1)) - entropy(p).mean(axis=1))
    return result
