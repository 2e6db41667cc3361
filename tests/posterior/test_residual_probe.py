"""The linear probe: places and states against transformers' own, the fit against what it must find, the file."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.embedded_open import question_of
from core import Demonstration, load_model
from core.bayes.beliefs import beliefs_at_inputs
from core.mixture.documents import draw_document
from core.models import LanguageModel
from core.models.embedded import EMBEDDED
from core.posterior.fit_residual_probe import draw_states, fit
from core.posterior.openness import NAMES
from core.posterior.residual_probe import (
    FILE,
    ResidualProbe,
    answer_places,
    layer_beliefs,
    load_probe,
    probe_of,
)
from core.statistics.distributions import entropy, softmax
from core.statistics.divergences import total_variation
from core.study.prompts import TEMPLATES, Template, render
from core.study.question import Question
from tests.tiny import folder


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")


def question(seed: int, template: Template | None = None, k: int = 4) -> Question:
    mixture = load_model("embedded").mixture
    assert mixture is not None
    document = draw_document(mixture, random.Random(seed), count=k + 1, reversed_share=0.0, template=template)
    return question_of(document, k)


def made(model: LanguageModel, seed: int = 0) -> ResidualProbe:
    """A probe of this model with random weights."""
    assert model.mixture is not None
    rng, size = np.random.default_rng(seed), len(model.mixture.families)
    return ResidualProbe(
        rng.normal(size=(model.layers + 1, 192, size)).astype(np.float16).astype(float),
        rng.normal(size=(model.layers + 1, size)).astype(np.float16).astype(float),
        tuple(model.mixture.families),
        model.fingerprint,
        rng.random((model.layers + 1, len(NAMES))),
        np.arange(1, len(NAMES) + 1, dtype=np.int64),
        7,
    )


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_place_has_read_what_stands_before_its_label_and_no_more(model: LanguageModel, template: Template) -> None:
    """Against the prompts of fewer demonstrations, each alone: the same tokens, and the same streams."""
    asked = question(3, template)
    prompt = asked.bare
    whole = model.read(prompt.text, hidden=True)
    places = answer_places(whole, prompt)
    assert len(places) == 5
    assert whole.hidden is not None
    inputs = [*(row.input for row in asked.shown), asked.query]
    for n, place in enumerate(places):
        shorter = render(asked.shown[:n], inputs[n], template, asked.study.instruction)
        alone = model.read(shorter.text, hidden=True)
        assert alone.ids == whole.ids[: place + 1]
        assert alone.hidden is not None
        np.testing.assert_allclose(alone.hidden[:, -1], whole.hidden[:, place], atol=2e-4)


def test_streams_are_transformers_own(model: LanguageModel) -> None:
    """`output_hidden_states` of the plain checkpoint, and the padded batches of the fit."""
    assert model.mixture is not None
    plain = AutoModelForCausalLM.from_pretrained(EMBEDDED, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    states = draw_states(model, model.mixture, 5, seed=1)
    rng = random.Random("residual probe/1")
    for number in range(5):
        document = draw_document(model.mixture, rng, count=7, reversed_share=0.0)
        *pairs, (query, _) = document.pairs
        rows = [Demonstration(input=x, label=y) for x, y in pairs]
        prompt = render(rows, query, document.template, document.instruction)
        with torch.no_grad():
            found = plain(**tokenizer(prompt.text, return_tensors="pt"), output_hidden_states=True).hidden_states
        ours = states.hidden[states.document == number]
        assert ours.shape == (7, model.layers + 1, 192)
        theirs = torch.stack(found)[:, 0]  # (L + 1, t, d)
        np.testing.assert_allclose(ours[-1], theirs[:, -1].numpy(), atol=2e-4)
        places = answer_places(model.encode(prompt.text), prompt)
        np.testing.assert_allclose(ours, theirs[:, places].numpy().swapaxes(0, 1), atol=2e-4)
        exact = beliefs_at_inputs(model.mixture, pairs, query, document.instruction)
        np.testing.assert_allclose(states.exact[states.document == number], exact, atol=1e-6)


def test_a_fit_finds_the_map_that_made_the_beliefs() -> None:
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(3_000, 12)).astype(np.float32) * np.linspace(0.1, 5, 12, dtype=np.float32) + 3
    weights, bias = rng.normal(size=(12, 4)) * 0.3, rng.normal(size=4)
    exact = softmax(hidden @ weights + bias)
    found, free = fit(hidden, exact.astype(np.float32), ridge=1e-7)
    fresh = rng.normal(size=(500, 12)) * np.linspace(0.1, 5, 12) + 3
    distance = total_variation(softmax(fresh @ found + free), softmax(fresh @ weights + bias))
    assert distance.mean() < 0.01


def test_a_fit_on_nothing_but_noise_gives_the_mean() -> None:
    rng = np.random.default_rng(1)
    hidden, exact = rng.normal(size=(4_000, 3)).astype(np.float32), rng.dirichlet(np.ones(5), 4_000)
    weights, bias = fit(hidden, exact.astype(np.float32), ridge=1e-2)
    said = softmax(hidden.astype(float) @ weights + bias)
    np.testing.assert_allclose(said.mean(0), exact.mean(0), atol=0.01)
    assert said.std(0).max() < 0.02


def test_the_file_keeps_it(model: LanguageModel, tmp_path: Path) -> None:
    probe, path = made(model), tmp_path / "probe.npz"
    probe.save(path)
    back = load_probe(path)
    assert back is not None
    np.testing.assert_allclose(back.weights, probe.weights)
    np.testing.assert_allclose(back.errors, probe.errors)
    assert (back.tasks, back.fingerprint, back.documents) == (probe.tasks, probe.fingerprint, 7)
    assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize("content", [None, b"", b"not an archive"])
def test_a_file_that_is_missing_or_broken_is_no_probe(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "probe.npz"
    if content is not None:
        path.write_bytes(content)
    assert load_probe(path) is None


def test_a_probe_of_other_weights_or_tasks_is_none(model: LanguageModel, tmp_path: Path) -> None:
    path = tmp_path / "probe.npz"
    made(model).save(path)
    assert probe_of(model, path) is not None
    replace(made(model), fingerprint="0" * 12).save(path)
    assert probe_of(model, path) is None
    replace(made(model), tasks=("a", *made(model).tasks[1:])).save(path)
    assert probe_of(model, path) is None


def test_a_model_without_a_mixture_has_none() -> None:
    assert probe_of(load_model(str(folder("gpt2")))) is None


def test_beliefs_along_a_prompt_are_those_of_its_beginnings(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "probe.npz"
    made(model).save(path)
    monkeypatch.setattr("core.posterior.residual_probe.probe_of", lambda model: load_probe(path))
    asked = question(5)
    found = layer_beliefs(asked, model)
    assert found is not None
    assert found.layers.shape == (5, model.layers + 1, len(found.tasks))
    np.testing.assert_allclose(found.layers.sum(-1), 1.0)
    np.testing.assert_allclose(found.exact.sum(-1), 1.0)
    shorter = asked.study.model_copy(update={"query": asked.shown[2].input})
    first = layer_beliefs(Question.of(shorter, asked.shown[:2], ()), model)
    assert first is not None
    np.testing.assert_allclose(found.layers[:3], first.layers, atol=1e-3)
    np.testing.assert_allclose(found.exact[:3], first.exact)


def test_the_committed_probe_errs_as_it_says(model: LanguageModel) -> None:
    """On documents of another seed, within sampling error, where the file is of these weights."""
    assert model.mixture is not None
    probe = probe_of(model)
    if probe is None:
        pytest.skip("the checkpoint comes without a probe of its weights")
    states = draw_states(model, model.mixture, 150, seed=99)
    distance = total_variation(probe.read(states.hidden.astype(np.float64)), states.exact[:, None].astype(np.float64))
    spread = distance.std(0) / np.sqrt(150)  # of documents, whose states hang together
    assert (np.abs(distance.mean(0) - probe.overall) < 5 * spread + 0.02).all()
    open_by = entropy(states.exact.astype(np.float64))
    assert distance[open_by < 0.05, -1].mean() < distance[open_by > 0.3, -1].mean()
    assert FILE.stat().st_size < 1_000_000
