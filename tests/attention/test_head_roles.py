"""Head roles: perfect heads made by hand, plain loops, and direct-path logits taken from the weights by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core import load_model
from core.attention.head_roles import copying, head_roles, label_attending, looking_back, planted, prefix_matching
from core.errors import Cancelled, ModelError
from core.study.prompts import Prompt, render
from tests.attention.conftest import tokens, whole_maps
from tests.listening import listening
from tests.models import plain
from tests.models.conftest import Folder, Model

PERIOD, REPEATS = 5, 4
SIZE = PERIOD * REPEATS


def random_map(seed: int, size: int = SIZE) -> np.ndarray:
    """A causal map with rows that sum to one."""
    scores = np.tril(np.random.default_rng(seed).random((size, size)))
    return (scores / scores.sum(-1, keepdims=True)).astype(np.float32)


def looks_back(by: int) -> np.ndarray:
    found = np.zeros((SIZE, SIZE), dtype=np.float32)
    for i in range(SIZE):
        found[i, max(0, i - by)] = 1.0
    return found


def test_perfect_heads_score_one() -> None:
    assert looking_back(looks_back(1), 1) == pytest.approx(1.0)
    assert looking_back(looks_back(2), 2) == pytest.approx(1.0)
    assert looking_back(looks_back(2), 1) == pytest.approx(1 / (SIZE - 1))  # row 1 has nowhere else to look
    assert prefix_matching(looks_back(PERIOD - 1), PERIOD) == pytest.approx(1.0)
    assert prefix_matching(looks_back(2 * PERIOD - 1)[:, :], PERIOD) == pytest.approx(2 / 3, abs=1e-6)


def test_an_induction_head_may_spread_over_several_occurrences() -> None:
    spread = np.zeros((SIZE, SIZE), dtype=np.float32)
    for i in range(PERIOD, SIZE):
        followers = [j + 1 for j in range(i) if j % PERIOD == i % PERIOD]
        spread[i, followers] = 1 / len(followers)
    assert prefix_matching(spread, PERIOD) == pytest.approx(1.0)
    assert prefix_matching(looks_back(PERIOD), PERIOD) == pytest.approx(0.0), "the occurrence itself does not count"


@given(st.integers(0, 1_000))
def test_scores_are_plain_loops(seed: int) -> None:
    found = random_map(seed)
    previous = [found[i, i - 1] for i in range(1, SIZE)]
    assert looking_back(found, 1) == pytest.approx(sum(previous) / len(previous), abs=1e-6)
    matched = [
        sum(found[i, j + 1] for j in range(i) if j % PERIOD == i % PERIOD)  # what followed each earlier occurrence
        for i in range(PERIOD, SIZE)
    ]
    assert prefix_matching(found, PERIOD) == pytest.approx(sum(matched) / len(matched), abs=1e-6)
    stacked = np.stack([found, looks_back(1)])[None]
    np.testing.assert_allclose(prefix_matching(stacked, PERIOD)[0, 0], prefix_matching(found, PERIOD))
    assert looking_back(stacked, 1).shape == (1, 2)


def test_copying_by_hand() -> None:
    own = np.array([0, 1, 2])
    eye = np.eye(3, dtype=np.float32)
    assert copying(eye, own) == pytest.approx(1.0)
    assert copying(-eye, own) == pytest.approx(-1.0)
    assert copying(eye + 7.0, own) == pytest.approx(1.0), "what raises all logits alike raises none"
    assert copying(np.ones((3, 3), dtype=np.float32), own) == 0.0
    assert copying(np.roll(eye, 1, axis=1), own) == pytest.approx(-0.5), "raises another, lowers the rest alike"
    scaled = eye * np.array([[1.0], [50.0], [0.01]], dtype=np.float32)
    assert copying(scaled, own) == pytest.approx(1.0), "a place's own factor cancels"


@given(st.integers(0, 1_000))
def test_copying_is_a_plain_loop_between_minus_one_and_one(seed: int) -> None:
    logits = np.random.default_rng(seed).normal(size=(2, 8, 4)).astype(np.float32)
    own = np.arange(8) % 4
    expected = []
    for head in logits.astype(np.float64):
        shares = []
        for place, row in enumerate(head):
            centred = [value - sum(row) / 4 for value in row]
            shares.append(centred[own[place]] / (sum(abs(c) for c in centred) / 2))
        expected.append(sum(shares) / 8)
    found = copying(logits, own)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.all(np.abs(found) <= 1.0)


def by_hand(folder: Folder, architecture: str, ids: list[int]) -> np.ndarray:
    """(layers, heads, t, n): each head's output for one attended place, through the last norm's gain and the
    unembedding, from the weights as they stand in the checkpoint."""
    model, _ = plain.load(folder(architecture))
    width, heads = 8, 4
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
        found = []
        for layer in range(3):
            rows = []
            for head in range(heads):
                a, b = head * width, (head + 1) * width
                if architecture == "gpt2":
                    block = model.transformer.h[layer]
                    start = 2 * 32 + head * width  # queries, keys, values side by side
                    value = block.ln_1(states[layer][0]) @ block.attn.c_attn.weight[:, start : start + width]
                    value = value + block.attn.c_attn.bias[start : start + width]
                    out = value @ block.attn.c_proj.weight[a:b]
                    gain, centred = model.transformer.ln_f.weight, out - out.mean(-1, keepdim=True)
                else:
                    block = model.model.layers[layer]
                    shared = head // 2  # two query heads share keys and values
                    weight = block.self_attn.v_proj.weight[shared * width : (shared + 1) * width]
                    value = block.input_layernorm(states[layer][0]) @ weight.T
                    out = value @ block.self_attn.o_proj.weight[:, a:b].T
                    gain, centred = model.model.norm.weight, out
                rows.append((centred * gain) @ model.lm_head.weight[ids].T)
            found.append(torch.stack(rows))
    return torch.stack(found).double().numpy()


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_direct_path_logits_from_the_weights(architecture: str, folder: Folder, model: Model) -> None:
    ids = [11, 52, 7, 190, 33]
    maps, written = model(architecture).inside(ids)
    assert written is not None
    expected = by_hand(folder, architecture, ids)
    assert written.shape == expected.shape == (3, 4, 5, 5)
    norm = np.linalg.norm(written, axis=-1, keepdims=True)  # right up to a positive factor a place
    unit = expected / np.linalg.norm(expected, axis=-1, keepdims=True)
    np.testing.assert_allclose(written / norm, unit, atol=2e-4)
    own = np.arange(5)
    np.testing.assert_allclose(copying(written, own), copying(expected.astype(np.float32), own), atol=1e-4)
    np.testing.assert_allclose(maps.sum(-1), 1.0, atol=1e-5)


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "mistral", "gemma3", "opt", "phi", "gpt_neox", "bloom"])
def test_roles_of_a_model(architecture: str, model: Model) -> None:
    tested = model(architecture)
    with listening() as told:
        found = head_roles(tested)
    shape = (tested.layers, tested.heads)
    for scores in (found.previous, found.second_previous, found.induction):
        assert scores.shape == shape
        assert np.all((scores >= 0) & (scores <= 1))
    if architecture == "bloom":  # its attention is its own code, which shows weights alone
        assert found.copying is None
    else:
        assert found.copying is not None
        assert found.copying.shape == shape
        assert np.all(np.abs(found.copying) <= 1)
    assert told == sorted(told)
    assert {0.25, 0.5, 0.75, 1.0} <= set(told)  # a text each; layers in between
    assert found.planted == {}
    again = head_roles(tested)
    np.testing.assert_array_equal(found.induction, again.induction)
    assert not np.array_equal(found.previous, head_roles(tested, seed=1).previous)
    if architecture == "mistral":  # its window ends before the earlier occurrence
        assert found.induction.max() == 0.0


def test_roles_are_means_over_the_sequences_they_say(
    folder: Folder, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sequences are caught on their way in, and scored by loops on the model's own eager attention."""
    tested, read = model("llama"), []
    inner = type(tested).inside

    def spy(self: object, ids: list[int]) -> object:
        read.append(list(ids))
        return inner(self, ids)  # type: ignore[arg-type]

    monkeypatch.setattr(type(tested), "inside", spy)
    found = head_roles(tested, period=6, repeats=3, sequences=2)
    network, _ = plain.load(folder("llama"))
    scores = []
    for ids in read:
        assert ids[0] == 0, "the beginning-of-text token"
        assert ids[1:7] == ids[7:13] == ids[13:19]
        assert len(set(ids[1:7])) == 6
        assert not {0, 1, 2} & set(ids[1:]), "special tokens are not drawn"
        with torch.no_grad():
            maps = torch.stack(network(torch.tensor([ids]), output_attentions=True).attentions)[:, 0].numpy()
        total = np.zeros(maps.shape[:2])
        for i in range(6, 18):
            for j in range(i):
                if j % 6 == i % 6:
                    total += maps[:, :, i + 1, j + 2]
        scores.append(total / 12)
    np.testing.assert_allclose(found.induction, np.mean(scores, 0), atol=1e-5)
    assert (found.period, found.repeats, found.sequences) == (6, 3, 2)


