"""The predictive task by task: it sums to what `run` says, and every cell is a plain product."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core import Demonstration, Hypothesis, Study, load_model
from core.analysis.posterior.task_mixture import OTHER, task_mixture
from core.models import LanguageModel
from core.scoring.direct import score as direct
from core.study.prompts import render
from tests.asked import posteriors_of
from tests.tiny import plain_logprobs, tiny

PAIRS = [("lion", "lion"), ("cat", "chat"), ("bread", "pain")]
SHOWN = tuple(Demonstration(input=x, label=y) for x, y in PAIRS)
LABELS = ("cheval", "horse", "horses")
STUDY = Study(demonstrations=SHOWN, query="horse")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model()


def test_shares_add_up_to_the_posteriors_own_predictive(model: LanguageModel) -> None:
    posteriors = posteriors_of(STUDY, model, SHOWN, LABELS)
    found = task_mixture(STUDY, model, SHOWN, LABELS, posteriors)
    assert found.labels == (*LABELS, OTHER)
    for kind, tolerance in (("exact", 1e-9), ("implicit", 5e-3)):
        one, own = found.explanations[kind], posteriors[kind].predictive
        assert own is not None
        np.testing.assert_allclose(one.predictive[:, :-1], own, atol=tolerance)
        np.testing.assert_allclose(one.shares.sum((1, 2)), 1.0)
        for n in range(len(SHOWN) + 1):
            p = one.shares[n].sum(0)
            residual = sum(q * math.log(q / r) for q, r in zip(found.own[n], p, strict=True) if q > 0)
            assert one.residual[n] == pytest.approx(residual, abs=1e-3)
            assert one.distance[n] == pytest.approx(0.5 * sum(abs(found.own[n] - p)))


def test_each_share_is_weight_times_answer(model: LanguageModel) -> None:
    """By brute force over the latents of a family, after every demonstration."""
    mixture = model.mixture
    assert mixture is not None
    posteriors = posteriors_of(STUDY, model, SHOWN, LABELS)
    shares = task_mixture(STUDY, model, SHOWN, LABELS, posteriors).explanations["exact"].shares
    for n in range(len(PAIRS) + 1):
        states = mixture.states_after(PAIRS[:n])
        joint = np.exp(mixture.log_joint(PAIRS[:n])[-1] + mixture.log_inputs("horse", states))
        answers = mixture.label_probabilities("horse", LABELS, states)
        for name in ("French", "copy", "living (flipped)", "nouns: codebook"):
            inside = np.flatnonzero(mixture.family_of == mixture.families.index(name))
            for j in range(len(LABELS)):
                by_hand = sum(joint[t] * answers[t, j] for t in inside) / sum(joint)
                assert shares[n, mixture.families.index(name), j] == pytest.approx(by_hand, rel=1e-7, abs=1e-300)


def test_the_models_own_answers_are_the_direct_scorers(model: LanguageModel) -> None:
    found = task_mixture(STUDY, model, SHOWN, LABELS, {})
    assert found.explanations == {}
    for n in range(len(SHOWN) + 1):
        answer = direct(STUDY, model, SHOWN[:n], LABELS, None)
        np.testing.assert_allclose(found.own[n, :-1], np.exp(answer.scores), atol=1e-5)
        assert found.own[n, -1] == pytest.approx(answer.outside, abs=1e-5)


HYPOTHESES = (
    Hypothesis(name="feeling", instruction="Name the feeling.", prior=3.0),
    Hypothesis(name="animals", instruction="Say it.", words=(("positive", "dog"), ("negative", "bird"))),
)
REVIEWS = (
    Demonstration(input="very good film", label="positive"),
    Demonstration(input="bad plot", label="negative"),
)


@pytest.mark.parametrize("chained", [False, True])
def test_hypotheses_answer_in_their_own_words(chained: bool) -> None:
    model, labels = tiny("gpt2"), ("positive", "negative")
    study = Study(query="good", hypotheses=HYPOTHESES, chained=chained, posteriors=("instruction",))
    posteriors = posteriors_of(study, model, REVIEWS, labels)
    written = posteriors["instruction"]
    words = [{}, {"positive": "dog", "negative": "bird"}]

    def p(t: int, before: tuple[Demonstration, ...], x: str, y: str) -> float:
        read = [row.model_copy(update={"label": words[t].get(row.label, row.label)}) for row in before]
        prompt = render(read, x, study.template, HYPOTHESES[t].instruction)
        return math.exp(plain_logprobs("gpt2", prompt.text, prompt.gap + words[t].get(y, y)).sum())

    mass = np.array([0.75, 0.25])
    for n in range(3):
        np.testing.assert_allclose(written.weights[n], mass / mass.sum(), rtol=1e-3)
        before = REVIEWS[:n] if chained else ()
        answers = np.array([[p(t, before, "good", y) for y in labels] for t in range(2)])
        assert written.predictive is not None
        np.testing.assert_allclose(written.predictive[n], mass / mass.sum() @ answers, rtol=1e-3)
        found = task_mixture(study, model, REVIEWS, labels, posteriors).explanations["instruction"]
        np.testing.assert_allclose(found.shares[n, :, :2], (mass / mass.sum())[:, None] * answers, rtol=1e-3)
        if n < 2:
            before = REVIEWS[:n] if chained else ()
            mass = mass * [p(t, before, REVIEWS[n].input, REVIEWS[n].label) for t in range(2)]


@pytest.mark.parametrize("words", [(("a", "x"), ("a", "y")), (("a", "x"), ("b", "x")), (("a", " "),)])
def test_label_words_that_cannot_be(words: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match="word"):
        Hypothesis(name="t", instruction="i", words=words)
