"""The kernels of every run, against scikit-learn and plain loops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances, linear_kernel, rbf_kernel

from core.attention import read_attention
from core.bayes.kernel import exact_kernel
from core.errors import StudyError
from core.kernels import compute_kernels
from core.models import LanguageModel, load_model
from core.study.demonstrations import Demonstration
from core.study.prompts import render
from core.study.question import Question
from core.study.study import ModelChoice, Study
from tests.models import plain
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


@pytest.mark.parametrize("span", ["demonstration", "label"])
@pytest.mark.parametrize("heads", [(), ((1, 2),), ((0, 0), (2, 3))])
def test_attention_kernel_is_the_mean_of_maxima(
    model: LanguageModel, span: str, heads: tuple[tuple[int, int], ...]
) -> None:
    study = Study(query="dog", heads=heads, span=span)  # type: ignore[arg-type]
    prompt = render(SHOWN, "dog")
    reading, attention = read_attention(study, model, prompt)
    assert attention is not None
    kernel = compute_kernels(Question.of(study, SHOWN, LABELS), model, reading, attention)["attention"]
    source = attention.maxima if span == "demonstration" else attention.label_maxima
    used = heads or [(layer, head) for layer in range(model.layers) for head in range(model.heads)]
    for i in range(len(SHOWN)):
        assert kernel.raw[i] == pytest.approx(sum(source[layer, head, i] for layer, head in used) / len(used))
    assert ("layer" in kernel.detail) == bool(heads)


@pytest.mark.parametrize("similarity", ["cosine", "dot", "rbf"])
@pytest.mark.parametrize("layer", [0, 2, -1])
def test_hidden_kernel_compares_inputs_read_alone(model: LanguageModel, similarity: str, layer: int) -> None:
    study = Study(query="dog", hidden_layer=layer, similarity=similarity)  # type: ignore[arg-type]
    kernel = compute_kernels(Question.of(study, SHOWN, LABELS), model, None, None)["hidden"]
    rows = []
    for text in ["dog", *(d.input for d in SHOWN)]:
        rows.append(plain.alone(Path(model.name), text)[layer].mean(0))
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
    there = compute_kernels(Question.of(study, SHOWN, LABELS), model, None, None)["hidden"]
    back = compute_kernels(Question.of(study, SHOWN[::-1], LABELS), model, None, None)["hidden"]
    np.testing.assert_allclose(there.raw, back.raw[::-1], atol=1e-5)


def test_what_the_model_lacks_is_a_sentence(model: LanguageModel) -> None:
    prompt = render(SHOWN, "dog")
    reading, attention = read_attention(Study(), model, prompt)
    with pytest.raises(StudyError, match=r"no head 9 in layer 0"):
        compute_kernels(Question.of(Study(query="dog", heads=((0, 9),)), SHOWN, LABELS), model, reading, attention)
    for layer in (4, -5):
        with pytest.raises(StudyError, match=r"no layer -?\d: .* 0 \(the embedding\) to 3"):
            compute_kernels(
                Question.of(Study(query="dog", hidden_layer=layer), SHOWN, LABELS), model, reading, attention
            )


def test_nothing_shown_is_nothing_weighed(model: LanguageModel) -> None:
    prompt = render((), "dog")
    reading, attention = read_attention(Study(), model, prompt)
    for kernel in compute_kernels(Question.of(Study(query="dog"), (), LABELS), model, reading, attention).values():
        assert kernel.raw.shape == kernel.normalised.shape == (0,)
        np.testing.assert_allclose(kernel.predictive, np.zeros(3))
        assert kernel.best is None


def test_exact_kernel_is_the_mixtures(model: LanguageModel) -> None:
    class Small:
        """A mixture that says one thing."""

    @exact_kernel.register(Small)
    def kernel(
        _: Small, pairs: Sequence[tuple[str, str]], query: str, instruction: str, factors: Floats | None
    ) -> Floats:
        assert factors is None
        assert (pairs[0], query, instruction) == (("cat", "animal"), "dog", "Sort them.")
        return np.array([0.4, 0.1, 0.3, 0.2])

    class Model(SimpleNamespace):
        """What the kernels read of a model, and like one it can be a key."""

        __hash__ = object.__hash__

    stand_in = Model(mixture=Small(), embed=model.embed, layers=model.layers, heads=model.heads)
    study = Study(query="dog", instruction="Sort them.")
    found = compute_kernels(Question.of(study, SHOWN, LABELS), stand_in, None, None)  # type: ignore[arg-type]
    assert set(found) == {"hidden", "exact"}
    np.testing.assert_allclose(found["exact"].predictive, [0.6, 0.4, 0.0])
    assert found["exact"].best == "animal"
