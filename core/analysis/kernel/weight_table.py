"""Tables of kernel weights: many kernels on one query, one kernel on many queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.answer import bayes_answer
from core.errors import StudyError, Unavailable
from core.kernels import kernels
from core.kernels.context import KernelContext, KernelWeights
from core.kernels.regression import regress
from core.kernels.variants import KernelVariant
from core.runtime.progress import Stop, check, counting, part
from core.scoring.labels import Candidates, candidates_of
from core.scoring.together import score_together
from core.study.cleaning import tidied, usable
from core.study.demonstrations import Demonstration
from core.study.outcome import Answer, Kernel
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KernelTable:
    """Kernels × queries; each cell holds the weights of all demonstrations.

    Attributes:
        queries: (Q,) inputs.
        kernels: (V) rows of (Q,) kernels; `Kernel.name` is the variant's.
        labels: (Q) the candidates of each query, the columns of every `Kernel.predictive`.
        missing: (name, why) of the variants that cannot be had.
        labels_found: (Q,) how many there were to be candidates; more than those where some were left out.
    """

    queries: tuple[str, ...]
    kernels: tuple[tuple[Kernel, ...], ...]
    labels: tuple[tuple[str, ...], ...]
    missing: tuple[tuple[str, str], ...]
    labels_found: tuple[int, ...]


@dataclass(frozen=True)
class QueryAnswers:
    """What the model and exact Bayes answer to other queries after the same demonstrations.

    Attributes:
        answers: (Q,) the model's, by the study's scorer.
        bayes: (Q,) exact Bayes's, None where the mixture is not known.
    """

    answers: tuple[Answer, ...]
    bayes: tuple[Answer | None, ...]


def kernel_table(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    variants: Sequence[KernelVariant],
    queries: Sequence[str],
    *,
    stop: Stop | None = None,
) -> KernelTable:
    """K(x, x_i) of every variant for every query, and ŷ over that query's candidates.

    Args:
        shown: the demonstrations in the prompt, in order.
        variants: kernels with their settings.
        queries: (Q,) inputs, not blank.

    Raises:
        PromptTooLong: a query's prompt does not fit.
        StudyError: a setting that the model lacks.
        Cancelled: `stop` said so.
    """
    study = tidied(study)
    asked = [candidates(study, model, shown, query) for query in queries]
    labels = tuple(one.labels for one in asked)
    found, missing = weigh_all(study, KernelContext(study, model, shown, queries, stop), variants)
    given = [d.label for d in shown]
    rows = []
    for name, weighed in found:
        notes = weighed.notes or ("",) * len(queries)
        rows.append(
            tuple(
                regress(name, weighed.detail, raw, given, own, note)
                for raw, own, note in zip(weighed.raw, labels, notes, strict=True)
            )
        )
    return KernelTable(tuple(queries), tuple(rows), labels, missing, tuple(one.found for one in asked))


def weigh_all(
    study: Study, context: KernelContext, variants: Sequence[KernelVariant]
) -> tuple[list[tuple[str, KernelWeights]], tuple[tuple[str, str], ...]]:
    """What every variant says of a context, by name, and (name, why) of those that cannot be had.

    Raises:
        StudyError: a setting that the model lacks. An encoder that cannot be loaded is missing instead.
    """
    found: list[tuple[str, KernelWeights]] = []
    missing: list[tuple[str, str]] = []
    with counting(len(variants), "kernels") as advance:
        for variant in variants:
            try:
                found.append((variant.name, kernels.find(variant.kernel).function(variant.of(study), context)))
            except StudyError as error:
                if kernels.find(variant.kernel).varies != "encoder" and not isinstance(error, Unavailable):
                    raise
                missing.append((variant.name, str(error)))
            advance(len(found) + len(missing))
    return found, tuple(missing)


def candidates(study: Study, model: LanguageModel, shown: Sequence[Demonstration], query: str) -> Candidates:
    """The candidate labels of a query after these demonstrations; gold counts for the study's own query alone."""
    gold = study.gold if query == study.query else None
    return candidates_of(study.model_copy(update={"query": query, "gold": gold}), model, shown)


def ask(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    queries: Sequence[str],
    *,
    stop: Stop | None = None,
) -> QueryAnswers:
    """The model's answer and exact Bayes's to every query, after the same demonstrations in the same order.

    Raises:
        PromptTooLong, StudyError, Cancelled: as for any run.
    """
    study = tidied(study)
    requests = [
        (study.model_copy(update={"query": query}), shown, candidates(study, model, shown, query).labels)
        for query in queries
    ]
    alone = 1 / (1 + len(requests))
    with part(0.0, alone):
        answers = score_together(requests, model, stop)
    bayes: list[Answer | None] = []
    with part(alone, 1.0), counting(len(requests), "queries") as advance:
        for asked, _, labels in requests:
            check(stop)
            bayes.append(bayes_answer(asked, model, shown, labels))
            advance(len(bayes))
    return QueryAnswers(tuple(answers), tuple(bayes))


def queries_from_pool(study: Study, shown: Sequence[Demonstration], count: int, seed: int) -> list[Demonstration]:
    """`count` rows of the pool, drawn without replacement, whose inputs are neither shown nor the study's query."""
    taken = {row.input.strip() for row in shown} | {study.query.strip()}
    free: dict[str, Demonstration] = {}
    for row in study.pool:
        if usable(row) and row.input.strip() not in taken:
            free.setdefault(row.input.strip(), row)
    rows = list(free.values())
    order = np.random.default_rng(seed).permutation(len(rows))
    return [rows[i] for i in order[:count]]


def distance(kernel: Kernel, answer: Answer, labels: Sequence[str]) -> float:
    """½ Σ_y |ŷ(y) − p(y)| over the candidates, in [0, 1] where no weight is negative; NaN where ŷ is undefined."""
    if not kernel.normalised.any():
        return float("nan")
    p = dict(zip(answer.labels, answer.probabilities, strict=True))
    return float(0.5 * sum(abs(y - p.get(label, 0.0)) for label, y in zip(labels, kernel.predictive, strict=True)))
