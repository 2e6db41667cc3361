"""Properties of every kernel in the registry, and of every variant that a menu offers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core import Demonstration, Study, load_model
from core.errors import StudyError, Unavailable
from core.kernels import KernelContext, KernelWeights, kernels, regress
from core.kernels.variants import KernelVariant, one_of_each, variants
from core.models import LanguageModel
from tests.tiny import tiny

Floats = NDArray[np.float64]
ROWS = tuple(
    Demonstration(input=x, label=y)
    for x, y in [("cat", "living"), ("house", "object"), ("tree", "living"), ("cat", "living"), ("chair", "object")]
)
NAMES = kernels.names()
SYMMETRIC = [entry.name for entry in kernels if entry.symmetric]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load_model("embedded")  # the one on which every kernel can be had


def weigh(
    model: LanguageModel, name: str, rows: tuple[Demonstration, ...], *queries: str, **settings: object
) -> KernelWeights:
    study = Study(query="dog", demonstrations=rows, **settings)  # type: ignore[arg-type]
    return kernels.find(name).function(study, KernelContext(study, model, rows, queries or ("dog", "tree")))


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_numbers(model: LanguageModel, name: str) -> None:
    found = weigh(model, name, ROWS)
    assert found.raw.shape == (2, len(ROWS))
    assert np.isfinite(found.raw).all()
    assert found.detail
    assert "\n" not in found.detail
    assert len(found.notes) in (0, 2)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric_and_positive_semidefinite(model: LanguageModel, name: str) -> None:
    gram = weigh(model, name, ROWS, *(row.input for row in ROWS)).raw
    np.testing.assert_allclose(gram, gram.T, atol=1e-5)
    values = np.linalg.eigvalsh((gram + gram.T) / 2)
    assert values.min() > -1e-5 * max(1.0, values.max())


@pytest.mark.parametrize("similarity", ["dot", "rbf"])
def test_the_other_similarities_are_too(model: LanguageModel, similarity: str) -> None:
    gram = weigh(model, "hidden", ROWS, *(row.input for row in ROWS), similarity=similarity, bandwidth=0.5).raw
    np.testing.assert_allclose(gram, gram.T, rtol=1e-4, atol=1e-5)
    values = np.linalg.eigvalsh((gram + gram.T) / 2)
    assert values.min() > -1e-5 * max(1.0, values.max())


@pytest.mark.parametrize("name", SYMMETRIC)
def test_the_order_of_demonstrations_does_not_matter(model: LanguageModel, name: str) -> None:
    there, back = weigh(model, name, ROWS), weigh(model, name, ROWS[::-1])
    np.testing.assert_allclose(there.raw, back.raw[:, ::-1], atol=1e-5)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_other_queries_do_not_change_a_row(model: LanguageModel, name: str) -> None:
    alone, beside = weigh(model, name, ROWS, "dog"), weigh(model, name, ROWS, "tree", "dog", "sofa")
    np.testing.assert_allclose(alone.raw[0], beside.raw[1], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_normalised_weights_sum_to_one(model: LanguageModel, name: str) -> None:
    for raw in weigh(model, name, ROWS).raw:
        kernel = regress(name, "", raw, [row.label for row in ROWS], ["living", "object"])
        if kernel.normalised.any():
            assert kernel.normalised.sum() == pytest.approx(1)
            assert kernel.predictive.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_no_demonstration_and_one(model: LanguageModel, name: str) -> None:
    assert weigh(model, name, ()).raw.shape == (2, 0)
    kernel = regress(name, "", weigh(model, name, ROWS[:1]).raw[0], ["living"], ["living", "object"])
    assert kernel.best == "living"
    assert kernel.normalised == pytest.approx([1.0]) or not kernel.normalised.any()


@pytest.mark.parametrize("name", SYMMETRIC)
def test_equal_inputs_weigh_the_same(model: LanguageModel, name: str) -> None:
    raw = weigh(model, name, ROWS).raw
    np.testing.assert_allclose(raw[:, 0], raw[:, 3], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_one_label_takes_all(model: LanguageModel, name: str) -> None:
    same = tuple(row.model_copy(update={"label": "living"}) for row in ROWS)
    kernel = regress(name, "", weigh(model, name, same).raw[0], ["living"] * 5, ["object", "living"])
    assert kernel.best == "living"
    if kernel.normalised.any():
        np.testing.assert_allclose(kernel.predictive, [0, 1], atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_reads_is_all_that_it_reads(model: LanguageModel, name: str) -> None:
    """A setting that a kernel does not name leaves it as it is; one that it names is not without effect everywhere."""
    settings = {
        "heads": ((0, 1),),
        "span": "label",
        "pooling": "sum",
        "hidden_layer": 1,
        "similarity": "dot",
        "encoder": "tfidf",
    }
    plain = weigh(model, name, ROWS).raw
    for field, value in settings.items():
        other = weigh(model, name, ROWS, **{field: value}).raw
        if field not in kernels.find(name).reads:
            np.testing.assert_array_equal(plain, other)
        else:
            assert not np.allclose(plain, other), field


def test_a_model_without_a_mixture_has_no_exact_kernel() -> None:
    with pytest.raises(Unavailable, match="mixture"):
        weigh(tiny(), "exact", ROWS)


def test_every_variant_has_a_name_of_its_own(model: LanguageModel) -> None:
    offered = variants(model.layers, model.heads, ["some/encoder"])
    assert len({variant.name for variant in offered}) == len(offered)
    assert {variant.kernel for variant in offered} == set(NAMES)
    assert sum(variant.kernel == "attention" for variant in offered) == 1 + model.layers * model.heads
    assert [v.settings for v in offered if v.kernel == "hidden"] == [
        (("hidden_layer", n),) for n in range(model.layers + 1)
    ]
    assert (("encoder", "sentence:some/encoder"),) in [variant.settings for variant in offered]


def test_one_of_each_follows_the_study(model: LanguageModel) -> None:
    offered = variants(model.layers, model.heads)
    chosen = one_of_each(Study(hidden_layer=-1, encoder="hidden"), offered, model.layers)
    assert len(chosen) == len(NAMES)
    assert {variant.kernel for variant in chosen} == set(NAMES)
    assert KernelVariant(f"Hidden states {model.layers}", "hidden", (("hidden_layer", model.layers),)) in chosen
    for encoder in ("hidden", "tfidf"):
        words = one_of_each(Study(hidden_layer=0, encoder=encoder), offered, model.layers)
        assert [dict(v.settings)["encoder"] for v in words if v.kernel == "encoder"] == ["tfidf"]


def test_a_kernel_that_is_not_there_says_what_there_is() -> None:
    with pytest.raises(StudyError, match="attention, hidden"):
        kernels.find("magic")
