"""Attention between groups and between tokens: plain sums over the model's own eager attention."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from core.attention import LARGEST, between, group, maps, stretch, token_map
from core.errors import Cancelled, ModelError, PromptTooLong, StudyError
from core.models import layer as layers
from core.study.prompts import Prompt, render
from tests.attention.conftest import SHOWN, tokens, whole_maps
from tests.listening import listening
from tests.models.checkpoints import ARCHITECTURES, TWELVE, write_tiny
from tests.models.conftest import Folder, Model

EVERY = [*TWELVE, "gemma2", "gptj"]  # grouped heads: llama, mistral, gemma, qwen, phi; windows: mistral, gemma, gpt_neo


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few weights at once that every text here goes through in several chunks."""
    for module in ("core.models.layer", "core.models.observers"):
        monkeypatch.setattr(f"{module}.AT_ONCE", 16)


@pytest.mark.parametrize("architecture", EVERY)
@pytest.mark.parametrize("grouping", ["demonstrations", "kinds"])
def test_every_head_between_groups(
    architecture: str, grouping: str, folder: Folder, model: Model, prompt: Prompt
) -> None:
    tested, full = model(architecture), whole_maps(folder, architecture, prompt.text)
    known = tokens(tested, prompt)
    rows, columns = group(known, "demonstrations"), group(known, grouping, ["input", "label", "query"])  # type: ignore[arg-type]
    found = between(tested, prompt.text, rows, columns)
    assert found.weights.shape == (tested.layers, tested.heads, len(rows.names) + 1, len(columns.names))
    for r, c in product(range(len(rows.names)), range(len(columns.names))):
        members = [i for i in range(len(known)) if rows.of[i] == r]
        sums = sum(full[:, :, i, j] for i in members for j in range(len(known)) if columns.of[j] == c)
        np.testing.assert_allclose(found.weights[:, :, r, c], sums / len(members), atol=1e-5)
    last = [full[:, :, -1, columns.of == c].sum(-1) for c in range(len(columns.names))]
    np.testing.assert_allclose(found.weights[:, :, -1], np.stack(last, -1), atol=1e-5)
    assert found.rows[-1] == "answer position"


@pytest.mark.parametrize("architecture", EVERY)
def test_tokens_of_one_head_and_of_a_mean(architecture: str, folder: Folder, model: Model, prompt: Prompt) -> None:
    tested, full = model(architecture), whole_maps(folder, architecture, prompt.text)
    every = range(full.shape[-1])
    one = token_map(tested, prompt.text, every, every, heads=[(1, 2)])
    np.testing.assert_allclose(one.weights, full[1, 2], atol=1e-5)
    some = token_map(tested, prompt.text, [3, 9, 10], [0, 2, 5, 6], heads=[(0, 1), (2, 0), (2, 3)])
    mean = (full[0, 1] + full[2, 0] + full[2, 3]) / 3
    np.testing.assert_allclose(some.weights, mean[np.ix_([3, 9, 10], [0, 2, 5, 6])], atol=1e-5)
    assert some.rows == ((0, 1), (1, 2), (2, 3))
    assert not some.blocks


@pytest.mark.parametrize("most", [1, 4, 7])
@pytest.mark.parametrize("architecture", ["gpt2", "mistral", "bloom"])
def test_blocks_are_means_of_sums(architecture: str, most: int, folder: Folder, model: Model, prompt: Prompt) -> None:
    tested, full = model(architecture), whole_maps(folder, architecture, prompt.text)
    rows, columns = list(range(2, full.shape[-1])), [i for i in range(full.shape[-1]) if i % 3]
    found = token_map(tested, prompt.text, rows, columns, most=most)
    mean = full.mean((0, 1))
    assert len(found.rows) <= most
    assert len(found.columns) <= most
    assert found.blocks
    for r, (a, b) in enumerate(found.rows):
        for c, (d, e) in enumerate(found.columns):
            cells = [mean[i, j] for i in rows[a:b] for j in columns[d:e]]
            assert found.weights[r, c] == pytest.approx(sum(cells) / (b - a), abs=1e-5)


def test_a_whole_row_sums_to_one(model: Model, prompt: Prompt) -> None:
    tested = model("llama")
    known = tokens(tested, prompt)
    for grouping in ("demonstrations", "kinds", "both"):
        found = between(tested, prompt.text, group(known, grouping), group(known, grouping))  # type: ignore[arg-type]
        np.testing.assert_allclose(found.weights.sum(-1), 1.0, atol=1e-5)
    shown = token_map(tested, prompt.text, range(len(known)), range(len(known)), most=5)
    np.testing.assert_allclose(shown.weights.sum(-1), 1.0, atol=1e-5)


def test_stretches_cover_every_token_once() -> None:
    for count, most in product([0, 1, 5, 511, 512, 513, 1_000, 8_000], [1, 3, LARGEST]):
        blocks = stretch(count, most)
        assert len(blocks) <= most
        assert [i for a, b in blocks for i in range(a, b)] == list(range(count))


