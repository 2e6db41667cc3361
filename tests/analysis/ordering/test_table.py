"""The table of orders against plain loops over permutations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from core import Cancelled, Demonstration, Study, StudyError, load_model, run
from core.analysis.ordering.effects import (
    Correlation,
    Gain,
    best_and_worst,
    copied,
    correlation,
    flip_rate,
    gain,
    held_out,
    highest,
    merit,
    positions,
    replies_of,
    told_apart,
)
from core.analysis.ordering.records import in_words, order_records, strategy_records
from core.analysis.ordering.table import OrderTable, fixed, order_table, orders_drawn, texts_scored, tokens_read
from core.bayes.answer import bayes_answer
from core.evaluation.questions import EvaluationQuestion
from core.models import LanguageModel
from core.ordering import order, orderings
from core.ordering.entropy import global_entropy, local_entropy
from core.ordering.trials import probe_inputs, try_orders
from core.runtime.cost import metered
from core.scoring.together import score
from core.study.outcome import Chosen
from core.study.prompts import render
from tests.listening import listening
from tests.tiny import REVIEWS, rows, tiny

LABELS = ("positive", "negative")
POOL = rows([("a film", "positive"), ("the dog", "negative"), ("the bad bird", "negative"), ("good", "positive")])
QUESTIONS = tuple(EvaluationQuestion(d.input, d.label, "pool") for d in REVIEWS[3:])
STUDY = Study(demonstrations=REVIEWS[:3], pool=POOL, query="a good film", labels=LABELS)
WORDS = rows([("lion", "lion"), ("cat", "chat"), ("bread", "pain")])


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


@pytest.fixture(scope="module")
def table() -> OrderTable:
    return order_table(STUDY, tiny(), REVIEWS[:3], LABELS, QUESTIONS)


@pytest.mark.parametrize(
    "how",
    [
        {"scoring": "direct"},
        {"scoring": "direct", "normalisation": "character"},
        {"scoring": "perplexity"},
        {"scoring": "channel"},
        {"scoring": "pmi"},
        {"scoring": "direct", "calibration": "contextual"},
    ],
    ids=str,
)
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_every_cell_is_that_of_a_prompt_scored_alone(how: dict[str, str], architecture: str) -> None:
    """Brute force: every permutation, query and question a call of its own."""
    study, model = STUDY.model_copy(update=how), tiny(architecture)
    found = order_table(study, model, REVIEWS[:3], LABELS, QUESTIONS)
    assert found.complete
    assert found.drawn.all()
    assert [tuple(row) for row in found.orders] == list(itertools.permutations(range(3)))
    for m, places in enumerate(itertools.permutations(REVIEWS[:3])):
        alone = score(study, model, places, LABELS)
        np.testing.assert_allclose(found.answers[m], alone.probabilities, atol=1e-4)
        for n, question in enumerate(QUESTIONS):
            one = score(study.model_copy(update={"query": question.input}), model, places, LABELS)
            np.testing.assert_allclose(found.by_question[m, n], one.probabilities, atol=1e-4)
            gold = LABELS.index(question.gold)
            assert found.gold[m, n] == pytest.approx(one.probabilities[gold], abs=1e-4)
            if abs(np.diff(one.probabilities)) > 1e-3:
                assert found.right[m, n] == (one.best == question.gold)
    np.testing.assert_allclose(found.accuracy, found.right.mean(axis=1))


def test_entropies_are_those_of_the_orderings_on_the_same_probes(table: OrderTable) -> None:
    here = Chosen("demonstrations", (0, 1, 2))
    assert table.probes == tuple(probe_inputs(STUDY, here))
    trials = try_orders(STUDY, tiny(), here)
    np.testing.assert_allclose(table.probed, trials.probabilities, atol=1e-5)
    np.testing.assert_allclose(table.global_entropy, global_entropy(trials.probabilities), atol=1e-5)
    np.testing.assert_allclose(table.local_entropy, local_entropy(trials.probabilities), atol=1e-5)
    for name, entropies in (("globale", table.global_entropy), ("locale", table.local_entropy)):
        (place,) = [strategy.place for strategy in table.strategies if strategy.name == name]
        assert place is not None
        assert entropies[place] == pytest.approx(entropies.max(), abs=1e-5)


def test_each_strategy_has_the_order_that_a_run_shows(table: OrderTable) -> None:
    assert [strategy.name for strategy in table.strategies] == list(orderings.names())
    for strategy in table.strategies:
        outcome = run(STUDY.model_copy(update={"ordering": strategy.name, "posteriors": ()}), tiny())
        assert strategy.place is not None
        assert tuple(table.orders[strategy.place]) == outcome.chosen.indices
        np.testing.assert_allclose(table.answers[strategy.place], outcome.answer.probabilities, atol=1e-4)


def test_strategies_are_held_against_the_questions_by_a_run_of_each(table: OrderTable) -> None:
    """Those that follow the query order anew for every question; those that go by the pool keep their order."""
    for strategy in table.strategies:
        assert strategy.place is not None
        assert strategy.right is not None
        if "pool" in orderings.find(strategy.name).reads:
            np.testing.assert_array_equal(strategy.right, table.right[strategy.place])
            continue
        for n, question in enumerate(QUESTIONS):
            more = {"ordering": strategy.name, "query": question.input, "posteriors": ()}
            outcome = run(STUDY.model_copy(update=more), tiny())
            if abs(np.diff(outcome.answer.probabilities)) > 1e-3:
                assert strategy.right[n] == (outcome.answer.best == question.gold)


def test_a_strategy_that_cannot_choose_says_why() -> None:
    found = order_table(STUDY.model_copy(update={"pool": ()}), tiny(), REVIEWS[:2], LABELS)
    without = {strategy.name: strategy.why_not for strategy in found.strategies if strategy.place is None}
    assert set(without) == {"best", "worst"}
    assert all("labelled inputs of the pool" in why for why in without.values())


def test_where_the_demonstrations_come_from_does_not_matter(table: OrderTable) -> None:
    """From a pool, left out or limited by shots: the table is about those that are shown."""
    study = STUDY.model_copy(update={"selection": "random", "k": 2, "shots": 1, "ordering": "random"})
    found = order_table(study, tiny(), REVIEWS[:3], LABELS, QUESTIONS)
    np.testing.assert_allclose(found.answers, table.answers, atol=1e-6)
    assert fixed(study, REVIEWS[:3]).shots is None


@pytest.mark.parametrize(("k", "complete"), [(2, True), (4, True), (5, True), (6, False), (9, False), (25, False)])
def test_orders_are_distinct_seeded_and_all_of_them_up_to_five(k: int, complete: bool) -> None:
    found, all_of_them = orders_drawn(k, 30, seed=3)
    assert all_of_them == complete
    assert len(set(found)) == len(found) == (math.factorial(k) if complete else 30)
    assert all(sorted(order) == list(range(k)) for order in found)
    assert found == orders_drawn(k, 30, seed=3)[0] == sorted(found)
    if not complete:
        assert found != orders_drawn(k, 30, seed=4)[0]
    assert orders_drawn(6, 720, seed=0) == (list(itertools.permutations(range(6))), True)


def test_orders_of_strategies_join_a_sample_and_are_no_part_of_it() -> None:
    found = order_table(STUDY.model_copy(update={"demonstrations": REVIEWS}), tiny(), REVIEWS, LABELS, most=20, seed=1)
    drawn, complete = orders_drawn(6, 20, seed=1)
    assert not complete
    assert {tuple(row) for row in found.orders[found.drawn]} == set(drawn)
    chosen = {strategy.place for strategy in found.strategies if strategy.place is not None}
    assert set(np.flatnonzero(~found.drawn)) <= chosen
    assert found.place_of(range(6)) in chosen
    assert found.place_of((0, 1)) is None
    unseen = next(p for p in itertools.permutations(range(6)) if not (found.orders == np.array(p)).all(axis=1).any())
    assert found.place_of(unseen) is None


def test_equal_demonstrations_make_equal_orders() -> None:
    found = order_table(STUDY, tiny(), REVIEWS[:1] * 3, LABELS, QUESTIONS)
    assert len(found.orders) == 6
    assert np.ptp(found.answers, axis=0).max() < 1e-6
    assert flip_rate(found.best) == 0
    assert np.isnan(correlation(found, found.local_entropy).rho)
    assert best_and_worst(found) == (0, 0)


def test_open_questions_have_candidates_of_their_own(model: LanguageModel) -> None:
    questions = tuple(EvaluationQuestion(x, y, "French") for x, y in [("dog", "chien"), ("fish", "poisson")])
    study = Study(demonstrations=WORDS, query="horse")
    found = order_table(study, model, WORDS, ("cheval", "horse"), questions)
    assert all(question.gold in labels for question, labels in zip(questions, found.candidates, strict=True))
    for n, (question, labels) in enumerate(zip(questions, found.candidates, strict=True)):
        one = study.model_copy(update={"query": question.input})
        np.testing.assert_allclose(
            found.by_question[0, n, : len(labels)], score(one, model, WORDS, labels).probabilities, atol=1e-4
        )
        assert not found.by_question[:, n, len(labels) :].any()
        bayes = bayes_answer(one, model, WORDS, labels)
        assert bayes is not None
        assert found.bayes_right is not None
        assert found.bayes_right[n] == (bayes.best == question.gold)
    assert replies_of(found).shape == (6, 2)


def test_exact_bayes_gives_every_order_the_same(model: LanguageModel) -> None:
    study = Study(demonstrations=WORDS, query="horse")
    found = order_table(study, model, WORDS, ("cheval", "horse"))
    for places in itertools.permutations(WORDS):
        answer = bayes_answer(study, model, places, ("cheval", "horse"))
        assert answer is not None
        np.testing.assert_allclose(answer.probabilities, found.bayes, atol=1e-10)


def test_without_questions_there_is_no_accuracy(table: OrderTable) -> None:
    found = order_table(STUDY, tiny(), REVIEWS[:3], LABELS)
    assert np.isnan(found.accuracy).all()
    assert found.by_question.shape == (6, 0, 0)
    np.testing.assert_allclose(found.answers, table.answers, atol=1e-6)
    commonest = np.bincount(found.best).argmax()
    np.testing.assert_array_equal(merit(found), found.answers[:, commonest])
    assert np.isnan(held_out(found)).all()
    assert all(np.isnan(row["accuracy"]) for row in strategy_records(found, [1, 2, 3]))


def test_progress_stop_and_what_cannot_be_asked() -> None:
    with listening() as told:
        order_table(STUDY, tiny(), REVIEWS[:3], LABELS, QUESTIONS)
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] == 1.0
    with pytest.raises(Cancelled):
        order_table(STUDY, tiny(), REVIEWS[:3], LABELS, QUESTIONS, stop=lambda: True)
    with pytest.raises(StudyError, match="two demonstrations"):
        order_table(STUDY, tiny(), REVIEWS[:1], LABELS)
    with pytest.raises(StudyError, match="two orders"):
        order_table(STUDY, tiny(), REVIEWS, LABELS, most=1)


def test_the_price_is_what_is_scored() -> None:
    study = fixed(STUDY, REVIEWS[:3])
    # 6 orders × 2 labels × (query, 3 questions, four inputs of the pool as probes); MDL on each of 3 questions
    assert texts_scored(study, LABELS, 120, 3) == 6 * 2 * (1 + 3 + 4) + 3 * 2 * 24


def test_what_is_not_asked_for_is_not_scored(table: OrderTable) -> None:
    """The orders alone: the same answers, from the texts of the orders and no others."""
    with metered() as meter:
        found = order_table(STUDY, tiny(), REVIEWS[:3], LABELS, QUESTIONS, strategies=(), entropies=False)
    np.testing.assert_allclose(found.answers, table.answers, atol=1e-6)
    np.testing.assert_array_equal(found.right, table.right)
    assert meter.spent.texts == 6 * len(LABELS) * (1 + len(QUESTIONS))
    assert texts_scored(fixed(STUDY, REVIEWS[:3]), LABELS, 120, 3, strategies=(), entropies=False) == meter.spent.texts
    assert found.probes == found.strategies == ()
    assert np.isnan(found.global_entropy).all()
    assert strategy_records(found, [1, 2, 3]) == []
    quick = ("given", "nearest-last")
    some = order_table(STUDY, tiny(), REVIEWS[:3], LABELS, QUESTIONS, strategies=quick, entropies=False)
    assert [strategy.name for strategy in some.strategies] == list(quick)
    for one in some.strategies:
        (same,) = [other for other in table.strategies if other.name == one.name]
        np.testing.assert_array_equal(one.right, same.right)
    with pytest.raises(StudyError, match="no ordering"):
        order_table(STUDY, tiny(), REVIEWS[:3], LABELS, strategies=("sideways",))


def test_the_tokens_are_those_of_every_beginning_once() -> None:
    """Counted as a set of beginnings."""
    study, model = fixed(STUDY, REVIEWS[:3]), tiny()
    beginnings = set()
    for places in itertools.permutations(study.demonstrations):
        for query in (study.query, *(question.input for question in QUESTIONS)):
            prompt = render(places, query, study.template, study.instruction)
            for label in LABELS:
                ids = model.encode(prompt.text + prompt.gap + label).ids
                beginnings |= {ids[:n] for n in range(1, len(ids) + 1)}
    assert tokens_read(study, model, LABELS, QUESTIONS) == len(beginnings)


def made(right: np.ndarray, entropies: np.ndarray, k: int = 3, drawn: np.ndarray | None = None) -> OrderTable:
    """A table with these right answers and entropies."""
    orders = np.array(list(itertools.islice(itertools.permutations(range(k)), len(right))))
    count = right.shape[1]
    by_question = np.stack([right, ~right], axis=-1).astype(float)
    return OrderTable(
        shown=REVIEWS[:k],
        orders=orders,
        drawn=np.ones(len(orders), dtype=bool) if drawn is None else drawn,
        complete=True,
        labels=LABELS,
        answers=np.tile([0.6, 0.4], (len(orders), 1)),
        bayes=None,
        questions=(EvaluationQuestion("x", "positive", "pool"),) * count,
        candidates=(LABELS,) * count,
        by_question=by_question,
        right=right,
        gold=by_question[..., 0],
        bayes_right=None,
        probes=("x",),
        probe_labels=LABELS,
        probed=np.zeros((len(orders), 1, 2)),
        global_entropy=entropies,
        local_entropy=entropies,
        strategies=(),
    )


@pytest.mark.parametrize("count", [6, 24])
def test_spearman_is_scipys(count: int) -> None:
    rng = np.random.default_rng(0)
    right, entropies = rng.random((count, 40)) < np.linspace(0.4, 0.7, count)[:, None], rng.random(count).round(1)
    found = correlation(made(right, entropies, k=4), entropies)
    by_scipy = stats.spearmanr(entropies, right.mean(axis=1))
    assert found.rho == pytest.approx(by_scipy.statistic)
    assert found.exact == (count == 6)
    if found.exact:
        rhos = [
            stats.spearmanr(entropies, [right.mean(axis=1)[i] for i in p]).statistic
            for p in itertools.permutations(range(count))
        ]
        above, below = np.mean(np.array(rhos) >= found.rho - 1e-9), np.mean(np.array(rhos) <= found.rho + 1e-9)
        assert found.p == pytest.approx(min(1.0, 2 * min(above, below)))
    else:
        assert found.p == pytest.approx(by_scipy.pvalue, abs=0.03)
    assert found.low <= found.rho <= found.high


def test_a_correlation_is_found_where_there_is_one_and_not_where_there_is_none() -> None:
    rng = np.random.default_rng(1)
    entropies = np.linspace(0, 1, 24)
    clear = correlation(made(rng.random((24, 200)) < (0.2 + 0.6 * entropies)[:, None], entropies, k=4), entropies)
    assert clear.rho > 0.9
    assert told_apart([clear], 200) == (True,)
    noise = correlation(made(rng.random((24, 200)) < 0.5, entropies, k=4), entropies)
    assert told_apart([noise], 200) == (False,)
    two = correlation(made(np.array([[True, True], [True, False]]), np.array([0.1, 0.2]), k=2), np.array([0.1, 0.2]))
    assert (two.rho, two.p, told_apart([two], 20)) == (-1.0, 1.0, (False,))


def test_what_stands_together_is_corrected_and_needs_its_questions() -> None:
    """p = .03 is told from 0 alone and not among four; nothing is told by 19 questions."""
    close = Correlation(0.5, 0.03, 0.1, 0.8, True)
    sure = Gain(0.9, 0.5, 0.8, 0.6, 1.0)
    assert told_apart([close], 20) == (True,)
    assert told_apart([close, sure, close, Gain(0.5, 0.5, 0.0, -0.1, 0.1)], 20) == (False, True, False, False)
    assert told_apart([sure], 19) == (False,)
    assert told_apart([Correlation(0.5, 0.001, -0.1, 0.8, True), sure], 20) == (False, True)


def test_gain_and_its_interval() -> None:
    rng = np.random.default_rng(2)
    right = rng.random((6, 300)) < 0.5
    right[4] = rng.random(300) < 0.9
    drawn = np.array([True] * 5 + [False])
    table = made(right, np.arange(6.0), drawn=drawn)
    found = gain(table, table.right[4])
    mean = right[:5].mean()
    assert found.mean == pytest.approx(mean)
    assert found.relative == pytest.approx(right[4].mean() / mean - 1)
    # By a plain loop over resampled questions.
    again = np.random.default_rng(5)
    loop = []
    for _ in range(2000):
        some = right[:, again.integers(0, 300, 300)]
        loop.append(some[4].mean() / some[:5].mean() - 1)
    np.testing.assert_allclose([found.low, found.high], np.percentile(loop, [2.5, 97.5]), atol=0.02)
    assert told_apart([found, gain(table, table.right[:5])], 300) == (True, False)
    assert highest(table, np.array([0.0, 3, 1, 3, 2, 9])).tolist() == [1, 3, 4, 2]
    nothing = np.zeros((6, 4), dtype=bool)
    nobody = gain(made(nothing, np.arange(6.0)), nothing[0])
    assert np.isnan(nobody.relative)


def test_best_worst_and_what_is_left_of_them() -> None:
    right = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]], dtype=bool)
    table = made(right, np.arange(6.0))
    assert best_and_worst(table) == (4, 3)
    # By the even questions rows 2 and 4 tie for best (0 and 1 on the odd), 3 and 5 for worst (0 and .5); by the odd
    # ones row 4 is best (1 on the even), and 2 and 3 tie for worst (1 and 0).
    assert held_out(table) == (0.75, 0.375)
    # Halves that contradict each other: what is best on one is worst on the other.
    apart = made(np.array([[1, 0, 1, 0], [0, 1, 0, 1]], dtype=bool), np.arange(2.0), k=2)
    assert held_out(apart) == (0.0, 1.0)


def test_effect_of_positions_by_a_plain_loop() -> None:
    orders = np.array(orders_drawn(4, 24, 0)[0][:15])
    values = np.random.default_rng(0).random(15)
    found = positions(orders, values)
    for i in range(4):
        for j in range(4):
            there = [v for order, v in zip(orders, values, strict=True) if order[j] == i]
            assert found[i, j] == pytest.approx(np.mean(there)) if there else np.isnan(found[i, j])


def test_copying_is_flat_where_order_does_not_matter_and_rises_with_recency() -> None:
    orders = np.array(list(itertools.permutations(range(4))))
    labels = ("a", "b", "b", "c")
    np.testing.assert_allclose(copied(orders, labels, np.array(["b"] * 24)), 0.5)
    np.testing.assert_allclose(copied(orders, labels, np.array(["z"] * 24)), 0.0)
    last = np.array(labels)[orders[:, -1]]
    shares = copied(orders, labels, np.stack([last, last], axis=1))
    assert shares[-1] == 1.0
    by_hand = np.mean([labels[order[0]] == labels[order[3]] for order in itertools.permutations(range(4))])
    np.testing.assert_allclose(shares[:-1], by_hand)


def test_flips_count_the_orders_that_answer_otherwise() -> None:
    assert flip_rate(np.array([0, 0, 1, 2])) == 0.5
    np.testing.assert_allclose(flip_rate(np.array([[0, 1], [0, 0], [0, 1], [1, 1]])), [0.25, 0.25])


def test_records(table: OrderTable) -> None:
    found = order_records(table, [2, 5, 9])
    assert [row["order"] for row in found[:2]] == ["2 5 9", "2 9 5"]
    assert in_words((2, 0), [2, 5, 9]) == "9 2"
    np.testing.assert_allclose([row["accuracy"] for row in found], table.accuracy)
    for row, p in zip(found, table.answers, strict=True):
        assert row["p(positive)"] == pytest.approx(p[0])
        assert row["answer"] == LABELS[int(p.argmax())]
    assert "As given" in found[0]["chosen_by"]
    by_strategy = strategy_records(table, [2, 5, 9])
    assert [row["strategy"] for row in by_strategy[-2:]] == ["GlobalE, its 4 highest", "LocalE, its 4 highest"]
    kept = highest(table, table.local_entropy)
    assert by_strategy[-1]["accuracy"] == pytest.approx(table.accuracy[kept].mean())


def test_a_demonstration_with_a_question_of_white_space_is_tidied() -> None:
    study = Study(demonstrations=tuple(Demonstration(input=f" {d.input} ", label=d.label) for d in REVIEWS[:2]))
    study = study.model_copy(update={"query": " a good film ", "labels": LABELS})
    found = order_table(study, tiny(), study.demonstrations, LABELS)
    plain = order_table(STUDY, tiny(), REVIEWS[:2], LABELS)
    np.testing.assert_allclose(found.answers, plain.answers, atol=1e-6)


def test_order_of_the_study_is_not_read() -> None:
    """`order` gets the set as it stands in its table."""
    ordered = order(
        STUDY.model_copy(update={"ordering": "nearest-last"}), tiny(), Chosen("demonstrations", (0, 1, 2))
    ).indices
    found = order_table(STUDY.model_copy(update={"ordering": "random"}), tiny(), REVIEWS[:3], LABELS)
    (place,) = [strategy.place for strategy in found.strategies if strategy.name == "nearest-last"]
    assert place is not None
    assert tuple(found.orders[place]) == ordered
