"""Orders by a plain loop: every permutation a study of its own."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from core import Cancelled, Demonstration, Hypothesis, Study, StudyError, load_model
from core.analysis.posterior.order_spread import order_spread, orders_of, spread
from core.bayes.answer import bayes_answer
from core.models import LanguageModel
from core.scoring.together import score
from tests.asked import implicit, instruction
from tests.listening import listening
from tests.tiny import REVIEWS, tiny

SHOWN = tuple(Demonstration(input=x, label=y) for x, y in [("lion", "lion"), ("cat", "chat"), ("bread", "pain")])
LABELS = ("cheval", "horse", "horses")
STUDY = Study(demonstrations=SHOWN, query="horse")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


@pytest.mark.parametrize("scoring", ["direct", "perplexity", "channel"])
def test_answers_are_those_of_a_loop_over_permutations(model: LanguageModel, scoring: str) -> None:
    study = STUDY.model_copy(update={"scoring": scoring})
    found = order_spread(study, model, SHOWN, LABELS)
    assert found.complete
    assert found.orders.tolist() == [list(order) for order in itertools.permutations(range(3))]
    for row, order in zip(found.answers, itertools.permutations(SHOWN), strict=True):
        np.testing.assert_allclose(row, score(study, model, order, LABELS).probabilities, atol=1e-5)
    mean = found.answers.mean(0)
    by_hand = np.mean([0.5 * sum(abs(row - mean)) for row in found.answers])
    assert spread(found.answers) == pytest.approx(by_hand)


@pytest.mark.parametrize("decoding", ["em", "least-squares"])
def test_posteriors_are_the_implicit_ones_of_every_order(model: LanguageModel, decoding: str) -> None:
    study = STUDY.model_copy(update={"posterior_solver": decoding})
    found = order_spread(study, model, SHOWN, LABELS)
    assert found.kind == "implicit"
    assert model.mixture is not None
    for row, order in zip(found.posteriors, itertools.permutations(SHOWN), strict=True):
        own = implicit(study, model, model.mixture, order, LABELS)
        assert 0.5 * np.abs(row - own.weights[-1]).sum() < 0.02


def test_exact_bayes_has_no_spread(model: LanguageModel) -> None:
    found = order_spread(STUDY, model, SHOWN, LABELS)
    assert model.mixture is not None
    for order in itertools.permutations(SHOWN):
        weights, _ = model.mixture.posterior([(d.input, d.label) for d in order])
        np.testing.assert_allclose(weights[-1], found.exact, atol=1e-10)
        bayes = bayes_answer(STUDY, model, order, LABELS)
        assert bayes is not None
        np.testing.assert_allclose(bayes.probabilities, found.bayes, atol=1e-10)


def test_chained_hypotheses_depend_on_the_order_and_others_have_none() -> None:
    model, labels = tiny("gpt2"), ("positive", "negative")
    hypotheses = (Hypothesis(name="a", instruction="good"), Hypothesis(name="b", instruction="bad", prior=2.0))
    study = Study(query="film", hypotheses=hypotheses, chained=True)
    found = order_spread(study, model, REVIEWS[:3], labels)
    assert (found.kind, found.tasks, found.bayes, found.exact) == ("instruction", ("a", "b"), None, None)
    for row, order in zip(found.posteriors, itertools.permutations(REVIEWS[:3]), strict=True):
        own = instruction(study, model, order, labels)
        np.testing.assert_allclose(row, own.weights[-1], atol=1e-4)
    without = order_spread(study.model_copy(update={"chained": False}), model, REVIEWS[:3], labels)
    assert (without.kind, without.posteriors.shape) == ("", (6, 0))


@pytest.mark.parametrize("k", [2, 4, 5, 6, 9])
def test_orders_are_distinct_and_seeded(k: int) -> None:
    orders, complete = orders_of(k, 40, seed=3)
    assert complete == (k <= 4)
    assert len({tuple(order) for order in orders}) == len(orders) == (math.factorial(k) if k <= 4 else 40)
    assert all(sorted(order) == list(range(k)) for order in orders.tolist())
    assert orders[0].tolist() == list(range(k))
    np.testing.assert_array_equal(orders, orders_of(k, 40, seed=3)[0])
    if k > 4:
        assert (orders != orders_of(k, 40, seed=4)[0]).any()
    assert orders_of(6, 720, seed=0)[1]


def test_flips_count_the_orders_that_answer_otherwise(model: LanguageModel) -> None:
    found = order_spread(STUDY, model, SHOWN, LABELS)
    answers = [LABELS[int(row.argmax())] for row in found.answers]
    commonest = max(set(answers), key=answers.count)
    assert found.flips == pytest.approx(sum(answer != commonest for answer in answers) / len(answers))


def test_progress_and_stop(model: LanguageModel) -> None:
    with listening() as told:
        order_spread(STUDY, model, SHOWN, LABELS)
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(Cancelled):
        order_spread(STUDY, model, SHOWN, LABELS, stop=lambda: True)


def test_what_has_no_orders_is_said(model: LanguageModel) -> None:
    with pytest.raises(StudyError, match="two demonstrations"):
        order_spread(STUDY, model, SHOWN[:1], LABELS)
    with pytest.raises(StudyError, match="two orders"):
        order_spread(STUDY, model, SHOWN * 3, LABELS, most=1)
