"""A prior of the user's own: what a mixture built with that prior says, and what a new run says."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest

from core import Demonstration, Study, StudyError, TaskPrior, load_model, run
from core.bayes.answer import bayes_answer
from core.bayes.by_family import by_family
from core.bayes.kernel import exact_kernel
from core.bayes.prior import edited_prior, log_factors, mixture_prior, unknown_tasks
from core.errors import InvalidValue
from core.mixture.mixture import Mixture, load_mixture
from core.models import LanguageModel
from core.pipeline.bayes import with_prior

PAIRS = [("lion", "lion"), ("orange", "orange"), ("cat", "chat")]
SHOWN = tuple(Demonstration(input=x, label=y) for x, y in PAIRS)
LABELS = ("cheval", "horse", "horses", "blick")
PRIOR = (TaskPrior(task="copy", weight=0.4), TaskPrior(task="French", weight=0.001), TaskPrior(task="plural", weight=0))
MIXTURE = load_mixture()


def rebuilt(prior: tuple[TaskPrior, ...]) -> Mixture:
    """The oracle: a mixture whose latents have the other prior from the start."""
    other = copy(MIXTURE)
    weights = np.exp(MIXTURE.log_prior)
    for entry in prior:
        inside = MIXTURE.family_of == MIXTURE.families.index(entry.task)
        weights[inside] *= entry.weight / weights[inside].sum()
    with np.errstate(divide="ignore"):
        other.log_prior = np.log(weights / weights.sum())
    return other


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


@pytest.mark.parametrize("instruction", ["", "Give the plural."])
@pytest.mark.parametrize("prior", [PRIOR, PRIOR[:1], (TaskPrior(task="nouns: codebook", weight=0.5),)])
def test_an_edited_prior_is_a_mixture_with_that_prior(prior: tuple[TaskPrior, ...], instruction: str) -> None:
    said = by_family(MIXTURE, PAIRS, "horse", LABELS, instruction)
    factors = log_factors(MIXTURE, prior)
    weights, other = said.posterior(factors), rebuilt(prior)
    expected, evidence = other.posterior(PAIRS, instruction)
    np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(said.log_evidence(factors), evidence, atol=1e-9)
    predictive = other.predictive(PAIRS, "horse", LABELS, instruction)
    np.testing.assert_allclose(said.shares(weights).sum(1), predictive, rtol=1e-7)


def test_the_mixtures_own_prior_changes_nothing() -> None:
    said = by_family(MIXTURE, PAIRS, "horse", LABELS)
    none = log_factors(MIXTURE, ())
    np.testing.assert_allclose(none, 0.0, atol=1e-12)
    weights, evidence = MIXTURE.posterior(PAIRS)
    np.testing.assert_allclose(said.posterior(none), weights, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(said.log_evidence(none), evidence, atol=1e-9)
    np.testing.assert_allclose(
        said.shares(weights).sum(1), MIXTURE.predictive(PAIRS, "horse", LABELS), rtol=1e-7, atol=1e-12
    )


def test_posterior_moves_by_the_ratio_of_priors() -> None:
    """P'(T|D_n) ∝ P(T|D_n) π'_T/π_T by hand."""
    before, _ = MIXTURE.posterior(PAIRS)
    by_hand = before * edited_prior(MIXTURE, PRIOR) / mixture_prior(MIXTURE)
    by_hand /= by_hand.sum(1, keepdims=True)
    after = by_family(MIXTURE, PAIRS, "horse", LABELS).posterior(log_factors(MIXTURE, PRIOR))
    np.testing.assert_allclose(after, by_hand, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("scoring", ["direct", "channel"])
def test_editing_equals_a_rerun_with_that_prior(model: LanguageModel, scoring: str) -> None:
    study = Study(demonstrations=SHOWN, query="horse", scoring=scoring)
    edited = with_prior(run(study, model), model, PRIOR)
    again = run(study.model_copy(update={"prior": PRIOR}), model)
    assert edited.study == again.study
    assert edited.notes == again.notes
    assert any("prior of your own" in note for note in again.notes)
    for kind, posterior in again.posteriors.items():
        np.testing.assert_allclose(edited.posteriors[kind].weights, posterior.weights, atol=1e-12)
    assert edited.bayes is not None
    assert again.bayes is not None
    np.testing.assert_allclose(edited.bayes.probabilities, again.bayes.probabilities, atol=1e-12)
    np.testing.assert_allclose(edited.kernels["exact"].raw, again.kernels["exact"].raw, atol=1e-12)
    back = with_prior(edited, model, ())
    np.testing.assert_allclose(back.posteriors["exact"].weights, run(study, model).posteriors["exact"].weights)
    assert back.notes == run(study, model).notes


def test_the_channel_reads_the_prior_too(model: LanguageModel) -> None:
    study = Study(demonstrations=SHOWN, query="horse", scoring="channel", prior=PRIOR)
    found = bayes_answer(study, model, SHOWN, LABELS)
    assert found is not None
    np.testing.assert_allclose(found.scores, rebuilt(PRIOR).channel(PAIRS, "horse", LABELS), rtol=1e-9)


def test_the_exact_kernel_reads_the_prior_too(model: LanguageModel) -> None:
    prior = (TaskPrior(task="category", weight=0.0),)
    shown, pairs = (Demonstration(input="lion", label="animal"),), [("lion", "animal")]
    found = run(Study(demonstrations=shown, query="horse", prior=prior), model).kernels["exact"].raw
    np.testing.assert_allclose(found, exact_kernel(rebuilt(prior), pairs, "horse"), rtol=1e-9)
    assert not np.allclose(found, exact_kernel(MIXTURE, pairs, "horse"), rtol=1e-3)


def test_the_implicit_posterior_is_the_models_own_affair(model: LanguageModel) -> None:
    study = Study(demonstrations=SHOWN, query="horse")
    plain, edited = run(study, model), run(study.model_copy(update={"prior": PRIOR}), model)
    np.testing.assert_array_equal(plain.posteriors["implicit"].weights, edited.posteriors["implicit"].weights)
    np.testing.assert_array_equal(plain.answer.probabilities, edited.answer.probabilities)


def test_a_small_weight_rules_nothing_out() -> None:
    """Beside the largest weight the smallest once became zero, which means that the task cannot be."""
    prior = (TaskPrior(task=MIXTURE.families[0], weight=1e12), TaskPrior(task=MIXTURE.families[1], weight=5e-324))
    found = log_factors(MIXTURE, prior)
    expected = np.log(5e-324) - np.log(1e12) - np.log(mixture_prior(MIXTURE)[1])
    assert found[1] == pytest.approx(expected, rel=1e-9)


def test_what_a_prior_cannot_be(model: LanguageModel) -> None:
    for weight in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidValue):
            TaskPrior(task="copy", weight=weight)
    with pytest.raises(InvalidValue, match="one prior"):
        Study(prior=(PRIOR[0], PRIOR[0]))
    nothing = tuple(TaskPrior(task=name, weight=0) for name in MIXTURE.families)
    with pytest.raises(StudyError, match="rules every task out"):
        run(Study(demonstrations=SHOWN, query="horse", prior=nothing), model)


def test_a_task_that_the_mixture_lacks_is_left_out_and_named(model: LanguageModel) -> None:
    stale = (TaskPrior(task="Klingon", weight=5.0),)
    assert unknown_tasks(MIXTURE, stale) == ("Klingon",)
    outcome = run(Study(demonstrations=SHOWN, query="horse", prior=stale), model)
    assert any("Klingon" in note for note in outcome.notes)
    np.testing.assert_allclose(outcome.posteriors["exact"].weights, MIXTURE.posterior(PAIRS)[0], rtol=1e-9, atol=1e-300)


def test_a_prior_survives_json() -> None:
    study = Study(prior=PRIOR)
    assert Study.model_validate_json(study.model_dump_json()) == study
    assert hash(study) == hash(Study(prior=PRIOR))
