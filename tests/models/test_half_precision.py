"""16-bit formats: what loads, what shares passes, and what is refused. Scores: `tests/scoring/test_real_models.py`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertLMHeadModel

from core import Demonstration, Study, run
from core.errors import ModelError
from core.models import LanguageModel, load_model, loading
from core.study.study import ModelChoice
from tests.models.checkpoints import ARCHITECTURES, write_tokenizer
from tests.models.conftest import Folder, Model

HALVES: tuple[Any, ...] = ("bfloat16", "float16")


def test_only_16_bit_drifts(smollm2: LanguageModel, model: Model) -> None:
    assert smollm2.drift is None
    assert model("llama").drift is None


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_every_architecture_is_packed_as_in_float32(
    architecture: str, dtype: Any, folder: Folder, model: Model
) -> None:
    half = load_model(str(folder(architecture)), dtype=dtype)
    full = model(architecture)
    assert (half.packable, half._abilities.cacheable) == (full.packable, full._abilities.cacheable)
    assert half._abilities.attentive == full._abilities.attentive
    assert half.dtype == dtype
    assert half.drift is not None
    assert half.drift.most_nats < 1.0


@pytest.mark.parametrize("room", [True, False])
@pytest.mark.parametrize("dtype", HALVES)
def test_a_wrong_mask_is_found_in_16_bit_too(
    dtype: Any, room: bool, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for float32 beside it and without."""
    from core.models import capture

    monkeypatch.setattr(loading, "_room", lambda parameters, form, device: room or form != "float32")
    assert load_model(str(folder("llama")), dtype=dtype).packable
    monkeypatch.setattr(capture.TreeShape, "sees", lambda tree: torch.ones(1, 1, 1, 1, dtype=torch.bool))
    spoilt = load_model(str(folder("llama")), dtype=dtype)
    assert not spoilt.packable
    assert "other numbers" in spoilt.why_not_packable


@pytest.mark.parametrize("dtype", HALVES)
def test_a_model_that_looks_ahead_is_refused_in_16_bit_too(dtype: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=400,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        is_decoder=False,
    )
    BertLMHeadModel(config).save_pretrained(tmp_path)
    write_tokenizer(tmp_path, bos=False)
    saved = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(saved | {"is_decoder": False}))
    with pytest.raises(ModelError, match="not a causal language model"):
        load_model(str(tmp_path), dtype=dtype)


def test_without_room_for_float32_the_ways_are_held_against_each_other(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_room", lambda parameters, form, device: form != "float32")
    drift = load_model(str(folder("llama")), dtype="bfloat16").drift
    assert drift is not None
    assert not drift.exact
    assert "another pass" in drift.sentence("bfloat16")
    assert "float32" in replace(drift, exact=True).sentence("bfloat16")


def test_values_beyond_float16_are_refused_in_a_sentence(folder: Folder, tmp_path: Path) -> None:
    """Such weights give numbers in float32 and bfloat16, and none in float16."""
    from safetensors.torch import load_file, save_file

    from tests.models.checkpoints import write_tiny

    write_tiny("llama", tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    name = "model.layers.0.mlp.down_proj.weight"
    weights[name] = weights[name] * 1e6
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert load_model(str(tmp_path), dtype="bfloat16").score([("a", "b")])
    with pytest.raises(ModelError, match="gives no numbers in float16") as refused:
        load_model(ModelChoice(name=str(tmp_path), dtype="float16"))
    assert "bfloat16" in str(refused.value)


def test_values_beyond_float16_behind_a_start_token_are_refused_at_loading(tmp_path: Path) -> None:
    """The texts of the check are random tokens; every text of a user's begins with the start token, which breaks it."""
    from safetensors.torch import load_file, save_file

    from tests.models.checkpoints import write_tiny

    write_tiny("llama", tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    name = "model.embed_tokens.weight"
    weights[name][0] *= 1e6
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert load_model(str(tmp_path), dtype="bfloat16").score([("a", "b")])
    with pytest.raises(ModelError, match="gives no numbers in float16"):
        load_model(str(tmp_path), dtype="float16")


def test_the_drift_is_said(folder: Folder) -> None:
    """In every outcome of the model, and nowhere in float32."""
    study = Study(
        query="bird",
        demonstrations=(Demonstration(input="dog", label="dogs"),),
        labels=("birds", "bird"),
        k=1,
    )
    half = load_model(str(folder("llama")), dtype="bfloat16")
    assert half.drift is not None
    (said,) = [note for note in run(study, half).notes if "bfloat16" in note]
    assert f"{half.drift.most_nats:.2g} at most" in said
    assert not any("rounding" in note for note in run(study, load_model(str(folder("llama")))).notes)


def test_a_text_whose_states_pass_the_format_is_refused(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading reads a few texts; a longer one may still get beyond the largest float16."""
    tested = model("llama")
    run_passes = tested._passes.run
    monkeypatch.setattr(
        tested._passes, "run", lambda *how: ((b, logits * float("nan")) for b, logits in run_passes(*how))
    )
    with pytest.raises(ModelError, match="gave no numbers"):
        tested.score([("the film", " good")])
    with pytest.raises(ModelError, match="gave no numbers"):
        tested.next_logprobs(["the film"])
