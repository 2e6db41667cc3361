"""Whether the mixture fits: what no task explains is counted, and studies of the mixture are rarely called odd."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from core import Demonstration, Study, TaskPrior, load_model, run
from core.bayes.exact import ExactBayes
from core.bayes.notes import about_fit, about_outside
from core.mixture.documents import draw_document
from core.mixture.domain import NOISE, STRAY
from core.mixture.leaks import find_leaks
from core.mixture.mixture import load_mixture, normalise
from core.models import LanguageModel
from core.pipeline.bayes import with_prior
from core.posterior.fitting import sign, verdict
from core.study.outcome import Answer, MixtureFit, Posterior
from core.study.question import Question
from tests.tiny import tiny

MIXTURE = load_mixture()
RULE = [("1", "3"), ("2", "5"), ("3", "7"), ("4", "9")]
CONTRADICTED = [*((str(x), str(x + 2)) for x in (5, 9, 14, 20)), ("7", "30"), ("11", "1"), ("16", "2")]
SENTENCES = [("The cat sleeps.", "Le chat dort."), ("I like bread.", "J'aime le pain.")]
FRENCH = [("dog", "chien"), ("cat", "chat"), ("horse", "cheval"), ("house", "maison")]


@pytest.fixture(scope="module")
def embedded() -> LanguageModel:
    return load_model()


def study_of(pairs: list[tuple[str, str]], query: str, **settings: object) -> Study:
    shown = tuple(Demonstration(input=x, label=y) for x, y in pairs)
    return Study(demonstrations=shown, query=query, labels=("a", "b"), **settings)  # type: ignore[arg-type]


def fit(pairs: list[tuple[str, str]], query: str, instruction: str = "") -> MixtureFit:
    study = study_of(pairs, query, instruction=instruction)
    return ExactBayes(Question.of(study, study.demonstrations, ("a", "b")), MIXTURE).fit


@pytest.mark.parametrize(
    ("pairs", "query", "labels", "inputs", "asked"),
    [
        (RULE, "6", (1, 2, 3), (), False),
        (CONTRADICTED, "3", (4, 5, 6), (), False),
        (SENTENCES, "The bird flew high in the sky.", (), (0, 1), True),
        ([(f"{a} + {b}", str(a + b + 1)) for a, b in ((2, 3), (7, 8), (1, 9))], "4 + 4", (0, 1, 2), (), False),
    ],
)
def test_what_no_task_explains(
    pairs: list[tuple[str, str]], query: str, labels: tuple[int, ...], inputs: tuple[int, ...], asked: bool
) -> None:
    found = fit(pairs, query)
    assert (found.labels, found.inputs, found.query) == (labels, inputs, asked)
    assert not found.fits


def test_the_rule_that_is_taken_for_plus_two() -> None:
    """Exact Bayes is all but sure of a task that explains one demonstration of four."""
    study = study_of(RULE, "6")
    bayes = ExactBayes(Question.of(study, study.demonstrations, ("a", "b")), MIXTURE)
    assert bayes.posterior.weights[-1].max() > 0.99
    assert MIXTURE.families[int(np.argmax(bayes.posterior.weights[-1]))] == "plus two"
    assert not bayes.fit.fits


def test_the_chance_is_that_of_two_binomial_counts() -> None:
    """Every pair of counts by SciPy, of tasks that answer with noise at .04."""
    found = fit(RULE, "6")
    cost = (-np.log(NOISE), -np.log(STRAY))
    chance = sum(
        binom.pmf(a, 4, NOISE) * binom.pmf(b, 5, STRAY)
        for a, b in product(range(5), range(6))
        if a * cost[0] + b * cost[1] >= 3 * cost[0] - 1e-9
    )
    assert found.chance == pytest.approx(chance, rel=1e-6)


@pytest.mark.parametrize("pairs", [FRENCH, FRENCH[:1], []])
def test_what_a_task_explains_fits(pairs: list[tuple[str, str]]) -> None:
    found = fit(pairs, "tree")
    assert (found.labels, found.inputs, found.query) == ((), (), False)
    assert found.chance == pytest.approx(1)
    assert found.fits


def test_one_slip_of_many_fits() -> None:
    found = fit([*FRENCH, ("bread", "poisson")], "tree")
    assert found.labels == (4,)
    assert found.fits


def test_leaks_come_as_often_as_the_mixture_has_them() -> None:
    """By the law of total expectation the mean of P(leak | D) over documents is P(leak)."""
    rng, labels, strays = random.Random(3), [], []
    for _ in range(500):
        document = draw_document(MIXTURE, rng, family="French", count=9, reversed_share=0.0, instructed=0.0)
        pairs = document.pairs[:8]
        states = MIXTURE.states_after(pairs)
        joint = MIXTURE.log_joint(pairs)[-1] + MIXTURE.log_inputs(document.pairs[8][0], states)
        leaks = find_leaks(MIXTURE, pairs, document.pairs[8][0], normalise(joint[None])[0][0], states)
        labels.append(leaks.labels.mean())
        strays.append(leaks.strays.mean())
    assert np.mean(labels) == pytest.approx((1 - STRAY) * NOISE, abs=4 * np.std(labels) / np.sqrt(500))
    assert np.mean(strays) == pytest.approx(STRAY, abs=4 * np.std(strays) / np.sqrt(500))


def test_documents_of_the_mixture_are_rarely_called_odd() -> None:
    """At most 2 in a hundred, wrong instructions, strays and noise included."""
    rng, alarms = random.Random(17), 0
    for i in range(600):
        k = (1, 2, 3, 4, 6, 8, 12, 16)[i % 8]
        document = draw_document(MIXTURE, rng, count=k + 1, reversed_share=0.0)
        alarms += not fit(list(document.pairs[:k]), document.pairs[k][0], document.instruction).fits
    assert alarms <= 12


def test_the_order_of_demonstrations_does_not_matter() -> None:
    pairs = [*RULE, ("lion", "zzq"), ("zzq", "lion"), ("lion", "zzq")]
    turned = pairs[::-1]
    found, other = fit(pairs, "6"), fit(turned, "6")
    assert found.chance == pytest.approx(other.chance)
    assert {pairs[i] for i in found.labels} == {turned[i] for i in other.labels}


def test_notes_say_which_and_how_odd(embedded: LanguageModel) -> None:
    found = run(study_of(RULE, "6"), embedded)
    assert found.fit is not None
    assert found.notes[0].startswith(
        "Does not fit: no task of this model's mixture gives the label of demonstrations 2"
    )
    assert "2, 3 and 4" in found.notes[0]
    assert not run(study_of(FRENCH, "tree"), embedded).notes[0].startswith("Does not fit")


def test_the_note_of_inputs_and_of_many() -> None:
    both = next(iter(about_fit(MixtureFit(9, tuple(range(8)), (8,), True, 3e-9))))
    assert "label of demonstrations 1, 2, 3, 4, 5 and 3 more" in both
    assert "none writes the input of demonstration 9 or the query" in both
    assert "Fewer than one in a million" in both
    assert "One in 1,200" in next(iter(about_fit(MixtureFit(4, (1,), (), False, 1 / 1234))))
    assert list(about_fit(MixtureFit(4, (1,), (), False, 0.2))) == []


def test_another_prior_is_another_fit(embedded: LanguageModel) -> None:
    """As a new run with that prior has it: a mixture without the task explains nothing that only it explains."""
    only = tuple(TaskPrior(task=task, weight=0.0) for task in MIXTURE.families if MIXTURE.domains[task] == "nouns")[:-1]
    study = study_of(FRENCH, "tree")
    edited, again = (
        with_prior(run(study, embedded), embedded, only),
        run(study.model_copy(update={"prior": only}), embedded),
    )
    assert edited.fit == again.fit
    assert edited.notes == again.notes
    assert edited.fit != run(study, embedded).fit


def test_most_of_the_probability_is_elsewhere(embedded: LanguageModel) -> None:
    found = run(study_of(FRENCH, "tree"), embedded)
    assert found.answer.outside is not None
    assert found.bayes is not None
    assert found.bayes.outside is not None
    assert min(found.answer.outside, found.bayes.outside) > 0.99
    assert any("over .99 by the model and over .99 by exact Bayes" in note for note in found.notes)
    named = run(study_of(FRENCH, "tree").model_copy(update={"labels": ("arbre", "tree")}), embedded)
    assert not any("Outside the candidates" in note for note in named.notes)


def test_a_model_without_a_mixture_has_the_part_that_needs_none() -> None:
    found = run(study_of(FRENCH, "tree"), tiny())
    assert found.fit is None
    assert found.answer.outside is not None
    assert found.answer.outside > 0.5
    assert any(note.startswith("Outside the candidates") and "Bayes" not in note for note in found.notes)
    unknown = Answer(("a", "b"), np.zeros(2), np.full(2, 0.5))
    assert list(about_outside(unknown, None)) == []


def test_verdicts_of_a_reading() -> None:
    weights = np.full((4, 2), 0.5)
    found = Posterior(
        "implicit",
        ("a", "b"),
        weights,
        residual=np.array([0.1, 0.31, 0.1, 0.31]),
        condition=np.array([99.0, 99.0, 101.0, np.inf]),
    )
    assert [verdict(found, n) for n in range(4)] == ["fits", "does not fit", "ambiguous", "does not fit"]
    exact = Posterior("exact", ("a", "b"), weights)
    odd, even = MixtureFit(3, (0, 1, 2), (), False, 1e-4), MixtureFit(3, (), (), False, 1.0)
    assert [sign(exact, n, odd) for n in (2, 3)] == ["", "prompt does not fit"]
    assert sign(exact, 3, even) == "prompt fits"
    assert sign(exact, 3, None) == ""
    assert [sign(found, n, odd) for n in range(3)] == ["answers fit", "answers do not fit", "ambiguous"]
