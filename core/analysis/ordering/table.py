"""All orders of the same demonstrations side by side: what each answers, how often it is right, how spread it is.

Every number comes from the study's own scorer, except the entropies, which are GlobalE's and LocalE's own
(`core.ordering.entropy`): direct scores on probe inputs without labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.bayes.answer import bayes_answer
from core.errors import Cancelled, PromptTooLong, StudyError
from core.evaluation.evaluate import evaluate
from core.evaluation.questions import EvaluationQuestion
from core.ordering import as_they_stand, order, orderings
from core.ordering.entropy import global_entropy, local_entropy
from core.ordering.trials import MAX_PERMUTATIONS, probe_inputs, probes_of, try_orders
from core.runtime.progress import Advance, Stop, check, counting, part
from core.scoring.labels import task_labels
from core.scoring.together import Request, score_together
from core.study.cleaning import tidied
from core.study.demonstrations import Demonstration
from core.study.outcome import Chosen
from core.study.study import Study

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

ALL_UP_TO = 5  # demonstrations of which every order is tried
CHOSEN, ANEW = 0.1, 0.15  # share of the work that strategies are taken for: on the query, and on every question
TEXTS = 3000  # scored in one call: orders share prefixes, and between calls progress is told


@dataclass(frozen=True)
class StrategyOrder:
    """Which order a strategy chooses.

    Attributes:
        name, title: of the ordering.
        place: row of the order that it takes for the query, or None where it cannot choose; `why_not` says why.
        right: (N,) whether the questions are answered right where it chooses: anew for each question, unless it reads
            the pool; what it takes by the pool's inputs it takes for all of them. None without questions.
    """

    name: str
    title: str
    place: int | None
    why_not: str = ""
    right: Bools | None = None


@dataclass(frozen=True)
class OrderTable:
    """M orders of k demonstrations, on the query, on N questions and on P probes.

    Attributes:
        shown: (k,) demonstrations as they stand in their table.
        orders: (M, k) places in `shown`, the last one next to the query; every order once.
        drawn: (M,) whether an order is one of all, or of the random sample; else a strategy chose it, and means over
            random orders leave it out.
        complete: whether these are all k! of them.
        labels: (L,) candidates for the query; answers: (M, L) distributions over them.
        bayes: (L,) exact Bayes's, the same for every order, or None without a mixture.
        questions: (N,); candidates: (N,) those of each question.
        by_question: (M, N, most candidates) distributions, 0 beyond a question's own candidates.
        right: (M, N); gold: (M, N) probability of the right answer, 0 where it is no candidate.
        bayes_right: (N,) exact Bayes's, the same for every order, or None.
        probes: (P,); probe_labels; probed: (M, P, labels) label distributions on the probes.
        global_entropy, local_entropy: (M,) nats.
        strategies: which order each ordering of the registry chooses.
    """

    shown: tuple[Demonstration, ...]
    orders: Ints
    drawn: Bools
    complete: bool
    labels: tuple[str, ...]
    answers: Floats
    bayes: Floats | None
    questions: tuple[EvaluationQuestion, ...]
    candidates: tuple[tuple[str, ...], ...]
    by_question: Floats
    right: Bools
    gold: Floats
    bayes_right: Bools | None
    probes: tuple[str, ...]
    probe_labels: tuple[str, ...]
    probed: Floats
    global_entropy: Floats
    local_entropy: Floats
    strategies: tuple[StrategyOrder, ...]

    @property
    def accuracy(self) -> Floats:
        """(M,) share of the questions answered right; NaN without questions."""
        if not self.questions:
            return np.full(len(self.orders), np.nan)
        share: Floats = self.right.mean(axis=1)
        return share

    @property
    def replies(self) -> Ints:
        """(M, N) place of each answer among its question's candidates, ties to the lowest."""
        if not self.questions:
            return np.zeros((len(self.orders), 0), dtype=np.intp)
        places: Ints = np.argmax(self.by_question, axis=2)
        return places

    @property
    def best(self) -> Ints:
        """(M,) place of the label that each order answers the query with, ties to the lowest."""
        places: Ints = np.argmax(self.answers, axis=1)
        return places

    def place_of(self, order: Sequence[int]) -> int | None:
        """Row of an order, None where it was not tried."""
        if len(order) != len(self.shown):
            return None
        rows = np.flatnonzero((self.orders == np.asarray(order)).all(axis=1))
        return int(rows[0]) if len(rows) else None


def orders_drawn(k: int, most: int, seed: int) -> tuple[list[tuple[int, ...]], bool]:
    """Orders of k things in dictionary order, and whether these are all.

    All k! up to k = 5 or where `most` allows; else `most` distinct ones, every set of that size equally likely.
    """
    # Of more than 20 things k! is beyond anything that could be asked for, and so is working it out.
    if k <= ALL_UP_TO or (k <= 20 and factorial(k) <= most):
        return list(permutations(range(k))), True
    rng = np.random.default_rng(seed)
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < most:
        drawn[tuple(int(i) for i in rng.permutation(k))] = None
    return sorted(drawn), False


