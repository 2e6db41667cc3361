"""The embedded model's architecture: a small Llama, so that plain transformers loads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.pretraining.tokenizer import CONTEXT, build_tokenizer, token_list

if TYPE_CHECKING:
    from transformers import LlamaConfig, LlamaForCausalLM

CHECKPOINT = Path(__file__).parent / "checkpoint"


def model_config() -> LlamaConfig:
    """Six layers of four 64-wide heads: 4.6 M parameters, 9.2 MB in float16, under the 10 MB that ship."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(token_list()),
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
        tie_word_embeddings=True,
        attention_bias=False,
        bos_token_id=1,
        eos_token_id=None,
        pad_token_id=0,
        initializer_range=0.02,
    )


def save_checkpoint(model: LlamaForCausalLM, folder: Path = CHECKPOINT) -> None:
    """Write config, float16 safetensors and tokenizer, as `AutoModelForCausalLM.from_pretrained` reads them."""
    import copy

    import torch

    half = copy.deepcopy(model).to("cpu", dtype=torch.float16)
    half.save_pretrained(folder, safe_serialization=True)
    build_tokenizer().save_pretrained(folder)
