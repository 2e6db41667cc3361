"""Kernels against transformers alone, plain loops and scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity, rbf_kernel

from core.kernels import KernelContext, kernels
from core.models import LanguageModel, load_model
from core.study.demonstrations import Demonstration
from core.study.prompts import render
from core.study.study import ModelChoice, Study
from tests.models import plain
from tests.models.checkpoints import write_tiny

Floats = NDArray[np.float64]
SHOWN = (
    Demonstration(input="the film was good", label="positive"),
    Demonstration(input="a very bad plot", label="negative"),
    Demonstration(input="what a bird", label="positive"),
)
QUERIES = ("the house of the dog", "a good plot")


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return load_model(ModelChoice(name=str(folder)))


def weigh(model: LanguageModel, name: str, study: Study) -> Floats:
    return kernels.find(name).function(study, KernelContext(study, model, SHOWN, QUERIES)).raw


@pytest.mark.parametrize("span", ["demonstration", "label"])
@pytest.mark.parametrize("pooling", ["max", "sum"])
@pytest.mark.parametrize("heads", [(), ((1, 2),), ((0, 0), (2, 3))])
def test_attention_is_the_models_own_eager_attention(
    folder: Path, model: LanguageModel, span: str, pooling: str, heads: tuple[tuple[int, int], ...]
) -> None:
    study = Study(query="x", heads=heads, span=span, pooling=pooling)  # type: ignore[arg-type]
    found = weigh(model, "attention", study)
    _, tokenizer = plain.load(folder)
    used = heads or [(layer, head) for layer in range(model.layers) for head in range(model.heads)]
    for q, query in enumerate(QUERIES):
        prompt = render(SHOWN, query)
        maps = plain.read(folder, prompt.text).attentions
        offsets = tokenizer(prompt.text, return_offsets_mapping=True)["offset_mapping"]
        for i in range(len(SHOWN)):
            kinds = {"label"} if span == "label" else {"prefix", "input", "separator", "label", "end"}
            parts = [part for part in prompt.parts if part.demonstration == i and part.kind in kinds]
            tokens = [t for t, (_, end) in enumerate(offsets) if any(p.start < end <= p.end for p in parts)]
            tokens = [t for t in tokens if t]  # the first token is the start token's or set apart
            pool = max if pooling == "max" else sum
            expected = np.mean([pool(float(maps[a][0, h, -1, t]) for t in tokens) for a, h in used])
            assert found[q, i] == pytest.approx(expected, abs=1e-5)


def test_prediction_is_the_product_of_two_softmaxes(folder: Path, model: LanguageModel) -> None:
    found = weigh(model, "prediction", Study(query="x", instruction="Read this."))
    network, tokenizer = plain.load(folder)

    def after(text: str) -> Floats:
        ids = tokenizer(render((), text).text)["input_ids"]
        with torch.no_grad():
            return network(torch.tensor([ids])).logits[0, -1].double().softmax(0).numpy()

    for q, query in enumerate(QUERIES):
        for i, row in enumerate(SHOWN):
            assert found[q, i] == pytest.approx(sum(after(query) * after(row.input)), rel=1e-4)


@pytest.mark.parametrize("bandwidth", [0.5, 1.0, 3.0])
def test_rbf_of_hidden_states_is_scikit_learns(folder: Path, model: LanguageModel, bandwidth: float) -> None:
    study = Study(query="dog", hidden_layer=2, similarity="rbf", bandwidth=bandwidth)
    found = weigh(model, "hidden", study)

    def state(text: str) -> Floats:
        return plain.alone(folder, text)[2].mean(0)

    inputs = np.array([state(row.input) for row in SHOWN])
    points = np.vstack([state("dog")[None], inputs])
    pairs = [np.linalg.norm(points[i] - points[j]) for i in range(4) for j in range(i)]
    sigma = bandwidth * np.median(pairs)
    expected = rbf_kernel(np.array([state(query) for query in QUERIES]), inputs, gamma=1 / (2 * sigma**2))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_words_are_scikit_learns(model: LanguageModel) -> None:
    pool = (Demonstration(input="dog or bird", label="positive"), Demonstration(input="", label="unfinished"))
    study = Study(query="the house", encoder="tfidf", pool=pool)
    found = weigh(model, "encoder", study)
    texts = ["dog or bird", "the house", *(row.input for row in SHOWN)]
    vectorizer = TfidfVectorizer(token_pattern=r"\w+|[^\w\s]").fit(texts)
    expected = cosine_similarity(vectorizer.transform(QUERIES), vectorizer.transform([row.input for row in SHOWN]))
    np.testing.assert_allclose(found, expected, atol=1e-9)
