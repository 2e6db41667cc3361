"""Rollout against the plain loop of its definition, on the model's own eager attention."""

from __future__ import annotations

import numpy as np
import pytest

from core.attention import group
from core.attention.rollout import rollout_between, rollout_map
from core.errors import StudyError
from core.study.prompts import Prompt
from tests.attention.conftest import tokens, whole_maps
from tests.models.checkpoints import TWELVE
from tests.models.conftest import Folder, Model


def by_loop(full: np.ndarray, top: int) -> np.ndarray:
    """R = Ã_top … Ã_0, entry by entry."""
    size = full.shape[-1]
    flow = np.eye(size)
    for maps in full[: top + 1]:
        mixed = 0.5 * sum(maps) / len(maps) + 0.5 * np.eye(size)
        mixed = mixed / mixed.sum(-1, keepdims=True)
        after = np.zeros_like(flow)
        for i in range(size):
            for k in range(size):
                after[i] += mixed[i, k] * flow[k]
        flow = after
    return flow


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.models.layer.AT_ONCE", 16)


@pytest.mark.parametrize("architecture", [*TWELVE, "gemma2"])
def test_rollout_of_tokens_and_groups(architecture: str, folder: Folder, model: Model, prompt: Prompt) -> None:
    tested, full = model(architecture), whole_maps(folder, architecture, prompt.text)
    expected = by_loop(full, tested.layers - 1)
    every = range(len(expected))
    np.testing.assert_allclose(rollout_map(tested, prompt.text, every, every).weights, expected, atol=1e-5)
    parts = group(tokens(tested, prompt))
    found = rollout_between(tested, prompt.text, parts, parts)
    for r in range(len(parts.names)):
        for c in range(len(parts.names)):
            cells = expected[np.ix_(parts.of == r, parts.of == c)]
            assert found.weights[0, 0, r, c] == pytest.approx(cells.sum() / parts.sizes[r], abs=1e-5)
    np.testing.assert_allclose(
        found.weights[0, 0, -1, :], [expected[-1, parts.of == c].sum() for c in range(len(parts.names))], atol=1e-5
    )
    np.testing.assert_allclose(found.mean(()), found.weights[0, 0])
    np.testing.assert_allclose(found.weights.sum(-1), 1.0, atol=1e-5)


@pytest.mark.parametrize("top", [0, 1])
def test_up_to_a_layer_and_in_blocks(top: int, folder: Folder, model: Model, prompt: Prompt) -> None:
    expected = by_loop(whole_maps(folder, "llama", prompt.text), top)
    rows, columns = [1, 4, 5, 8, 9], range(2, 12)
    found = rollout_map(model("llama"), prompt.text, rows, columns, top=top, most=3)
    for r, (a, b) in enumerate(found.rows):
        for c, (d, e) in enumerate(found.columns):
            cells = expected[np.ix_(rows[a:b], list(columns[d:e]))]
            assert found.weights[r, c] == pytest.approx(cells.sum() / (b - a), abs=1e-5)


def test_one_layer_by_hand(model: Model, prompt: Prompt) -> None:
    """The first token can only come from itself, and the second keeps half of itself at least."""
    found = rollout_map(model("gpt2"), prompt.text, [0, 1], [0, 1], top=0).weights
    np.testing.assert_allclose(found[0], [1.0, 0.0], atol=1e-6)
    assert found[1, 1] >= 0.5


def test_what_cannot_be_had_is_a_sentence(model: Model, prompt: Prompt) -> None:
    with pytest.raises(StudyError, match="no layer 5"):
        rollout_map(model("gpt2"), prompt.text, [0], [0], top=5)
    with pytest.raises(StudyError, match="of the kinds chosen"):
        rollout_map(model("gpt2"), prompt.text, [], [0])
    none = group(tokens(model("gpt2"), prompt), "demonstrations", ["steps"])
    with pytest.raises(StudyError, match="of the kinds chosen"):
        rollout_between(model("gpt2"), prompt.text, none, none)
