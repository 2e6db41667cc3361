#!/bin/sh
# transformers 5.23.0: a GGUF file's rope_freqs.weight is left out without a warning, so that a Llama with stretched
# positions (rope type "llama3": Llama 3.1 and later) is loaded as one without.
#
# llama.cpp's converter writes no setting for this kind of stretching: it divides each rotary frequency by a factor and
# keeps the factors in that tensor. transformers reads the settings, finds none, and passes over the tensor. Its loading
# report names no missing and no unexpected key. The model answers, and the further apart two tokens are the further its
# predictions are from those of the same weights in safetensors. ICLens says so among the model's notes
# (core/models/gguf.py).
#
# The script makes a Llama of two layers with and without stretching, writes both as the converter does, and loads them.
# The control: without stretching the file gives the model's own logits. Seen on 2026-11-29, largest difference of logits:
#   without stretching: the file against the model 0.0
#   with stretching: the file against its model 10.466, against the model without 0.0, rope type of the file: default
#
# Installs into a temporary folder, needs no model and no ICLens. Ends with status 1 where that is no longer what happens.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
    torch==2.13.0 transformers==5.23.0 gguf==0.19.0 accelerate==1.15.0
cd "$folder"
HF_HUB_OFFLINE=1 "$folder/env/bin/python" - <<'PYTHON'
import logging
import math
import sys

import numpy as np
import torch
from gguf import GGUFWriter
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging as said_by

LAYERS, WIDTH, HEADS, INNER, WORDS, LENGTH = 2, 64, 4, 96, 50, 400
SIZE = WIDTH // HEADS
ORIGINAL, FACTOR, LOW, HIGH = 64, 8.0, 1.0, 4.0
PARTS = {
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


def model(rope: dict) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=WORDS,
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        max_position_embeddings=512,
        rope_parameters={"rope_theta": 10000.0, **rope},
    )
    torch.manual_seed(0)
    made = LlamaForCausalLM(config).eval()
    for weight in made.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, 0.0, 0.25)
    return made


def factors() -> np.ndarray:
    """What each rotary frequency is divided by, as the converter works it out from the settings of "llama3"."""
    found = []
    for place in range(0, SIZE, 2):
        length = 2 * math.pi * 10000.0 ** (place / SIZE)
        if length < ORIGINAL / HIGH:
            found.append(1.0)
        elif length > ORIGINAL / LOW:
            found.append(FACTOR)
        else:
            smooth = (ORIGINAL / length - LOW) / (HIGH - LOW)
            found.append(1.0 / ((1 - smooth) / FACTOR + smooth))
    return np.array(found, dtype=np.float32)


def write(made: LlamaForCausalLM, path: str, stretched: bool) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(made.config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(SIZE)
    writer.add_vocab_size(WORDS)
    if stretched:
        writer.add_tensor("rope_freqs.weight", factors())
    fixed = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    for name, tensor in made.state_dict().items():
        stem, weight = name.removesuffix(".weight"), tensor.numpy()
        if stem in fixed:
            writer.add_tensor(f"{fixed[stem]}.weight", weight)
            continue
        layer, part = stem.removeprefix("model.layers.").split(".", 1)
        if PARTS[part] in ("attn_q", "attn_k"):  # halves that turn together stand side by side in the file
            weight = weight.reshape(HEADS, 2, SIZE // 2, WIDTH).swapaxes(1, 2).reshape(weight.shape)
        writer.add_tensor(f"blk.{layer}.{PARTS[part]}.weight", np.ascontiguousarray(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


words = torch.arange(LENGTH)[None] * 7 % WORDS
said = []
said_by.disable_default_handler()
said_by.add_handler(type("Keep", (logging.Handler,), {"emit": lambda self, one: said.append(one.getMessage())})())
said_by.set_verbosity_warning()


def logits(made: LlamaForCausalLM) -> torch.Tensor:
    with torch.no_grad():
        return made(words).logits


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return round(float((one - other).abs().max()), 3)


plain = model({"rope_type": "default"})
stretch = {"factor": FACTOR, "low_freq_factor": LOW, "high_freq_factor": HIGH}
long = model({"rope_type": "llama3", **stretch, "original_max_position_embeddings": ORIGINAL})
found, reports = {}, []
for name, made in (("plain", plain), ("long", long)):
    write(made, f"{name}.gguf", made is long)
    loaded, report = LlamaForCausalLM.from_pretrained(".", gguf_file=f"{name}.gguf", output_loading_info=True)
    found[name] = loaded.eval()
    reports.append(report)
    said_of = [one for one in said if "rope" in one.lower()]

control = apart(logits(found["plain"]), logits(plain))
own, without = apart(logits(found["long"]), logits(long)), apart(logits(found["long"]), logits(plain))
kind = found["long"].config.rope_parameters["rope_type"]
keys = [sorted(report[which]) for report in reports for which in ("missing_keys", "unexpected_keys")]
print("without stretching: the file against the model", control)
print(f"with stretching: the file against its model {own}, against the model without {without}, rope type of the file: {kind}")
print("keys:", keys, "said:", said_of)
sys.exit(not (control < 0.01 and without < 0.01 and own > 0.1 and kind == "default" and not any(keys) and not said_of))
PYTHON