def test_a_mean_of_heads_is_taken_from_those_kept(model: Model, prompt: Prompt) -> None:
    tested = model("gpt2")
    parts = group(tokens(tested, prompt))
    found = between(tested, prompt.text, parts, parts)
    np.testing.assert_allclose(found.mean(()), found.weights.mean((0, 1)), atol=1e-7)
    np.testing.assert_allclose(found.mean([(0, 1), (2, 3)]), (found.weights[0, 1] + found.weights[2, 3]) / 2, atol=1e-7)


def test_of_very_many_parts_the_mean_alone_is_kept(
    model: Model, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = model("gpt2")
    parts = group(tokens(tested, prompt))
    every = between(tested, prompt.text, parts, parts)
    monkeypatch.setattr(maps, "EVERY_HEAD", 10)
    for heads in ((), ((0, 1), (2, 3))):
        found = between(tested, prompt.text, parts, parts, heads=heads)
        assert found.weights.shape == (1, 1, *every.weights.shape[2:])
        np.testing.assert_allclose(found.mean(heads), every.mean(heads), atol=1e-6)
    with pytest.raises(ValueError, match="other heads"):
        found.mean([(0, 0)])


def test_no_chunk_holds_more_than_it_should(model: Model, prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of a layer at once stays small, and no call asks for all rows of all heads."""
    sizes: list[tuple[int, ...]] = []
    inner = layers.Layer.rows

    def spy(self: layers.Layer, *arguments: object) -> object:
        found = inner(self, *arguments)  # type: ignore[arg-type]
        sizes.append(tuple(found.shape))
        return found

    monkeypatch.setattr(layers.Layer, "rows", spy)
    tested = model("llama")
    parts = group(tokens(tested, prompt))
    between(tested, prompt.text, parts, parts)
    assert sizes
    assert all(heads == 1 and rows <= 16 for heads, rows, _ in sizes)


def test_the_size_does_not_depend_on_the_length(model: Model) -> None:
    shapes = set()
    for words in (2, 60):
        prompt = render([row.model_copy(update={"input": row.input * words}) for row in SHOWN[:2]], "bird")
        parts = group(tokens(model("gpt2"), prompt))
        shapes.add(between(model("gpt2"), prompt.text, parts, parts).weights.shape)
    assert len(shapes) == 1


def test_what_cannot_be_had_is_a_sentence(model: Model, prompt: Prompt) -> None:
    tested = model("gpt2")
    known = tokens(tested, prompt)
    none = group(known, "demonstrations", ["steps"])  # this prompt shows none
    assert none.names == ()
    with pytest.raises(StudyError, match="of the kinds chosen"):
        between(tested, prompt.text, none, group(known))
    with pytest.raises(StudyError, match="of the kinds chosen"):
        token_map(tested, prompt.text, [], [1])
    with pytest.raises(StudyError, match="no head 9"):
        token_map(tested, prompt.text, [0], [0], heads=[(0, 9)])
    with pytest.raises(StudyError, match="no head 0 in layer 7"):
        between(tested, prompt.text, group(known), group(known), heads=[(7, 0)])
    with pytest.raises(ModelError, match="gives no attention"):
        token_map(model("falcon_alibi"), prompt.text, [0], [0])
    with pytest.raises(PromptTooLong):
        token_map(tested, "word " * 2_000, [0], [0])


def test_it_can_be_stopped_and_tells_how_far_it_is(model: Model, prompt: Prompt) -> None:
    tested = model("gpt2")
    with listening() as told:
        token_map(tested, prompt.text, [0, 1], [0, 1])
    np.testing.assert_allclose(told, [1 / 3, 2 / 3, 1.0])
    with pytest.raises(Cancelled):
        token_map(tested, prompt.text, [0, 1], [0, 1], stop=lambda: len(told) == 3)
    token_map(tested, prompt.text, [0, 1], [0, 1])  # and the model is as it was


def test_eight_thousand_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # chunks of their usual size
    from core.models import load_model

    kind, settings = ARCHITECTURES["llama"]
    monkeypatch.setitem(ARCHITECTURES, "long", (kind, {**settings, "max_position_embeddings": 8_192}))
    tested = load_model(str(write_tiny("long", tmp_path / "long")))
    text = " ".join(f"w{i}" for i in range(1_750))
    size = len(tested.encode(text))
    assert size > 7_000
    found = token_map(tested, text, range(size), range(size), heads=[(0, 0)])
    assert found.weights.shape == (len(stretch(size)), len(stretch(size)))
    assert max(found.weights.shape) <= LARGEST
    np.testing.assert_allclose(found.weights.sum(-1), 1.0, atol=1e-4)
    a, b = found.rows[-2]
    near = token_map(tested, text, range(a, b), range(size - 600, size - 200), heads=[(0, 0)], most=1_000)
    row = tested.read(text, rows=(a,)).attention
    assert row is not None
    np.testing.assert_allclose(near.weights[0], row[0, 0, 0, size - 600 : size - 200], atol=1e-6)
