"""Best and worst order on labelled inputs of the pool: the bounds of what an order can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StudyError
from core.ordering import Ordered, orderings
from core.ordering.trials import PROBES, try_orders
from core.runtime.progress import Stop
from core.selection import rows_of
from core.study.cleaning import usable
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
READS = ("ordering_seed", "probes", "pool")


@orderings.register(
    "best",
    title="Best on the pool",
    help="the order most often right on labelled inputs of the pool",
    reads=READS,
    place=40,
    tries=True,
)
def best(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """argmax over the orders tried of `validation_score`. It reads the pool's labels: a bound, not a method."""
    return _by_validation(study, model, chosen, stop, 1.0)


@orderings.register(
    "worst",
    title="Worst on the pool",
    help="the order least often right on labelled inputs of the pool",
    reads=READS,
    place=41,
    tries=True,
)
def worst(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None) -> Ordered:
    """argmin over the orders tried of `validation_score`."""
    return _by_validation(study, model, chosen, stop, -1.0)


def validation_score(p: Floats, gold: NDArray[np.int64]) -> Floats:
    """Accuracy, and less than one item's worth of mean p(gold), which decides between equal accuracies, (M,).

    Args:
        p: (M, V, L) of M orders on V inputs.
        gold: (V,) places of the right labels.
    """
    right = (np.argmax(p, axis=-1) == gold).mean(axis=1)
    sure = np.take_along_axis(p, gold[None, :, None], axis=-1)[..., 0].mean(axis=1)
    score: Floats = right + 0.999 * sure / len(gold)
    return score


def validation_rows(study: Study, chosen: Chosen) -> list[tuple[str, str]]:
    """Up to `probes` labelled rows of the pool, none shown, none the query, drawn with the seed."""
    known = {study.query, *(row.input for row in rows_of(study, chosen))}
    free = [(row.input, row.label) for row in study.pool if usable(row) and row.input not in known]
    if len(free) > study.probes:
        drawn = np.random.default_rng([study.ordering_seed, PROBES]).choice(len(free), study.probes, replace=False)
        free = [free[i] for i in sorted(drawn)]
    return free


def _by_validation(study: Study, model: LanguageModel, chosen: Chosen, stop: Stop | None, sign: float) -> Ordered:
    if len(chosen.indices) < 2:
        return list(chosen.indices), None
    rows = validation_rows(study, chosen)
    trials = try_orders(study, model, chosen, stop, probes=[x for x, _ in rows] or [study.query])
    places = {label: i for i, label in enumerate(trials.labels)}
    kept = [i for i, (_, y) in enumerate(rows) if y in places]
    if not kept:
        raise StudyError(
            "Best and worst order are judged on labelled inputs of the pool, and it has none that is not shown with a "
            "candidate label; add some, or choose another ordering."
        )
    gold = np.array([places[rows[i][1]] for i in kept])
    scores = sign * validation_score(trials.probabilities[:, kept], gold)
    return trials.highest(scores), sign * scores
