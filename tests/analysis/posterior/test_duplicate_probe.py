"""The duplicate probe by plain recomputation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import Demonstration, Hypothesis, Outcome, PromptTooLong, Study, StudyError, load_model, run
from core.analysis.posterior.duplicate_probe import DuplicateProbe, doubled, duplicate_probe, effective_count
from core.models import LanguageModel
from core.scoring.together import score
from tests.tiny import REVIEWS, tiny

SHOWN = tuple(Demonstration(input=x, label=y) for x, y in [("lion", "lion"), ("cat", "chat"), ("melon", "melon")])
STUDY = Study(demonstrations=SHOWN, query="horse", ordering="random", ordering_seed=4)


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


@pytest.fixture(scope="module")
def outcome(model: LanguageModel) -> Outcome:
    return run(STUDY, model)


@pytest.mark.parametrize("which", [None, 0, 2])
def test_everything_is_what_a_new_prompt_gives(model: LanguageModel, outcome: Outcome, which: int | None) -> None:
    probe = duplicate_probe(STUDY, model, outcome, which)
    shown = list(outcome.demonstrations)
    twice = shown + shown if which is None else [*shown[: which + 1], shown[which], *shown[which + 1 :]]
    labels = outcome.answer.labels
    np.testing.assert_allclose(probe.after, score(STUDY, model, twice, labels).probabilities, atol=1e-6)
    np.testing.assert_array_equal(probe.before, outcome.answer.probabilities)
    assert model.mixture is not None
    pairs = [(d.input, d.label) for d in twice]
    exact = probe.posteriors["exact"]
    np.testing.assert_allclose(exact.after, model.mixture.posterior(pairs)[0][-1])
    predictive = model.mixture.predictive(pairs, "horse", labels)[-1]
    np.testing.assert_allclose(probe.bayes_after, predictive / predictive.sum())
    change = probe.after - probe.before
    assert probe.moved == pytest.approx(0.5 * sum(abs(change)))
    bayes = probe.bayes_change()
    assert bayes is not None
    assert probe.distance(bayes) == pytest.approx(0.5 * sum(abs(change - (probe.bayes_after - probe.bayes_before))))


def test_a_kernel_says_that_a_doubled_set_changes_nothing(model: LanguageModel, outcome: Outcome) -> None:
    probe = duplicate_probe(STUDY, model, outcome)
    for name, kernel in probe.kernels.items():
        np.testing.assert_allclose(kernel.predicted, kernel.answer, atol=1e-12)
        np.testing.assert_allclose(probe.kernel_change(name), 0.0, atol=1e-12)
        assert probe.distance(probe.kernel_change(name)) == pytest.approx(probe.moved)
    hidden = probe.kernels["hidden"]  # of texts read alone: copies have just the same K
    np.testing.assert_allclose(hidden.after, hidden.before, atol=1e-5)
    np.testing.assert_allclose(hidden.measured, hidden.answer, atol=1e-5)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_one_doubled_demonstration_by_kernel_regression_written_out(
    model: LanguageModel, outcome: Outcome, which: int
) -> None:
    probe = duplicate_probe(STUDY, model, outcome, which)
    labels = outcome.answer.labels
    for name, kernel in outcome.kernels.items():
        mass, total = dict.fromkeys(labels, 0.0), 0.0
        for i, row in enumerate(outcome.demonstrations):
            for _ in range(2 if i == which else 1):
                mass[row.label] += float(kernel.raw[i])
                total += float(kernel.raw[i])
        by_hand = [mass[label] / total for label in labels]
        np.testing.assert_allclose(probe.kernels[name].predicted, by_hand, atol=1e-9)
    assert probe.times == tuple(2 if i == which else 1 for i in range(3))


def test_bayes_counts_a_set_twice() -> None:
    """Hypotheses that read each label alone give a copy just the evidence of the original."""
    model = tiny("gpt2")
    hypotheses = tuple(Hypothesis(name=word, instruction=word) for word in ("good", "bad film", "the house"))
    study = Study(query="film", demonstrations=REVIEWS, hypotheses=hypotheses, posteriors=("instruction",))
    probe = duplicate_probe(study, model, run(study, model)).posteriors["instruction"]
    assert probe.counts == pytest.approx(2.0, abs=0.011)
    chained = study.model_copy(update={"chained": True})
    assert duplicate_probe(chained, model, run(chained, model)).posteriors["instruction"].counts != probe.counts


@given(st.integers(0, 5_000), st.floats(0.2, 3.5))
@example(708, 3.5)  # one task holds all but a hundred-thousandth
def test_effective_count_finds_what_was_planted(seed: int, count: float) -> None:
    rng = np.random.default_rng(seed)
    prior, evidence = rng.dirichlet(np.full(5, 3.0)), rng.normal(0, 1.0, 5)
    before = prior * np.exp(evidence)
    after = prior * np.exp(count * evidence)
    found = effective_count(before / before.sum(), after / after.sum(), evidence + 7.0)
    assert np.isnan(found) or found == pytest.approx(count, abs=0.02)


def test_nothing_can_be_read_off_a_posterior_that_cannot_sharpen() -> None:
    sure = np.array([1 - 1e-9, 1e-9])
    assert np.isnan(effective_count(sure, sure, np.array([20.0, 0.0])))
    assert np.isnan(effective_count(np.array([0.5, 0.5]), np.array([0.4, 0.6]), np.zeros(2)))


def test_which_one_is_followed() -> None:
    def probe(after: list[float], bayes: list[float] | None) -> DuplicateProbe:
        from core.analysis.posterior.duplicate_probe import KernelTwice

        half = np.array([0.5, 0.5])
        kernel = KernelTwice("k", half, half, half, half, half)
        new = None if bayes is None else np.array(bayes)
        old = None if bayes is None else half
        return DuplicateProbe(None, (2, 2), ("a", "b"), half, np.array(after), old, new, {"k": kernel}, {})

    assert probe([0.52, 0.48], [0.9, 0.1]).follows("k") == "kernel"
    assert probe([0.85, 0.15], [0.9, 0.1]).follows("k") == "posterior"
    assert probe([0.52, 0.48], [0.505, 0.495]).follows("k") == "neither can be told"
    assert probe([0.52, 0.48], None).follows("k") == ""
    assert probe([0.52, 0.48], None).bayes_change() is None


def test_places_of_copies() -> None:
    assert doubled(3, None) == [0, 1, 2, 0, 1, 2]
    assert doubled(3, 1) == [0, 1, 1, 2]
    assert doubled(1, 0) == [0, 0]


def test_a_model_from_elsewhere_is_held_against_written_hypotheses() -> None:
    model = tiny("gpt2")
    hypotheses = (Hypothesis(name="a", instruction="good"), Hypothesis(name="b", instruction="bad"))
    study = Study(query="film", demonstrations=REVIEWS[:2], hypotheses=hypotheses, posteriors=("instruction",))
    probe = duplicate_probe(study, model, run(study, model))
    assert set(probe.posteriors) == {"instruction"}
    assert probe.bayes_after is not None
    assert probe.bayes_after.sum() == pytest.approx(1)
    bare = study.model_copy(update={"hypotheses": ()})
    assert duplicate_probe(bare, model, run(bare, model)).bayes_after is None


def test_what_cannot_be_doubled_is_said(model: LanguageModel, outcome: Outcome) -> None:
    empty = STUDY.model_copy(update={"demonstrations": ()})
    with pytest.raises(StudyError, match="no demonstration to double"):
        duplicate_probe(empty, model, run(empty, model))
    with pytest.raises(StudyError, match="place 4"):
        duplicate_probe(STUDY, model, outcome, 3)
    long = STUDY.model_copy(update={"demonstrations": SHOWN * 30})
    with pytest.raises(PromptTooLong):
        duplicate_probe(long, model, run(long, model))