def texts_scored(study: Study, labels: Sequence[str], most: int, questions: int) -> int:
    """About how many texts `order_table` scores for a study made by `fixed`: questions as hard as the query."""
    k = len(study.demonstrations)
    orders = factorial(k) if k <= ALL_UP_TO else most
    probes = len(probe_inputs(study, _here(study))) * len(task_labels(study, study.demonstrations))
    anew = questions * len(labels) * MAX_PERMUTATIONS  # by MDL, which tries orders on each
    return orders * (len(labels) * (1 + questions) + probes) + anew


def order_table(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    questions: Sequence[EvaluationQuestion] = (),
    *,
    most: int = 120,
    seed: int = 0,
    stop: Stop | None = None,
) -> OrderTable:
    """Score every order on the query, the questions and the probes; ask every ordering which order it takes.

    The set of demonstrations is the same for the query and all questions. Candidates of a question are those of
    `core.evaluation.evaluate`. Orders of one prefix are scored together, in dictionary order, so that they share it.

    Args:
        shown: the k demonstrations, as they stand in their table.
        labels: (L,) candidates for the query.
        questions: N, whose inputs should not be among the demonstrations; () for none.
        most, seed: how many orders are drawn where there are more than 5! of them, and by which seed.

    Raises:
        StudyError: fewer than two demonstrations, or fewer than two orders asked for.
        PromptTooLong, Cancelled: as scorers do.
    """
    study = _orderable(study, shown, most)
    sample, complete = orders_drawn(len(shown), most, seed)
    strategies, picked = _strategies(study, model, stop)
    drawn = set(sample)
    everything = sorted({*drawn, *picked.values()})
    candidates, anew = _asked_anew(study, model, questions, picked, stop)
    asked = [(study, tuple(labels)), *zip((_ask(study, q) for q in questions), candidates, strict=True)]
    probes = probes_of(study, model, _here(study), stop)
    work = _Work(study, model, everything, stop)
    with part(CHOSEN + ANEW, 1.0), counting(work.texts(asked, len(probes)), "texts", at_once=TEXTS) as advance:
        scored, (probe_labels, probed) = work.score(asked, advance), work.probe(probes, advance)
    by_question, right, gold = _held_against(scored[:, 1:], questions, candidates)
    bayes, *replies = _bayes(asked, model)
    return OrderTable(
        shown=study.demonstrations,
        orders=np.array(everything, dtype=np.intp),
        drawn=np.array([one in drawn for one in everything]),
        complete=complete,
        labels=tuple(labels),
        answers=scored[:, 0, : len(labels)],
        bayes=bayes,
        questions=tuple(questions),
        candidates=candidates,
        by_question=by_question,
        right=right,
        gold=gold,
        bayes_right=_bayes_right(replies, questions, candidates) if model.mixture is not None else None,
        probes=tuple(probes),
        probe_labels=probe_labels,
        probed=probed,
        global_entropy=global_entropy(probed),
        local_entropy=local_entropy(probed),
        strategies=tuple(_placed(one, picked, everything, right, anew) for one in strategies),
    )


def _orderable(study: Study, shown: Sequence[Demonstration], most: int) -> Study:
    """`fixed`, where there is something to order."""
    if len(shown) < 2:
        raise StudyError("Orders need at least two demonstrations.")
    if most < 2:
        raise StudyError("At least two orders are needed to compare them.")
    return fixed(study, shown)


def fixed(study: Study, shown: Sequence[Demonstration]) -> Study:
    """The study with these demonstrations as its hand-picked set, in this order, whatever chose them."""
    rows = tuple(row.model_copy(update={"excluded": False}) for row in shown)
    return tidied(as_they_stand(study, rows).model_copy(update={"shots": None}))


def _here(study: Study) -> Chosen:
    """All demonstrations of a study made by `fixed`."""
    return Chosen("demonstrations", tuple(range(len(study.demonstrations))))


def _ask(study: Study, question: EvaluationQuestion) -> Study:
    return study.model_copy(update={"query": question.input.strip(), "gold": question.gold.strip()})


def _strategies(
    study: Study, model: LanguageModel, stop: Stop | None
) -> tuple[list[StrategyOrder], dict[str, tuple[int, ...]]]:
    """Every ordering, and the order of each that can choose one."""
    found: list[StrategyOrder] = []
    picked: dict[str, tuple[int, ...]] = {}
    here = _here(study)
    with part(0.0, CHOSEN), counting(len(orderings), "strategies") as advance:
        for strategy in orderings:
            check(stop)
            try:
                one = study.model_copy(update={"ordering": strategy.name})
                picked[strategy.name] = order(one, model, here, stop).indices
                found.append(StrategyOrder(strategy.name, strategy.title, None))
            except (Cancelled, PromptTooLong):
                raise
            except StudyError as error:
                found.append(StrategyOrder(strategy.name, strategy.title, None, str(error)))
            advance(len(found))
    return found, picked


