"""The set that leaves the model surest of the query's label: minimum description length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.embeddings.encoders import similarities
from core.runtime.progress import Stop
from core.scoring.direct import label_probabilities
from core.scoring.labels import task_labels
from core.selection import Selected, candidates, selections
from core.selection.learning.splits import SETS, draw_sets, prompts_fit, spread
from core.statistics.distributions import entropy
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel


@selections.register(
    "mdl",
    title="MDL",
    help="of some sets of inputs near to the query, the one that leaves the model surest of its label",
    reads=("pool", "k", "encoder", "shortlist", "organisations", "selection_seed"),
    place=33,
    at_once=True,
    scores="−H(p) in nats of the model's answer to the query under the best set tried that holds the row: 0 is sure",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """argmin_c H(p(· | c, x)) over `study.organisations` sets c of k demonstrations (Wu et al. 2023).

    The first set is the k inputs nearest to the query, the others are drawn among the `study.shortlist` nearest with
    `selection_seed`; each is shown in the pool's order. p is the direct scorer's, normalised over the study's labels.
    Ties go to the set tried first. The score of an input is −H of the best set that it is in, in nats.

    Raises:
        StudyError: a set's prompt is longer than the model's context, or there are no labels.
    """
    free = candidates(study)
    if len(free) <= study.k or not study.k:
        return free[: study.k], None
    order = np.argsort(-np.round(similarities(study, model, study.pool, free), 6), kind="stable")
    near = [free[i] for i in order[: max(study.shortlist, study.k)]]
    drawn = draw_sets(near, study.k, study.organisations, np.random.default_rng([study.selection_seed, SETS]))
    sets = list(dict.fromkeys([tuple(sorted(near[: study.k])), *drawn]))[: study.organisations]
    prompts = [([study.pool[i] for i in chosen], study.query) for chosen in sets]
    with prompts_fit(study):
        p = label_probabilities(study, model, prompts, task_labels(study), stop)  # (sets, L)
    values = -entropy(p)
    return list(sets[int(np.argmax(np.round(values, 6)))]), spread(study, sets, values)
