"""The demonstrations without which a prompt answers worse: leave-one-out influence on a validation split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop, part
from core.scoring.direct import label_scores
from core.scoring.labels import task_labels
from core.selection import Picked, Selected, candidates, selections
from core.selection.learning.splits import ROUNDS, filled, hold_out, learn_once, sample
from core.statistics.distributions import log_odds
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
TIMES = 2
"""How many shuffles: in as many sets each candidate is left out."""


@selections.register(
    "influence",
    title="Influence",
    help="the k whose absence from a prompt costs the right labels of held-out inputs most",
    reads=("pool", "k", "shortlist", "validation", "selection_seed"),
    place=50,
    slow=True,
    scores="mean over random sets S with the row of v(S) − v(S without it), v the mean log-odds of held-out right "
    "labels, in nats",
)
def select(study: Study, model: LanguageModel, stop: Stop | None) -> Selected:
    """The k largest mean over sets S ∋ i of v(S) − v(S ∖ i), ties to the lowest index.

    v(S) = mean over validation rows (x, y) of ln p(y | S, x) − ln(1 − p(y | S, x)), p the direct scorer's, normalised
    over the study's labels. The validation split is at most `study.validation` inputs, and at most half of the pool;
    its rows are no candidates, and are shown only where nothing else is left. Of the other rows `study.shortlist` are
    measured: two seeded shuffles are cut into sets of k, shown in the pool's order, so that each candidate is left out
    of two random sets of its like (Nguyen & Wong 2023 average over random sets; a single fixed set would measure
    against one accident). What is learned does not depend on the query, and is kept.

    Raises:
        StudyError: a prompt is longer than the model's context, or there are no labels.
    """
    free = candidates(study)
    if len(free) <= study.k or not study.k:
        return free[: study.k], None
    rest, held = hold_out(study, free, study.validation)
    tried = sample(study, rest, max(study.shortlist, study.k))
    fields = ("k", "shortlist", "validation", "selection_seed")
    values = learn_once(study, model, free, fields, lambda: influences(study, model, tried, held, stop), stop)
    scores = np.full(len(study.pool), np.nan)
    scores[tried] = values
    best = [tried[i] for i in np.argsort(-np.round(values, 6), kind="stable")]
    notes: tuple[str, ...] = ()
    if not values.any():
        notes = ("No held-out input can tell the candidates apart, so influence chose the first in the pool.",)
    return Picked(filled(best[: study.k], free, study.k), scores, notes)


def influences(study: Study, model: LanguageModel, tried: list[int], held: list[int], stop: Stop | None) -> Floats:
    """(n,) influence of each place tried on the places held out; zeros where there is nothing to measure on."""
    labels = task_labels(study, [study.pool[i] for i in held])
    held = [i for i in held if study.pool[i].label in labels]
    if not held or len(labels) < 2:
        return np.zeros(len(tried))
    sets = blocks(tried, min(study.k, len(tried)), np.random.default_rng([study.selection_seed, ROUNDS]))
    without = [(chosen, i) for chosen in sets for i in chosen]
    prompts = [*sets, *(tuple(j for j in chosen if j != i) for chosen, i in without)]
    distinct = list(dict.fromkeys(prompts))
    asked = [([study.pool[i] for i in shown], study.pool[v].input) for shown in distinct for v in held]
    with part(0.0, 1.0):
        scores = label_scores(study, model, asked, labels, stop).reshape(len(distinct), len(held), len(labels))
    gold = np.array([labels.index(study.pool[v].label) for v in held])
    odds = log_odds(scores, np.broadcast_to(gold, scores.shape[:2]))  # (prompts, V)
    value = dict(zip(distinct, odds.mean(axis=1), strict=True))
    total, count = dict.fromkeys(tried, 0.0), dict.fromkeys(tried, 0)
    for chosen, i in without:
        total[i] += value[chosen] - value[tuple(j for j in chosen if j != i)]
        count[i] += 1
    return np.array([total[i] / count[i] for i in tried])


def blocks(places: list[int], size: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Two shuffles of the places, cut into sets of `size`, the last one filled from the front; each set once."""
    sets: dict[tuple[int, ...], None] = {}
    for _ in range(TIMES):
        shuffled = [places[i] for i in rng.permutation(len(places))]
        whole = [*shuffled, *shuffled[: -len(shuffled) % size]]
        sets.update(dict.fromkeys(tuple(sorted(whole[i : i + size])) for i in range(0, len(whole), size)))
    return list(sets)
