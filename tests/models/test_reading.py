"""Attention rows, maps and hidden states against the model's own eager attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.models.observers import Rows
from tests.models import plain
from tests.models.checkpoints import ARCHITECTURES, TWELVE, WINDOW
from tests.models.conftest import Folder, Model

TEXT = "the film was very good -> positive\nthe plot was bad -> negative\nthe bird ->"


@pytest.mark.parametrize("architecture", [*TWELVE, "gemma2", "gptj"])
def test_attention_rows_and_map(architecture: str, folder: Folder, model: Model) -> None:
    tested, expected = model(architecture), plain.read(folder(architecture), TEXT)
    attentions = torch.stack(expected.attentions)[:, 0].numpy()
    head = (tested.layers - 1, tested.heads - 1)
    reading = tested.read(TEXT, rows=(-1, 0, 7, -3), head=head)
    size = len(reading.ids)
    assert size > 2 * WINDOW
    assert reading.attention is not None
    assert reading.map is not None
    assert reading.attention.shape == (tested.layers, tested.heads, 4, size)
    assert reading.attention.dtype == reading.map.dtype == np.float32
    np.testing.assert_allclose(reading.attention, attentions[:, :, [-1, 0, 7, -3]], atol=1e-5)
    np.testing.assert_allclose(reading.map, attentions[head], atol=1e-5)
    np.testing.assert_allclose(reading.attention.sum(axis=-1), 1.0, atol=1e-5)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("head", [0, 1, 2, 3])
@pytest.mark.parametrize("architecture", ["mistral", "gemma3"])
def test_every_head_of_grouped_and_windowed_layers(
    architecture: str, layer: int, head: int, folder: Folder, model: Model
) -> None:
    expected = plain.read(folder(architecture), TEXT).attentions[layer][0, head].numpy()
    found = model(architecture).read(TEXT, head=(layer, head)).map
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("architecture", TWELVE)
def test_hidden_states_and_prediction(architecture: str, folder: Folder, model: Model) -> None:
    tested, expected = model(architecture), plain.read(folder(architecture), TEXT)
    reading = tested.read(TEXT, hidden=True)
    assert reading.hidden is not None
    assert reading.hidden.shape == (tested.layers + 1, len(reading.ids), 32)
    np.testing.assert_allclose(reading.hidden, torch.stack(expected.hidden_states)[:, 0].numpy(), atol=1e-4)
    np.testing.assert_allclose(reading.logprobs, torch.log_softmax(expected.logits[0, -1], -1).numpy(), atol=1e-4)
    assert reading.map is None
    assert tested.read(TEXT).hidden is None


def test_no_attention_where_transformers_has_it_wrong(model: Model) -> None:
    """transformers adds Falcon's ALiBi twice in its eager attention: weights that did not make the answer."""
    reading = model("falcon_alibi").read(TEXT, head=(0, 0))
    assert reading.attention is None
    assert reading.map is None
    np.testing.assert_allclose(reading.logprobs, model("falcon_alibi").next_logprobs([TEXT])[0], atol=1e-4)


def test_no_whole_map_is_built_for_a_row(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []
    inner = Rows.see

    def spy(self: Rows, *arguments: object) -> None:
        inner(self, *arguments)  # type: ignore[arg-type]
        shapes.append(tuple(self.kept[-1].shape))

    monkeypatch.setattr(Rows, "see", spy)
    reading = model("llama").read(TEXT)
    assert shapes == [(4, 1, len(reading.ids))] * 3


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_spans_of_tokens(architecture: str, model: Model) -> None:
    reading = model(architecture).read(TEXT)
    for start, end, text in zip(reading.starts, reading.ends, reading.texts, strict=True):
        assert TEXT[start:end] == text or (start == end)
    assert max(reading.ends) == len(TEXT)


def test_rows_and_heads_that_do_not_exist(model: Model) -> None:
    with pytest.raises(ModelError, match="no token 99"):
        model("gpt2").read("a b c", rows=(99,))
    with pytest.raises(ModelError, match="no head 4 in layer 0"):
        model("gpt2").read("a b c", head=(0, 4))
    with pytest.raises(ModelError, match="no layer 9"):
        model("gpt2").embed(["a"], layer=9)


def test_tokens_the_model_does_not_know(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model("gpt2"), "vocabulary_size", 50)
    with pytest.raises(ModelError, match="tokens that the model does not"):
        model("gpt2").read("the film")


def test_an_empty_text(model: Model) -> None:
    assert len(model("gpt2").read("").ids) == 1
    assert len(model("llama").read("").ids) == 1


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "bloom"])
@pytest.mark.parametrize("layer", [-1, 0, 2])
def test_embeddings_are_means_of_hidden_states(architecture: str, layer: int, folder: Folder, model: Model) -> None:
    texts = ["the film", "a very good film was positive", "the", "the film"]
    found = model(architecture).embed(texts, layer)
    assert found.shape == (4, 32)
    for text, row in zip(texts, found, strict=True):
        # the start token is not the text's; where there is none, the first token stands where attention rests
        np.testing.assert_allclose(row, plain.alone(folder(architecture), text)[layer].mean(axis=0), atol=1e-4)
    assert model(architecture).embed([]).shape == (0, 32)


def test_architectures_are_what_they_say(model: Model) -> None:
    assert set(TWELVE) < set(ARCHITECTURES)
    assert model("llama").layers == 3
    assert model("llama").heads == 4
    assert model("llama").mixture is None
