"""Loading: what works, and one sentence for each thing that does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import errors as hub_errors
from transformers import BertConfig, BertForMaskedLM, BertLMHeadModel, T5Config, T5ForConditionalGeneration

from core.errors import ModelError
from core.models import LanguageModel, checking, hub, load_model, loading, weights
from core.runtime.turns import Turns
from core.study.study import ModelChoice
from tests.models.checkpoints import CONTEXT, write_tokenizer
from tests.models.conftest import Folder, Model

TINY: dict[str, Any] = {"vocab_size": 400, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def refusal(name: str | Path, **how: Any) -> str:
    """The sentence that loading ends in: one, readable, without a traceback's words."""
    with pytest.raises(ModelError) as caught:
        load_model(str(name), **how)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


@pytest.fixture
def copy(folder: Folder, tmp_path: Path) -> Path:
    """A GPT-2 folder of the test's own, to spoil."""
    return Path(shutil.copytree(folder("gpt2"), tmp_path / "copy"))


def test_shape_and_name(folder: Folder, model: Model) -> None:
    tested = model("gpt2")
    assert isinstance(tested, LanguageModel)
    assert tested.name == str(folder("gpt2"))
    assert (tested.layers, tested.heads, tested.context_length, tested.vocabulary_size) == (3, 4, CONTEXT, 400)
    assert isinstance(tested.lock, Turns)


def test_the_fingerprint_is_the_weights(folder: Folder, model: Model, copy: Path) -> None:
    assert len(model("gpt2").fingerprint) == 12
    assert int(model("gpt2").fingerprint, 16) >= 0
    assert load_model(str(copy)).fingerprint == model("gpt2").fingerprint != model("llama").fingerprint
    data = bytearray((copy / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    assert load_model(str(copy)).fingerprint != model("gpt2").fingerprint


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "gemma3", "bloom"])
def test_16_bit_weights(architecture: str, dtype: Any, folder: Folder, model: Model) -> None:
    half = load_model(ModelChoice(name=str(folder(architecture)), dtype=dtype))
    pairs = [("the film ->", " positive"), ("the film ->", " negative"), ("the plot", "x")]
    for low, full in zip(half.score(pairs), model(architecture).score(pairs), strict=True):
        assert low.logprobs.dtype == np.float64
        np.testing.assert_allclose(low.logprobs, full.logprobs, atol=0.5)
    reading = half.read("the film -> positive", hidden=True, head=(0, 0))
    assert reading.attention is not None
    assert reading.attention.dtype == np.float32
    np.testing.assert_allclose(reading.attention.sum(-1), 1.0, atol=1e-2)


def test_no_such_folder_and_no_network() -> None:
    assert "no folder" in refusal("/nowhere/at/all")
    assert "no folder" in refusal("./nowhere")
    assert "no folder" in refusal("")
    assert "hub cannot be reached" in refusal("nobody/no-such-model")
    assert "neither a folder nor a hub id" in refusal("no such model")


def test_the_embedded_model_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loading, "EMBEDDED", tmp_path / "nothing")
    assert "embedded model's checkpoint is missing" in refusal("embedded")


