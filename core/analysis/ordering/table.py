"""All orders of the same demonstrations side by side: what each answers, how often it is right, how spread it is.

Every number comes from the study's own scorer, except the entropies, which are GlobalE's and LocalE's own
(`core.ordering.entropy`): direct scores on probe inputs without labels.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.bayes.answer import bayes_answer
from core.errors import Cancelled, PromptTooLong, StudyError
from core.evaluation.evaluate import candidates_of, evaluate
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
from core.study.prompts import render
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
        probes: (P,); probe_labels; probed: (M, P, labels) label distributions on the probes; none where entropies
            were not asked for.
        global_entropy, local_entropy: (M,) nats, NaN where they were not asked for.
        strategies: which order each ordering that was asked for chooses.
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


def texts_scored(
    study: Study,
    labels: Sequence[str],
    most: int,
    questions: int,
    *,
    strategies: Collection[str] | None = None,
    entropies: bool = True,
) -> int:
    """About how many texts `order_table` scores for a study made by `fixed`: questions as hard as the query."""
    k = len(study.demonstrations)
    orders = factorial(k) if k <= ALL_UP_TO else most
    probes = len(probe_inputs(study, _here(study))) * len(task_labels(study, study.demonstrations)) if entropies else 0
    trying = [orderings.find(name) for name in _names(strategies) if orderings.find(name).tries]
    anew = questions * sum("pool" not in strategy.reads for strategy in trying)
    return orders * (len(labels) * (1 + questions) + probes) + anew * len(labels) * MAX_PERMUTATIONS


def tokens_read(
    study: Study,
    model: LanguageModel,
    labels: Sequence[str],
    questions: Sequence[EvaluationQuestion] = (),
    *,
    most: int = 120,
    seed: int = 0,
) -> int:
    """How many distinct tokens the orders need that `order_table` is asked for, on the query and the questions: every
    beginning that prompts share once. Strategies and entropies come on top.

    Args:
        study: made by `fixed`.
    """
    orders, _ = orders_drawn(len(study.demonstrations), most, seed)
    rows, asked = study.demonstrations, [study, *(_ask(study, question) for question in questions)]
    texts = []
    for places in orders:
        shown = [rows[i] for i in places]
        for one in asked:
            prompt = render(shown, one.query, one.template, one.instruction)
            texts += [prompt.text + prompt.gap + one.template.word(label) for label in labels]
    return model.distinct_tokens(texts)


def order_table(
    study: Study,
    model: LanguageModel,
    shown: Sequence[Demonstration],
    labels: Sequence[str],
    questions: Sequence[EvaluationQuestion] = (),
    *,
    most: int = 120,
    seed: int = 0,
    strategies: Collection[str] | None = None,
    entropies: bool = True,
    stop: Stop | None = None,
) -> OrderTable:
    """Score every order on the query, the questions and the probes; ask orderings which order they take.

    The demonstrations are the same for the query and all questions, whose candidates are those of
    `core.evaluation.evaluate`. Orders of one prefix are scored together, in dictionary order, so that they share it.

    Args:
        shown: the k demonstrations, as they stand in their table.
        labels: (L,) candidates for the query.
        questions: N, whose inputs should not be among the demonstrations; () for none.
        most, seed: how many orders are drawn where there are more than 5! of them, and by which seed.
        strategies: names of the orderings that are asked; None for all.
        entropies: whether the orders answer the probes too.

    Raises:
        StudyError: fewer than two demonstrations, or fewer than two orders asked for.
        PromptTooLong, Cancelled: as scorers do.
    """
    study = _orderable(study, shown, most)
    sample, complete = orders_drawn(len(shown), most, seed)
    chosen, picked = _strategies(study, model, _names(strategies), stop)
    orders = sorted({*sample, *picked.values()})
    candidates = candidates_of(study, model, questions, stop)
    anew = _chosen_anew(study, model, questions, picked, orders if complete else None, stop)
    tried = _Tried(orders, set(sample), complete, chosen, picked, anew)
    return _scored(study, model, tuple(labels), tuple(questions), candidates, tried, entropies, stop)


@dataclass(frozen=True)
class _Tried:
    """Which orders are scored, and why.

    Attributes:
        orders: M in dictionary order; sample: those that are drawn, which `complete` says are all there are.
        strategies: that were asked; picked: the order that each takes for the query, by name.
        anew: what they take for the questions (`_chosen_anew`).
    """

    orders: list[tuple[int, ...]]
    sample: set[tuple[int, ...]]
    complete: bool
    strategies: list[StrategyOrder]
    picked: dict[str, tuple[int, ...]]
    anew: dict[str, NDArray[Any]]

    def placed(self, right: Bools) -> tuple[StrategyOrder, ...]:
        """The strategies, with what each answers right, by which orders are right on which questions (M, N)."""
        anew = self.anew
        if self.complete:  # which orders were taken, and so whether they are right
            anew = {name: right[rows, np.arange(right.shape[1])] for name, rows in anew.items()}
        return tuple(_placed(one, self.picked, self.orders, right, anew) for one in self.strategies)


def _scored(
    study: Study,
    model: LanguageModel,
    labels: tuple[str, ...],
    questions: tuple[EvaluationQuestion, ...],
    candidates: tuple[tuple[str, ...], ...],
    tried: _Tried,
    entropies: bool,
    stop: Stop | None,
) -> OrderTable:
    """The table of these orders."""
    asked = [(study, labels), *zip((_ask(study, q) for q in questions), candidates, strict=True)]
    probes = probes_of(study, model, _here(study), stop) if entropies else []
    work = _Work(study, model, tried.orders, stop)
    with part(CHOSEN + ANEW, 1.0), counting(work.texts(asked, len(probes)), "texts", at_once=TEXTS) as advance:
        scored, (probe_labels, probed) = work.score(asked, advance), work.probe(probes, advance)
    by_question, right, gold = _held_against(scored[:, 1:], questions, candidates)
    bayes, bayes_right = _bayes(asked, model, questions, candidates)
    return OrderTable(
        shown=study.demonstrations,
        orders=np.array(tried.orders, dtype=np.intp),
        drawn=np.array([one in tried.sample for one in tried.orders]),
        complete=tried.complete,
        labels=labels,
        answers=scored[:, 0, : len(labels)],
        bayes=bayes,
        questions=questions,
        candidates=candidates,
        by_question=by_question,
        right=right,
        gold=gold,
        bayes_right=bayes_right,
        probes=tuple(probes),
        probe_labels=probe_labels,
        probed=probed,
        global_entropy=_entropy(global_entropy, probed),
        local_entropy=_entropy(local_entropy, probed),
        strategies=tried.placed(right),
    )


def _entropy(measure: Callable[[Floats], Floats], probed: Floats) -> Floats:
    """(M,) nats of (M, P, labels) answers, NaN without probes."""
    return measure(probed) if probed.shape[1] else np.full(len(probed), np.nan)


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


def _names(strategies: Collection[str] | None) -> list[str]:
    """Those of the registry that are asked, in its order.

    Raises:
        StudyError: there is none of that name.
    """
    for name in strategies or ():
        orderings.find(name)
    return [name for name in orderings.names() if strategies is None or name in strategies]


def _strategies(
    study: Study, model: LanguageModel, names: Sequence[str], stop: Stop | None
) -> tuple[list[StrategyOrder], dict[str, tuple[int, ...]]]:
    """Orderings, and the order of each that can choose one."""
    found: list[StrategyOrder] = []
    picked: dict[str, tuple[int, ...]] = {}
    here = _here(study)
    with part(0.0, CHOSEN), counting(len(names), "strategies") as advance:
        for strategy in map(orderings.find, names):
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


def _chosen_anew(
    study: Study,
    model: LanguageModel,
    questions: Sequence[EvaluationQuestion],
    picked: Mapping[str, tuple[int, ...]],
    orders: Sequence[tuple[int, ...]] | None,
    stop: Stop | None,
) -> dict[str, NDArray[Any]]:
    """By strategy that orders anew for every question: (N,) rows of the orders that it takes, where these are all
    there are; else whether it answers right, asked apart, as its order need be none of those tried."""
    names = [name for name in picked if "pool" not in orderings.find(name).reads]
    if not questions or not names:
        return {}
    variants = [study.model_copy(update={"ordering": name}) for name in names]
    with part(CHOSEN, CHOSEN + ANEW):
        if orders is None:
            return dict(zip(names, evaluate(variants, model, questions, stop=stop).right, strict=True))
        rows = {one: row for row, one in enumerate(orders)}
        found = {}
        with counting(len(names), "strategies") as advance:
            for name, variant in zip(names, variants, strict=True):
                taken = [order(_ask(variant, one), model, _here(study), stop).indices for one in questions]
                found[name] = np.array([rows[one] for one in taken], dtype=np.intp)
                advance(len(found))
        return found


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
        of_probes = probes * len(task_labels(self._study, self._study.demonstrations)) if probes else 0
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
        if not probes:
            return (), np.zeros((len(self._orders), 0, 0))
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


def _bayes(
    asked: Sequence[tuple[Study, tuple[str, ...]]],
    model: LanguageModel,
    questions: Sequence[EvaluationQuestion],
    candidates: Sequence[tuple[str, ...]],
) -> tuple[Floats | None, Bools | None]:
    """Exact Bayes's answer to the query, and whether it answers the questions right; None where there is none."""
    if model.mixture is None:
        return None, None
    found = [bayes_answer(study, model, study.demonstrations, labels) for study, labels in asked]
    query, *replies = [None if answer is None else answer.probabilities for answer in found]
    return query, _bayes_right(replies, questions, candidates)


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
