"""GGUF files: what they give is what transformers gives, and what is wrong with one is one sentence."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize
from transformers import AutoConfig

from core.errors import Cancelled
from core.models import LanguageModel, load_model, loading
from core.models.gguf import gguf_config
from core.models.gguf_header import read_header, unpacking_seconds
from core.runtime.progress import Progress, reporting
from tests.models.conftest import Folder, Model
from tests.models.gguf_files import _tensors, _tokenizer, write_gguf
from tests.models.test_loading import refusal

PAIRS = [("the film ->", " positive"), ("the film ->", " negative"), ("dog -> chien\ncat ->", " chat")]


@pytest.fixture(scope="module")
def llama(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama as a GGUF file of float32."""
    return write_gguf(folder("llama"), tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def copy(llama: Path, tmp_path: Path) -> Path:
    """A file of the test's own, to spoil."""
    return Path(shutil.copy(llama, tmp_path / "copy.gguf"))


def logprobs(model: LanguageModel) -> list[Any]:
    return [one.logprobs for one in model.score(PAIRS)]


def test_it_is_the_safetensors_model(llama: Path, model: Model) -> None:
    """The same weights in two formats: same tokens, same numbers."""
    loaded, other = load_model(str(llama)), model("llama")
    assert (loaded.layers, loaded.heads, loaded.context_length) == (other.layers, other.heads, other.context_length)
    assert [loaded.encode(text).ids for text, _ in PAIRS] == [other.encode(text).ids for text, _ in PAIRS]
    for mine, theirs in zip(logprobs(loaded), logprobs(other), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    assert loaded.packable


@pytest.mark.parametrize("packed", [GGMLQuantizationType.Q8_0, GGMLQuantizationType.F16])
def test_packed_weights_come_unpacked(packed: Any, folder: Folder, tmp_path: Path) -> None:
    file = write_gguf(folder("llama"), tmp_path / "packed.gguf", packed=packed)
    loaded = load_model(str(file))
    with loaded.module() as module:
        weight = module.get_input_embeddings().weight.numpy()
    config = {"num_attention_heads": 4, "num_key_value_heads": 2}
    expected = dequantize(quantize(_tensors(folder("llama"), config)["token_embd.weight"], packed), packed)
    np.testing.assert_array_equal(weight, expected.reshape(weight.shape))


def test_a_folder_with_one_file_and_a_file_without_an_ending(llama: Path, tmp_path: Path) -> None:
    """Ollama's files have no ending; a file for pictures that lies beside a model is not meant."""
    assert load_model(str(llama.parent)).fingerprint == load_model(str(llama)).fingerprint
    shutil.copy(llama, tmp_path / "model.gguf")
    (tmp_path / "mmproj-model.gguf").write_bytes(b"GGUF")
    assert load_model(str(tmp_path)).name == str(tmp_path)
    blob = shutil.copy(llama, tmp_path / "sha256-0123")
    assert load_model(str(blob)).score(PAIRS)


def test_safetensors_come_first(folder: Folder, llama: Path, model: Model, tmp_path: Path) -> None:
    both = Path(shutil.copytree(folder("llama"), tmp_path / "both"))
    shutil.copy(llama, both / "tiny.gguf")
    assert load_model(str(both)).fingerprint == model("llama").fingerprint


def test_the_fingerprint_is_the_file(llama: Path, copy: Path) -> None:
    assert load_model(str(copy)).fingerprint == load_model(str(llama)).fingerprint
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    assert load_model(str(copy)).fingerprint != load_model(str(llama)).fingerprint


def test_16_bit_weights(llama: Path) -> None:
    half, full = load_model(str(llama), dtype="bfloat16"), load_model(str(llama))
    assert half.dtype == "bfloat16"
    assert half.drift is not None
    assert half.fingerprint != full.fingerprint
    for low, exact in zip(logprobs(half), logprobs(full), strict=True):
        np.testing.assert_allclose(low, exact, atol=0.5)


def test_every_beginning_of_a_file_is_cut_short(llama: Path, tmp_path: Path) -> None:
    """Wherever a download broke off, in the list of contents or in the weights."""
    whole = llama.read_bytes()
    for length in (4, 10, 23, 24, 30, *range(100, len(whole) - 1, 4999), len(whole) - 1):
        part = tmp_path / "part.gguf"
        part.write_bytes(whole[:length])
        assert "cut short" in refusal(part), length


def test_a_count_beyond_belief(copy: Path) -> None:
    """A file that announces more than it holds is cut short; nothing of that size is asked of the memory."""
    data = bytearray(copy.read_bytes())
    data[8:24] = b"\xff" * 16
    copy.write_bytes(data)
    assert "cut short" in refusal(copy)


def test_no_gguf_file(folder: Folder, copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("a text")
    assert "is no GGUF file" in refusal(other)
    assert "give the folder" in refusal(folder("llama") / "model.safetensors")
    (tmp_path / "fake.gguf").write_bytes(b"GGML" + b"\0" * 100)
    assert "is no GGUF file" in refusal(tmp_path / "fake.gguf")
    copy.write_bytes(b"GGUF\x00\x00\x00\x03" + copy.read_bytes()[8:])  # as a big-endian machine writes it
    assert "a GGUF version that cannot be read" in refusal(copy)


def test_several_files(copy: Path) -> None:
    shutil.copy(copy, copy.parent / "other.gguf")
    sentence = refusal(copy.parent)
    assert "holds 2 GGUF files (copy.gguf, other.gguf)" in sentence
    assert str(copy) in sentence


def test_one_part_of_several(folder: Folder, tmp_path: Path) -> None:
    for number in (1, 2):
        name = f"model-0000{number}-of-00002.gguf"
        file = write_gguf(folder("llama"), tmp_path / name, settings={"split.count": 2})
    assert "one of 2 parts" in refusal(file)
    assert "one of 2 parts" in refusal(tmp_path)


def test_what_transformers_cannot_read(folder: Folder, tmp_path: Path) -> None:
    file = write_gguf(folder("llama"), tmp_path / "a.gguf", architecture="rwkv7")
    assert 'is a "rwkv7", which transformers cannot read from a GGUF file' in refusal(file)
    file = write_gguf(folder("llama"), tmp_path / "b.gguf", without=("tokenizer.ggml.tokens",))
    assert "holds no tokenizer" in refusal(file)
    file = write_gguf(folder("llama"), tmp_path / "c.gguf", settings={"tokenizer.ggml.model": "mine"})
    assert "The tokenizer of" in refusal(file)


def test_packed_in_a_way_that_is_not_known(copy: Path) -> None:
    data = copy.read_bytes()
    place = data.index(b"token_embd.weight") + len(b"token_embd.weight") + 4 + 16
    copy.write_bytes(data[:place] + (4321).to_bytes(4, "little") + data[place + 4 :])
    assert "ggml type 4321" in refusal(copy)


def test_weights_that_are_not_there(folder: Folder, copy: Path) -> None:
    copy.write_bytes(copy.read_bytes().replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_op.weight"))
    assert "up_proj.weight is missing" in refusal(copy)


def test_a_causal_model_only(folder: Folder, tmp_path: Path) -> None:
    keys = {
        f"t5.{name}": number
        for name, number in {"context_length": 32, "block_count": 3, "embedding_length": 16, "vocab_size": 400}.items()
    }
    file = write_gguf(folder("llama"), tmp_path / "t5.gguf", architecture="t5", settings=keys)
    assert "not a causal language model" in refusal(file)


def test_memory_is_asked_for_before_loading(llama: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """All weights, and the largest tensor twice as float32 while it is unpacked."""
    header = read_header(llama)
    weights = _tensors(folder("llama"), {"num_attention_heads": 4, "num_key_value_heads": 2}).values()
    assert header.parameters == sum(weight.size for weight in weights)
    largest = max(weight.size for weight in weights)
    assert header.memory(2) == 2 * header.parameters + 8 * largest
    monkeypatch.setattr(loading, "available_memory", lambda device: 1000)
    assert "bfloat16" in refusal(llama)
    assert "choose a smaller model." in refusal(llama, dtype="float16")


def test_time_is_of_what_is_there(llama: Path) -> None:
    assert 0 < unpacking_seconds(read_header(llama)) < math.inf


def test_progress_is_counted_in_tensors_and_it_can_be_stopped(llama: Path) -> None:
    heard: list[Progress] = []
    with reporting(heard.append):
        load_model(str(llama))
    counts = [one.done for one in heard if one.unit == "tensors"]
    assert counts == list(range(1, len(read_header(llama).tensors) + 1))
    shares = [one.share for one in heard]
    assert shares == sorted(shares)

    heard.clear()
    with reporting(heard.append), pytest.raises(Cancelled):
        load_model(str(llama), stop=lambda: len(heard) > 4)
    assert max(one.done for one in heard) < len(counts)
    assert load_model(str(llama)).score(PAIRS)  # nothing of the bar that counted is left behind


def notes(file: Path) -> str:
    return "\n".join(load_model(str(file)).notes)


def test_a_file_that_transformers_reads_whole(llama: Path) -> None:
    said = notes(llama)
    assert "does not read" not in said
    assert "agree with what it says" in said


def test_settings_that_are_not_read(folder: Folder, tmp_path: Path) -> None:
    settings = {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0, "llama.attention.key_length": 16}
    said = notes(write_gguf(folder("llama"), tmp_path / "a.gguf", settings=settings))
    assert "does not read llama.rope.scaling.type, llama.rope.scaling.factor, llama.attention.key_length" in said
    said = notes(write_gguf(folder("llama"), tmp_path / "b.gguf", settings={"llama.attention.value_length": 8}))
    assert "does not read" not in said  # as transformers has it anyway


def test_weights_that_are_not_read(folder: Folder, tmp_path: Path) -> None:
    factors = np.ones(4, np.float32)
    said = notes(write_gguf(folder("llama"), tmp_path / "a.gguf", tensors={"rope_freqs.weight": factors}))
    assert "does not read this file's rope_freqs.weight" in said
    assert "has no place" not in said
    said = notes(write_gguf(folder("llama"), tmp_path / "b.gguf", tensors={"blk.0.attn_gate.weight": factors}))
    assert "has no place for 4 of the" in said


@pytest.mark.parametrize(
    ("settings", "without", "starts", "sentence"),
    [
        ({"tokenizer.ggml.add_bos_token": False}, (), False, ""),
        ({"tokenizer.ggml.add_bos_token": True}, (), True, ""),
        ({}, ("tokenizer.ggml.add_bos_token",), False, ""),
        (
            {"tokenizer.ggml.pre": "llama-bpe"},
            ("tokenizer.ggml.add_bos_token",),
            True,
            "means, though it does not say so",
        ),
    ],
)
def test_the_start_token(
    settings: dict[str, Any], without: tuple[str, ...], starts: bool, sentence: str, folder: Folder, tmp_path: Path
) -> None:
    """As the flag says; without one as llama.cpp takes the rule's name."""
    loaded = load_model(str(write_gguf(folder("llama"), tmp_path / "a.gguf", settings=settings, without=without)))
    assert (loaded.encode("the film").ids[0] == 0) == starts
    said = "\n".join(loaded.notes)
    assert sentence in said if sentence else "start token" not in said


def test_how_texts_are_cut(folder: Folder, tmp_path: Path) -> None:
    """By the rule that the file names: each digit apart, whatever merges there are; and no rule is invented."""
    said = _tokenizer(folder("llama"))
    numbers = {
        "tokenizer.ggml.tokens": [*said["tokenizer.ggml.tokens"][:-1], "12"],
        "tokenizer.ggml.merges": [*said["tokenizer.ggml.merges"][:-1], "1 2"],
    }
    digits = {**numbers, "tokenizer.ggml.pre": "starcoder"}
    plain = load_model(str(write_gguf(folder("llama"), tmp_path / "a.gguf", settings=numbers)))
    apart = load_model(str(write_gguf(folder("llama"), tmp_path / "b.gguf", settings=digits)))
    assert plain.encode("a 12").texts[-2:] == (" ", "12")
    assert apart.encode("a 12").texts[-3:] == (" ", "1", "2")
    assert any('("starcoder")' in note for note in apart.notes)
    for rule in ("default", "nobody-knows"):
        said = notes(write_gguf(folder("llama"), tmp_path / f"{rule}.gguf", settings={"tokenizer.ggml.pre": rule}))
        assert "cannot be checked" in said


def test_tokens_under_another_spelling_and_tokens_that_are_lost(folder: Folder, tmp_path: Path) -> None:
    """Byte-level vocabularies spell a space "Ġ": that is the same token. A token that stands there twice is not."""
    said = _tokenizer(folder("llama"))
    tokens, kinds = said["tokenizer.ggml.tokens"], said["tokenizer.ggml.token_type"]
    spelled = {"tokenizer.ggml.tokens": [*tokens[:-1], "a b"], "tokenizer.ggml.token_type": [*kinds[:-1], 4]}
    spelled["tokenizer.ggml.merges"] = said["tokenizer.ggml.merges"][:-1]
    assert "of the file are not in" not in notes(write_gguf(folder("llama"), tmp_path / "a.gguf", settings=spelled))
    twice = {**spelled, "tokenizer.ggml.tokens": [*tokens[:-1], tokens[5]], "tokenizer.ggml.token_type": kinds}
    said_of_it = notes(write_gguf(folder("llama"), tmp_path / "b.gguf", settings=twice))
    assert f'tokens of the file are not in its rebuilt tokenizer, such as "{tokens[5]}"' in said_of_it


@pytest.mark.parametrize("said", [True, False])
def test_the_configuration_is_transformers_own(said: bool, folder: Folder, tmp_path: Path) -> None:
    """Also where the vocabulary is long, passed over, and the only one to say how many tokens there are."""
    tokens = [f"token{number}" for number in range(6000)]
    settings = {
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * 6000,
        "tokenizer.ggml.scores": [0.0] * 6000,
        "tokenizer.chat_template": "behind the vocabulary",
    }
    without = () if said else ("llama.vocab_size",)
    file = write_gguf(folder("llama"), tmp_path / "a.gguf", settings=settings, without=without)
    own = AutoConfig.from_pretrained(tmp_path, gguf_file="a.gguf")
    assert gguf_config(file, "a").to_dict() == own.to_dict()
    assert own.vocab_size == (400 if said else 6000)


def test_smollm2(smollm2_file: Path, smollm2_folder: Path) -> None:
    """A real file, against a plain loop over what transformers' own loader makes of it."""
    from tests.models import plain
    from tests.models.test_smollm2 import PAIRS as TEXTS

    loaded = load_model(str(smollm2_file))
    assert (loaded.layers, loaded.heads, loaded.context_length) == (30, 9, 8192)
    assert loaded.packable, loaded.why_not_packable
    assert any('("smollm")' in note for note in loaded.notes)
    assert loaded.encode("a").ids[0] != 1
    for one, pair in zip(loaded.score(TEXTS), TEXTS, strict=True):
        np.testing.assert_allclose(one.logprobs, plain.score(smollm2_folder, *pair, torch.float64), rtol=0, atol=1e-4)
