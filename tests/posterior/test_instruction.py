"""The instruction posterior against plain loops over a model, and Bayes against docs/methods.md §9."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import Cancelled, PromptTooLong
from core.models import LanguageModel, load_model
from core.posterior.instruction import bayes
from core.study.demonstrations import Demonstration
from core.study.prompts import EQUALS, render
from core.study.study import Hypothesis, ModelChoice, Study
from tests.asked import instruction, posteriors_of
from tests.models.checkpoints import write_tiny

SHOWN = (
    Demonstration(input="very good film", label="positive"),
    Demonstration(input="bad plot", label="negative"),
    Demonstration(input="good", label="positive"),
)
LABELS = ("positive", "negative", "neg")
HYPOTHESES = (
    Hypothesis(name="feeling", instruction="Name the feeling.", prior=3.0),
    Hypothesis(name="flipped", instruction="Name the opposite of the feeling."),
    Hypothesis(name="nothing", instruction=""),
)


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return load_model(ModelChoice(name=str(folder)))


@cache
def transformers_pair(folder: Path) -> tuple[Any, Any]:
    return AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)


def log_p(folder: Path, context: str, label: str) -> float:
    """log p(label | context) by one forward pass of transformers over the whole text."""
    tokenizer, reference = transformers_pair(folder)
    encoded = tokenizer(context + label, return_tensors="pt", return_offsets_mapping=True)
    with torch.no_grad():
        logs = torch.log_softmax(reference(input_ids=encoded["input_ids"]).logits[0], dim=-1)
    ids, spans = encoded["input_ids"][0], encoded["offset_mapping"][0]
    return sum(float(logs[t - 1, ids[t]]) for t in range(1, len(ids)) if int(spans[t][1]) > len(context))


@pytest.mark.parametrize("chained", [False, True])
def test_posterior_is_the_plain_loop(folder: Path, model: LanguageModel, chained: bool) -> None:
    study = Study(query="fine", hypotheses=HYPOTHESES, chained=chained, instruction="not read", template=EQUALS)
    found = instruction(study, model, SHOWN, LABELS)
    prior = np.array([3.0, 1.0, 1.0]) / 5

    def chance(t: int, before: tuple[Demonstration, ...], x: str, y: str) -> float:
        text = render(before if chained else (), x, EQUALS, HYPOTHESES[t].instruction).text
        return float(np.exp(log_p(folder, text, f" {y}")))

    for n in range(len(SHOWN) + 1):
        mass, answers = prior.copy(), np.zeros((3, 3))
        for t in range(3):
            for i in range(n):
                mass[t] *= chance(t, SHOWN[:i], SHOWN[i].input, SHOWN[i].label)
            answers[t] = [chance(t, SHOWN[:n], "fine", y) for y in LABELS]
        np.testing.assert_allclose(found.weights[n], mass / mass.sum(), rtol=1e-3, atol=1e-9)
        assert found.log_evidence is not None
        assert found.predictive is not None
        assert found.log_evidence[n] == pytest.approx(np.log(mass.sum()), abs=1e-3)
        np.testing.assert_allclose(found.predictive[n], mass / mass.sum() @ answers, rtol=1e-3)
    assert found.tasks == ("feeling", "flipped", "nothing")
    assert bool(found.note) == chained


def test_independent_does_not_see_the_order_and_chained_does(model: LanguageModel) -> None:
    for chained in (False, True):
        study = Study(query="fine", hypotheses=HYPOTHESES, chained=chained)
        there = instruction(study, model, SHOWN, LABELS).weights[-1]
        back = instruction(study, model, SHOWN[::-1], LABELS).weights[-1]
        assert np.allclose(there, back, atol=1e-5) != chained


def test_no_demonstrations_is_the_prior(model: LanguageModel) -> None:
    found = instruction(Study(query="fine", hypotheses=HYPOTHESES), model, (), LABELS)
    np.testing.assert_allclose(found.weights, [[0.6, 0.2, 0.2]])
    np.testing.assert_allclose(found.log_evidence, [0.0], atol=1e-12)


@pytest.mark.parametrize("weight", [1e308, 1e12, 5e-324])
def test_priors_of_any_size_are_their_ratio(model: LanguageModel, weight: float) -> None:
    """Two of 1e308 once added up to infinity, and the posterior stayed at one half."""

    def weights(own: float) -> np.ndarray:
        hypotheses = tuple(one.model_copy(update={"prior": own}) for one in HYPOTHESES[:2])
        return instruction(Study(query="fine", hypotheses=hypotheses), model, SHOWN, LABELS).weights

    np.testing.assert_allclose(weights(weight), weights(1.0), rtol=1e-12)
    assert abs(weights(weight)[-1, 0] - 0.5) > 1e-6


def test_asked_for_and_possible(model: LanguageModel) -> None:
    every = Study(query="fine", posteriors=("exact", "implicit", "instruction"))
    assert posteriors_of(every, model, SHOWN, LABELS) == {}
    with_words = every.model_copy(update={"hypotheses": HYPOTHESES})
    assert set(posteriors_of(with_words, model, SHOWN, LABELS)) == {"instruction"}
    unasked = Study(query="fine", hypotheses=HYPOTHESES)
    assert posteriors_of(unasked, model, SHOWN, LABELS) == {}


def test_a_hypothesis_too_long_and_a_stop_are_said(model: LanguageModel) -> None:
    long = (Hypothesis(name="long", instruction="word " * 400),)
    with pytest.raises(PromptTooLong):
        instruction(Study(query="fine", hypotheses=long), model, SHOWN, LABELS)
    with pytest.raises(Cancelled):
        instruction(Study(query="fine", hypotheses=HYPOTHESES), model, SHOWN, LABELS, stop=lambda: True)


@pytest.mark.parametrize(
    ("symbols", "expected"), [([0, 0], 0.9), ([0, 0, 1], 0.5), ([0, 1, 1, 1], 0.9)], ids=["00", "001", "0111"]
)
def test_bayes_on_two_hidden_markov_models(symbols: list[int], expected: float) -> None:
    """docs/methods.md §9: A=[[.9,.1],[.1,.9]], B=[[.1,.9],[.9,.1]], uniform start, identity emission."""
    chains = np.array([[[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]]])
    steps = [[0.5, 0.5]] + [[chain[a, b] for chain in chains] for a, b in pairwise(symbols)]
    weights, evidence = bayes(np.log([0.5, 0.5]), np.log(np.array(steps)).T)
    assert weights[-1, 0] == pytest.approx(expected)
    by_hand = [np.prod([0.5] + [chain[a, b] for a, b in pairwise(symbols)]) for chain in chains]
    assert evidence[-1] == pytest.approx(np.log(0.5 * sum(by_hand)))


@given(seed=st.integers(0, 9999), tasks=st.integers(1, 6), k=st.integers(0, 8))
def test_bayes_is_the_product(seed: int, tasks: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    prior, likelihood = rng.dirichlet(np.ones(tasks)), rng.random((tasks, k))
    weights, evidence = bayes(np.log(prior), np.log(likelihood))
    for n in range(k + 1):
        mass = prior * likelihood[:, :n].prod(1)
        np.testing.assert_allclose(weights[n], mass / mass.sum())
        assert evidence[n] == pytest.approx(np.log(mass.sum()))


def test_bayes_of_the_impossible() -> None:
    weights, evidence = bayes(np.log([0.5, 0.5]), np.array([[0.0, -np.inf, 0.0], [-np.inf, 0.0, 0.0]]))
    np.testing.assert_allclose(weights, [[0.5, 0.5], [1, 0], [1, 0], [1, 0]])
    assert evidence.tolist()[2:] == [-np.inf, -np.inf]