def test_no_config(tmp_path: Path) -> None:
    assert "no config.json" in refusal(tmp_path)
    (tmp_path / "config.json").write_text("{")
    assert "does not name its architecture" in refusal(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    assert "does not name its architecture" in refusal(tmp_path)


def test_code_of_its_own(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoModelForCausalLM": "mine.Model"}}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "mine.py").write_text("raise SystemExit('this must never run')")
    assert "needs code of its own" in refusal(copy)
    del config["auto_map"]
    (copy / "config.json").write_text(json.dumps(config))
    assert "does not know" in refusal(copy)


def test_not_causal(tmp_path: Path) -> None:
    config = BertConfig(**TINY, intermediate_size=16)
    BertForMaskedLM(config).save_pretrained(tmp_path / "bert")
    write_tokenizer(tmp_path / "bert", bos=False)
    assert "not a causal language model" in refusal(tmp_path / "bert")
    T5ForConditionalGeneration(
        T5Config(vocab_size=400, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    ).save_pretrained(tmp_path / "t5")
    write_tokenizer(tmp_path / "t5", bos=False)
    assert "not a causal language model" in refusal(tmp_path / "t5")


def test_not_causal_whatever_its_config_says(tmp_path: Path) -> None:
    """BERT with a language-model head looks both ways: only its own numbers tell."""
    torch.manual_seed(0)
    looks_ahead = BertLMHeadModel(BertConfig(**TINY, intermediate_size=16, is_decoder=False))
    with torch.no_grad():
        for weight in looks_ahead.parameters():
            weight.add_(torch.randn_like(weight) * 0.5)
    looks_ahead.save_pretrained(tmp_path)
    write_tokenizer(tmp_path, bos=False)
    assert "not a causal language model" in refusal(tmp_path)


def test_no_fast_tokenizer(copy: Path) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (copy / file).unlink()
    assert "no fast tokenizer" in refusal(copy)


def test_pickled_weights(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    assert "holds no weights" in refusal(copy)
    torch.save({}, copy / "pytorch_model.bin")
    assert "only pickled weights" in refusal(copy)


def test_broken_weights(copy: Path) -> None:
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(b"\x00" * 5)
    assert "not a readable safetensors file" in refusal(copy)
    (copy / "model.safetensors").write_bytes(b"\xff" * 100)
    assert "not a readable safetensors file" in refusal(copy)
    (copy / "model.safetensors").write_bytes(whole[:-1000])
    assert "cannot be loaded" in refusal(copy)


def test_incomplete_weights(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(copy / "model.safetensors")
    del tensors["transformer.h.1.mlp.c_fc.weight"]
    save_file(tensors, copy / "model.safetensors", {"format": "pt"})
    assert "not complete (transformer.h.1.mlp.c_fc.weight is missing)" in refusal(copy)


def test_does_not_fit(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "available_memory", lambda device: 1000)
    assert "bfloat16" in refusal(folder("gpt2"))
    assert "choose a smaller model." in refusal(folder("gpt2"), dtype="float16")
    monkeypatch.setattr(loading, "available_memory", lambda device: None)
    assert load_model(str(folder("gpt2"))).packable


def test_parameters_are_counted_from_headers(folder: Folder) -> None:
    files = weights.weight_files(folder("llama"))
    from safetensors.torch import load_file

    assert weights.count_parameters(files) == sum(tensor.numel() for tensor in load_file(files[0]).values())
    assert (weights.available_memory("cpu") or 0) > 1 << 20


@pytest.mark.parametrize("device", ["cuda:7", "mps"])
def test_device_not_there(device: str, folder: Folder) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("this machine has it")
    assert f'"{device}" is not available' in refusal(folder("gpt2"), device=device)
    assert "no device named" in refusal(folder("gpt2"), device="toaster")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["config.json", "pytorch_model.bin"], "only pickled weights"),
        (["config.json"], "no weights"),
    ],
)
def test_the_hub_is_asked_before_downloading(files: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Listing:
        siblings = [type("File", (), {"rfilename": name})() for name in files]  # noqa: RUF012

    monkeypatch.setattr("huggingface_hub.model_info", lambda name, **how: Listing())
    assert sentence in refusal("some/model")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (hub_errors.RepositoryNotFoundError, "There is no model"),
        (hub_errors.GatedRepoError, "accepted its terms"),
    ],
)
def test_what_the_hub_answers(error: type[Exception], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(name: str, **how: Any) -> None:
        raise error.__new__(error)

    monkeypatch.setattr("huggingface_hub.model_info", answer)
    assert sentence in refusal("some/model")


def test_from_the_hub(folder: Folder, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cache holds is loaded without asking anyone."""
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **how: str(folder("gpt2")))
    loaded = load_model("some/model")
    assert loaded.name == "some/model"
    assert loaded.fingerprint == model("gpt2").fingerprint


def test_half_a_download_is_not_complete(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model-1.safetensors").write_bytes(b"")
    assert not hub._complete(tmp_path)
    (tmp_path / "model-2.safetensors").write_bytes(b"")
    assert hub._complete(tmp_path)


def test_a_model_that_breaks_in_a_pack_falls_back(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The self check, not a list, decides: spoil the mask and the model is no longer packed."""
    from core.models import capture

    monkeypatch.setattr(capture.TreeShape, "sees", lambda tree: torch.ones(1, 1, 1, 1, dtype=torch.bool))
    tested = load_model(str(folder("llama")))
    assert not tested.packable
    assert "other numbers" in tested.why_not_packable
    assert tested.score([("the film ->", " good"), ("the film ->", " bad")])
    assert checking is not None


def test_longrope_reads_its_original_length() -> None:
    class Config:
        max_position_embeddings = 4096
        rope_parameters = {"rope_type": "longrope", "original_max_position_embeddings": 512}  # noqa: RUF012

        def get_text_config(self) -> Config:
            return self

    assert loading._context_length(Config(), None) == 512