def _asked_anew(
    study: Study,
    model: LanguageModel,
    questions: Sequence[EvaluationQuestion],
    picked: Mapping[str, tuple[int, ...]],
    stop: Stop | None,
) -> tuple[tuple[tuple[str, ...], ...], dict[str, Bools]]:
    """Candidates of every question, which do not depend on the order; and by strategy which it answers right, (N,)."""
    if not questions:
        return (), {}
    names = [name for name in picked if "pool" not in orderings.find(name).reads]
    variants = [study.model_copy(update={"ordering": name}) for name in names]
    with part(CHOSEN, CHOSEN + ANEW):
        found = evaluate(variants, model, questions, stop=stop)
    return found.labels, dict(zip(names, found.right, strict=True))


def _placed(
    one: StrategyOrder,
    picked: Mapping[str, tuple[int, ...]],
    orders: Sequence[tuple[int, ...]],
    right: Bools,
    anew: Mapping[str, Bools],
) -> StrategyOrder:
    """A strategy with the row of its order, and with what it answers right."""
    if one.name not in picked:
        return one
    place = orders.index(picked[one.name])
    return replace(one, place=place, right=anew.get(one.name, right[place]) if right.shape[1] else None)


class _Work:
    """Scores orders a few at a time, in one call each, and tells how far it is."""

    def __init__(
        self,
        study: Study,
        model: LanguageModel,
        orders: Sequence[tuple[int, ...]],
        stop: Stop | None,
    ) -> None:
        self._study, self._model, self._orders, self._stop = study, model, orders, stop
        self._done = 0

    def texts(self, asked: Sequence[tuple[Study, tuple[str, ...]]], probes: int) -> int:
        """How many there are to score."""
        of_probes = probes * len(task_labels(self._study, self._study.demonstrations))
        return len(self._orders) * (sum(len(labels) for _, labels in asked) + of_probes)

    def score(self, asked: Sequence[tuple[Study, tuple[str, ...]]], advance: Advance) -> Floats:
        """(M, A, most labels) distributions, 0 beyond a question's own labels."""
        rows, widest = self._study.demonstrations, max(len(labels) for _, labels in asked)
        texts = sum(len(labels) for _, labels in asked)
        found = np.zeros((len(self._orders), len(asked), widest))
        step = max(1, TEXTS // texts)
        for start in range(0, len(self._orders), step):
            some = self._orders[start : start + step]
            requests: list[Request] = [
                (one, [rows[i] for i in places], labels) for places in some for one, labels in asked
            ]
            answers = score_together(requests, self._model, self._stop)
            for place, answer in enumerate(answers):
                m, n = divmod(place, len(asked))
                found[start + m, n, : len(answer.labels)] = answer.probabilities
            self._done += texts * len(some)
            advance(self._done)
        return found

    def probe(self, probes: Sequence[str], advance: Advance) -> tuple[tuple[str, ...], Floats]:
        """The labels, and (M, P, labels) what every order makes of the probes, as GlobalE and LocalE ask."""
        found = []
        here, labels = _here(self._study), task_labels(self._study, self._study.demonstrations)
        step = max(1, TEXTS // (len(probes) * len(labels)))
        for start in range(0, len(self._orders), step):
            some = self._orders[start : start + step]
            trials = try_orders(self._study, self._model, here, self._stop, probes, some)
            found.append(trials.probabilities)
            self._done += len(some) * len(probes) * len(labels)
            advance(self._done)
        return labels, np.concatenate(found)


def _held_against(
    scored: Floats, questions: Sequence[EvaluationQuestion], candidates: Sequence[tuple[str, ...]]
) -> tuple[Floats, Bools, Floats]:
    """Distributions (M, N, most candidates), whether each answer is right (M, N), and p(gold) (M, N)."""
    orders = len(scored)
    right, gold = np.zeros((orders, len(questions)), dtype=bool), np.zeros((orders, len(questions)))
    widest = max((len(labels) for labels in candidates), default=0)
    for n, (question, labels) in enumerate(zip(questions, candidates, strict=True)):
        if question.gold.strip() in labels:
            place = labels.index(question.gold.strip())
            right[:, n] = scored[:, n].argmax(axis=1) == place
            gold[:, n] = scored[:, n, place]
    return scored[:, :, :widest], right, gold


def _bayes(asked: Sequence[tuple[Study, tuple[str, ...]]], model: LanguageModel) -> list[Floats | None]:
    """Exact Bayes's answer to the query and every question; None where there is none."""
    if model.mixture is None:
        return [None] * len(asked)
    found = [bayes_answer(study, model, study.demonstrations, labels) for study, labels in asked]
    return [None if answer is None else answer.probabilities for answer in found]


def _bayes_right(
    replies: Sequence[Floats | None], questions: Sequence[EvaluationQuestion], candidates: Sequence[tuple[str, ...]]
) -> Bools:
    """(N,) whether exact Bayes answers right; where every candidate is impossible to it, it does not."""
    return np.array(
        [
            p is not None and labels[int(np.argmax(p))] == question.gold.strip()
            for p, question, labels in zip(replies, questions, candidates, strict=True)
        ],
        dtype=bool,
    )
