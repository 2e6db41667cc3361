"""Uncertainty over orders: what the model makes of the same demonstrations shown in other orders.

Exact Bayes takes demonstrations for independent draws, and a kernel sums over them, so both give every order the same
answer. A language model need not (Falck et al. 2024): the spread over orders is what neither can explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.exact import ExactBayes, exact_bayes
from core.errors import StudyError
from core.posterior.implicit import implicit_after_all
from core.posterior.instruction import bayes as posterior_of
from core.posterior.instruction import demonstration_groups, demonstration_pairs, log_prior
from core.runtime.progress import Stop, part
from core.scoring.alike import score_alike
from core.scoring.together import score_together
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.question import Question
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
ALL_UP_TO = 4  # demonstrations of which every order is tried
ANSWERED = 0.4  # share of the work that the answers are


@dataclass(frozen=True)
class OrderSpread:
    """The model over M orders of the same k demonstrations; the first is the order given.

    Attributes:
        orders: (M, k) places in the order given.
        complete: whether these are all k! of them.
        labels: (L,).
        answers: (M, L) the model's answer by the study's scorer.
        bayes: (L,) exact Bayes's answer, the same for every order, or None without a mixture.
        tasks: (T,) of the posteriors, () where there are none.
        kind: whose posteriors: "implicit", "instruction" (chained hypotheses), or "" for none.
        posteriors: (M, T) the model's posterior after all demonstrations.
        exact: (T,) exact Bayes's, the same for every order, or None.
    """

    orders: NDArray[np.intp]
    complete: bool
    labels: tuple[str, ...]
    answers: Floats
    bayes: Floats | None
    tasks: tuple[str, ...]
    kind: str
    posteriors: Floats
    exact: Floats | None

    @property
    def best(self) -> NDArray[np.intp]:
        """(M,) the label that each order answers with; ties to the lowest index."""
        places: NDArray[np.intp] = np.argmax(self.answers, axis=1)
        return places

    @property
    def flips(self) -> float:
        """Share of orders whose answer is not the one most orders give."""
        return 1.0 - float(np.bincount(self.best).max()) / len(self.best)


def spread(values: Floats) -> float:
    """Mean total variation between a row and the mean of all rows, in [0, 1]; 0 where order does not matter.

    Args:
        values: (M, C) a distribution an order.
    """
    return float(0.5 * np.abs(values - values.mean(0)).sum(1).mean())


def orders_of(k: int, most: int, seed: int) -> tuple[NDArray[np.intp], bool]:
    """(M, k) distinct orders, the identity first: all k! up to k = 4 or where `most` allows, else `most` at random.

    Random ones are uniform over the permutations, drawn with `seed` without repeats.
    """
    if k <= ALL_UP_TO or factorial(k) <= most:
        return np.array(list(permutations(range(k))), dtype=np.intp).reshape(-1, k), True
    rng = np.random.default_rng(seed)
    drawn = dict.fromkeys([tuple(range(k))])
    while len(drawn) < most:
        drawn[tuple(int(i) for i in rng.permutation(k))] = None
    return np.array(list(drawn), dtype=np.intp), False


def order_spread(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    *,
    most: int = 48,
    seed: int = 0,
    stop: Stop | None = None,
) -> OrderSpread:
    """The model's answer, and the posterior that its answers imply, under permutations of the demonstrations.

    All answers are scored in one call, so orders share the prefixes that they have in common.

    Args:
        shown: the k demonstrations, in the order given.
        labels: (L,) candidates.
        most: how many orders are tried where there are more than 4! of them; at least 2.
        seed: of the orders drawn.

    Raises:
        StudyError: fewer than two demonstrations, or fewer than two orders asked for.
        PromptTooLong: a prompt does not fit the model's context.
        Cancelled: `stop` said so.
    """
    if len(shown) < 2:
        raise StudyError("Orders need at least two demonstrations.")
    if most < 2:
        raise StudyError("A spread needs at least two orders.")
    names = tuple(labels)
    question = Question.of(tidied(study), shown, labels).written
    study, shown, labels = question.study, question.shown, question.labels
    orders, complete = orders_of(len(shown), most, seed)
    arranged = [[shown[i] for i in order] for order in orders]
    with part(0.0, ANSWERED):
        answers = score_together([(study, rows, labels) for rows in arranged], model, stop)
    bayes = exact_bayes(question, model)
    with part(ANSWERED, 1.0):
        kind, tasks, posteriors = _posteriors(question, model, bayes, arranged, stop)
    return OrderSpread(
        orders,
        complete,
        names,
        np.array([a.probabilities for a in answers]),
        None if bayes is None or bayes.answer is None else bayes.answer.probabilities,
        tasks,
        kind,
        posteriors,
        None if bayes is None else bayes.posterior.weights[-1],
    )


def _posteriors(
    question: Question,
    model: LanguageModel,
    bayes: ExactBayes | None,
    arranged: Sequence[Sequence[Demonstration]],
    stop: Stop | None,
) -> tuple[str, tuple[str, ...], Floats]:
    """Whose posteriors they are, over which tasks, and (M, T) after all demonstrations of each order."""
    study = question.study
    if bayes is not None:
        weights = implicit_after_all(bayes, model, arranged, stop=stop)
        return "implicit", tuple(bayes.mixture.families), weights
    if study.hypotheses and study.chained:
        return "instruction", tuple(h.name for h in study.hypotheses), _chained(study, model, arranged, stop)
    return "", (), np.zeros((len(arranged), 0))


def _chained(
    study: Study, model: LanguageModel, arranged: Sequence[Sequence[Demonstration]], stop: Stop | None
) -> Floats:
    """P(T|D) of chained hypotheses, which read each label after the earlier ones, for every order: (M, T)."""
    by_order = [demonstration_pairs(Question.of(study, rows, ())) for rows in arranged]
    pairs = [pair for own in by_order for pair in own]
    compared = zip(by_order, arranged, strict=True)
    groups = [(m, *one) for m, (own, rows) in enumerate(compared) for one in demonstration_groups(own, len(rows))]
    logs = np.array([float(s.logprobs.sum()) for s in score_alike(model, pairs, groups, stop)], dtype=np.float64)
    prior = log_prior(study.hypotheses)
    likelihood = logs.reshape(len(arranged), len(prior), -1)  # (M, T, k)
    return np.array([posterior_of(prior, one)[0][-1] for one in likelihood])
