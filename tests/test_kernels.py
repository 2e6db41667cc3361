"""Kernels against scikit-learn and plain loops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances, linear_kernel, rbf_kernel

from core.attention import read_attention
from core.demonstrations import Demonstration
from core.errors import StudyError
from core.kernels import SIMILARITIES, attention_weights, compute_kernels, cosine, rbf, regress
from core.models import LanguageModel, load_model
from core.prompts import render
from core.study import ModelChoice, Study
from tests.models.checkpoints import write_tiny

Floats = NDArray[np.float64]
SHOWN = (
    Demonstration(input="cat", label="animal"),
    Demonstration(input="house", label="thing"),
    Demonstration(input="a very good film", label="thing"),
    Demonstration(input="bird", label="animal"),
)
LABELS = ("animal", "thing", "plant")


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = write_tiny(request.param, tmp_path_factory.mktemp(request.param))
    return load_model(ModelChoice(name=str(folder)))


def states(seed: int, rows: int = 6, width: int = 5) -> Floats:
    return np.random.default_rng(seed).normal(size=(rows, width))


@given(seed=st.integers(0, 999), rows=st.integers(2, 9))
def test_similarities_are_sklearns(seed: int, rows: int) -> None:
    h = states(seed, rows)
    np.testing.assert_allclose(SIMILARITIES["cosine"](h), cosine_similarity(h[:1], h[1:])[0])
    np.testing.assert_allclose(SIMILARITIES["dot"](h), linear_kernel(h[:1], h[1:])[0])
    sigma = np.median([euclidean_distances(h)[i, j] for i in range(rows) for j in range(i + 1, rows)])
    np.testing.assert_allclose(SIMILARITIES["rbf"](h), rbf_kernel(h[:1], h[1:], gamma=1 / (2 * sigma**2))[0])


def test_similarities_where_states_are_equal_or_zero() -> None:
    same = np.ones((4, 3))
    np.testing.assert_allclose(rbf(same), 1.0)
    mostly = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [3.0, 4.0]])  # median 0, mean 2.5
    np.testing.assert_allclose(rbf(mostly), [1.0, 1.0, np.exp(-25 / (2 * 2.5**2))])
    np.testing.assert_allclose(cosine(np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])), [0.0, 1.0])
    for similarity in SIMILARITIES.values():
        assert similarity(np.ones((1, 3))).shape == (0,)


@given(
    raw=st.lists(st.floats(0, 5), min_size=1, max_size=8),
    seed=st.integers(0, 999),
)
def test_regression_is_the_formula(raw: list[float], seed: int) -> None:
    given_labels = list(np.random.default_rng(seed).choice([*LABELS, "elsewhere"], size=len(raw)))
    kernel = regress("k", "d", np.array(raw), given_labels, LABELS)
    total = sum(raw)
    for j, label in enumerate(LABELS):
        share = sum(w for w, y in zip(raw, given_labels, strict=True) if y == label) / total if total > 0 else 0.0
        assert kernel.predictive[j] == pytest.approx(share)
    if total > 0:
        assert kernel.normalised.sum() == pytest.approx(1.0)
    present = [y for y in LABELS if y in given_labels]
    if not present:
        assert kernel.best is None
    else:
        best = max(present, key=lambda y: kernel.predictive[LABELS.index(y)])
        assert kernel.best is not None
        assert kernel.predictive[LABELS.index(kernel.best)] == pytest.approx(kernel.predictive[LABELS.index(best)])


def test_ties_go_to_the_lowest_index() -> None:
    assert regress("k", "d", np.array([1.0, 1.0]), ["thing", "animal"], LABELS).best == "animal"
    assert regress("k", "d", np.array([0.0, 0.0]), ["plant", "thing"], LABELS).best == "thing"


def test_negative_weights_keep_their_order() -> None:
    kernel = regress("k", "d", np.array([-1.0, -3.0]), ["animal", "thing"], LABELS)
    np.testing.assert_allclose(kernel.normalised, [0.25, 0.75])
    assert kernel.best == "animal", "the larger raw weight, although division turns the shares round"
    cancelled = regress("k", "d", np.array([2.0, -2.0]), ["animal", "thing"], LABELS)
    np.testing.assert_allclose(cancelled.normalised, 0.0)
    assert cancelled.best == "animal"


def test_white_space_around_a_label_does_not_split_it() -> None:
    assert regress("k", "d", np.array([1.0]), [" thing "], LABELS).best == "thing"


@pytest.mark.parametrize("span", ["demonstration", "label"])
@pytest.mark.parametrize("heads", [(), ((1, 2),), ((0, 0), (2, 3))])
def test_attention_kernel_is_the_mean_of_maxima(
    model: LanguageModel, span: str, heads: tuple[tuple[int, int], ...]
) -> None:
    study = Study(query="dog", heads=heads, span=span)  # type: ignore[arg-type]
    prompt = render(SHOWN, "dog")
    reading, attention = read_attention(study, model, prompt)
    assert attention is not None
    kernel = compute_kernels(study, model, prompt, SHOWN, LABELS, reading, attention)["attention"]
    source = attention.maxima if span == "demonstration" else attention.label_maxima
    used = heads or [(layer, head) for layer in range(model.layers) for head in range(model.heads)]
    for i in range(len(SHOWN)):
        assert kernel.raw[i] == pytest.approx(sum(source[layer, head, i] for layer, head in used) / len(used))
    assert ("layer" in kernel.detail) == bool(heads)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "rbf"])
@pytest.mark.parametrize("layer", [0, 2, -1])
def test_hidden_kernel_compares_inputs_read_alone(model: LanguageModel, similarity: str, layer: int) -> None:
    study = Study(query="dog", hidden_layer=layer, similarity=similarity)  # type: ignore[arg-type]
    kernel = compute_kernels(study, model, render(SHOWN, "dog"), SHOWN, LABELS, None, None)["hidden"]
    rows = []
    for text in ["dog", *(d.input for d in SHOWN)]:
        reading = model.read(text, hidden=True)
        assert reading.hidden is not None
        own = [t for t, end in enumerate(reading.ends) if end > 0]
        rows.append(reading.hidden[layer][own].mean(0))
    h = np.array(rows, dtype=np.float64)
    sigma = np.median([euclidean_distances(h)[i, j] for i in range(5) for j in range(i + 1, 5)])
    oracle = {
        "cosine": lambda: cosine_similarity(h[:1], h[1:])[0],
        "dot": lambda: linear_kernel(h[:1], h[1:])[0],
        "rbf": lambda: rbf_kernel(h[:1], h[1:], gamma=1 / (2 * sigma**2))[0],
    }[similarity]()
    np.testing.assert_allclose(kernel.raw, oracle, rtol=1e-3, atol=1e-5)


def test_hidden_kernel_does_not_see_the_order(model: LanguageModel) -> None:
    study = Study(query="dog")
    there = compute_kernels(study, model, render(SHOWN, "dog"), SHOWN, LABELS, None, None)["hidden"]
    back = compute_kernels(study, model, render(SHOWN, "dog"), SHOWN[::-1], LABELS, None, None)["hidden"]
    np.testing.assert_allclose(there.raw, back.raw[::-1], atol=1e-5)


def test_what_the_model_lacks_is_a_sentence(model: LanguageModel) -> None:
    prompt = render(SHOWN, "dog")
    reading, attention = read_attention(Study(), model, prompt)
    with pytest.raises(StudyError, match=r"no head 9 in layer 0"):
        compute_kernels(Study(query="dog", heads=((0, 9),)), model, prompt, SHOWN, LABELS, reading, attention)
    for layer in (4, -5):
        with pytest.raises(StudyError, match=r"no layer -?\d: .* 0 \(the embedding\) to 3"):
            compute_kernels(Study(query="dog", hidden_layer=layer), model, prompt, SHOWN, LABELS, reading, attention)


def test_nothing_shown_is_nothing_weighed(model: LanguageModel) -> None:
    prompt = render((), "dog")
    reading, attention = read_attention(Study(), model, prompt)
    for kernel in compute_kernels(Study(query="dog"), model, prompt, (), LABELS, reading, attention).values():
        assert kernel.raw.shape == kernel.normalised.shape == (0,)
        np.testing.assert_allclose(kernel.predictive, np.zeros(3))
        assert kernel.best is None


def test_exact_kernel_is_the_mixtures(model: LanguageModel) -> None:
    def kernel(pairs: Sequence[tuple[str, str]], query: str, instruction: str) -> Floats:
        assert (pairs[0], query, instruction) == (("cat", "animal"), "dog", "Sort them.")
        return np.array([0.4, 0.1, 0.3, 0.2])

    stand_in = SimpleNamespace(
        mixture=SimpleNamespace(kernel=kernel), embed=model.embed, layers=model.layers, heads=model.heads
    )
    study = Study(query="dog", instruction="Sort them.")
    found = compute_kernels(study, stand_in, render(SHOWN, "dog"), SHOWN, LABELS, None, None)  # type: ignore[arg-type]
    assert set(found) == {"hidden", "exact"}
    np.testing.assert_allclose(found["exact"].predictive, [0.6, 0.4, 0.0])
    assert found["exact"].best == "animal"


def test_attention_weights_of_no_demonstrations() -> None:
    empty = SimpleNamespace(maxima=np.zeros((2, 3, 0)), label_maxima=np.zeros((2, 3, 0)))
    assert attention_weights(empty).shape == (0,)  # type: ignore[arg-type]