def test_labels_attended_to(folder: Folder, model: Model, prompt: Prompt) -> None:
    tested = model("gpt2")
    known = tokens(tested, prompt)
    found = label_attending(tested, prompt)
    row = whole_maps(folder, "gpt2", prompt.text)[:, :, -1]
    labels = known.of_kinds(["label"])
    np.testing.assert_allclose(found.share, row[:, :, labels].sum(-1), atol=1e-5)
    assert found.even == pytest.approx(labels.sum() / len(known))
    assert label_attending(tested, render((), "bird")).share.max() == 0.0


def test_the_embedded_models_planted_heads() -> None:
    tested = load_model()
    given = planted(tested)
    assert given == {(0, 0): 1, (0, 1): 2}
    found = head_roles(tested)
    assert found.planted == given
    assert np.all(np.isfinite(found.induction))


def test_models_that_are_too_short_or_show_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="gives no attention"):
        head_roles(model("falcon_alibi"))
    with pytest.raises(ModelError, match="gives no attention"):
        label_attending(model("falcon_alibi"), render((), "bird"))
    with pytest.raises(Cancelled):
        head_roles(model("gpt2"), stop=lambda: True)
    monkeypatch.setattr(model("gpt2"), "context_length", 60)
    assert head_roles(model("gpt2")).period == 15
    monkeypatch.setattr(model("gpt2"), "context_length", 10)
    with pytest.raises(ModelError, match="too few"):
        head_roles(model("gpt2"))
