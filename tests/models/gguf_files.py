"""Tiny GGUF files, as llama.cpp's converter would write them from a checkpoint of `checkpoints.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from numpy.typing import NDArray
from safetensors.numpy import load_file

LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
OTHERS = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}


def write_gguf(
    folder: Path,
    path: Path,
    *,
    settings: dict[str, Any] | None = None,
    without: tuple[str, ...] = (),
    tensors: dict[str, NDArray[np.float32]] | None = None,
    packed: GGMLQuantizationType | None = None,
    architecture: str = "llama",
) -> Path:
    """Write the Llama in `folder` as a GGUF file.

    Args:
        settings: keys to add or to change.
        without: keys to leave out.
        tensors: more tensors.
        packed: how matrices of whole blocks are packed; float32 else.
    """
    config = json.loads((folder / "config.json").read_text())
    writer = GGUFWriter(path, architecture)
    said: dict[str, Any] = {
        "llama.context_length": config["max_position_embeddings"],
        "llama.embedding_length": config["hidden_size"],
        "llama.block_count": config["num_hidden_layers"],
        "llama.feed_forward_length": config["intermediate_size"],
        "llama.attention.head_count": config["num_attention_heads"],
        "llama.attention.head_count_kv": config["num_key_value_heads"],
        "llama.attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "llama.rope.freq_base": float(config["rope_parameters"]["rope_theta"]),
        "llama.rope.dimension_count": config["hidden_size"] // config["num_attention_heads"],
        "llama.vocab_size": config["vocab_size"],
        **_tokenizer(folder),
        **(settings or {}),
    }
    for key, value in said.items():
        if key not in without:
            _put(writer, key, value)
    for name, weight in [*_tensors(folder, config).items(), *(tensors or {}).items()]:
        if packed is not None and weight.ndim > 1 and weight.shape[-1] % 32 == 0:
            writer.add_tensor(name, quantize(weight, packed), raw_dtype=packed)
        else:
            writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _put(writer: GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def _tokenizer(folder: Path) -> dict[str, Any]:
    """The byte-level tokenizer of the checkpoint under llama.cpp's keys."""
    filed = json.loads((folder / "tokenizer.json").read_text())
    numbers = filed["model"]["vocab"]
    control = {token["content"] for token in filed["added_tokens"]}
    tokens = sorted(numbers, key=numbers.get)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in control else 1 for token in tokens],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in filed["model"]["merges"]],
        "tokenizer.ggml.bos_token_id": numbers["<s>"],
        "tokenizer.ggml.eos_token_id": numbers["</s>"],
        "tokenizer.ggml.add_bos_token": True,
    }


def _tensors(folder: Path, config: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """Weights by llama.cpp's names; of queries and keys, whose halves rotate together there, the rows side by side."""
    found: dict[str, NDArray[np.float32]] = {}
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for name, weight in load_file(folder / "model.safetensors").items():
        if name in OTHERS:
            found[OTHERS[name]] = weight
        elif name == "lm_head.weight":
            found["output.weight"] = weight
        else:
            layer, rest = name.removeprefix("model.layers.").split(".", 1)
            part = LAYER[rest.removesuffix(".weight")]
            if part in heads:
                count, (rows, width) = heads[part], weight.shape
                halves = weight.reshape(count, 2, rows // count // 2, width)
                weight = np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))
            found[f"blk.{layer}.{part}.weight"] = weight
    return found
