"""The embedded model's architecture: a small Llama, so that plain transformers loads it, and how it starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.models.embedded import LOOK_BACK
from core.pretraining.tokenizer import CONTEXT, build_tokenizer, token_list

if TYPE_CHECKING:
    from transformers import LlamaConfig, LlamaForCausalLM

CHECKPOINT = Path(__file__).parent / "checkpoint"
LOOK_BACK_STRENGTH = 4.0
LOOK_BACK_FREQUENCIES = 16  # the fastest rotary pairs; the slow ones cannot tell neighbours apart


def model_config() -> LlamaConfig:
    """Four layers of three 64-wide heads: 2.3 M parameters, 4.5 MB in float16."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(token_list()),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=3,
        num_key_value_heads=3,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
        tie_word_embeddings=True,
        attention_bias=True,
        bos_token_id=1,
        eos_token_id=None,
        pad_token_id=0,
        initializer_range=0.02,
    )


def initial_model() -> LlamaForCausalLM:
    """The model before training, with a start that favours memory of the context.

    The first layer's first two heads look one and two tokens back, and write what they find alike; in later layers
    keys equal queries, so that like finds like. From a plain start the model does not learn to copy from its context
    within the tokens that two processor cores can train in hours. The heads that look back are thus planted, not
    emerged, which the model card and every page that speaks of heads must say.
    """
    import torch
    from transformers import LlamaForCausalLM

    model: LlamaForCausalLM = LlamaForCausalLM._from_config(  # type: ignore[no-untyped-call]
        model_config(), attn_implementation="eager"
    )
    width = model.config.hidden_size // model.config.num_attention_heads
    half = width // 2
    frequency = 1000.0 ** (-torch.arange(LOOK_BACK_FREQUENCIES) / half)
    with torch.no_grad():
        first = model.model.layers[0].self_attn
        for head, offset in enumerate(LOOK_BACK):
            start = head * width
            low, high = slice(start, start + len(frequency)), slice(start + half, start + half + len(frequency))
            # A query at m meets a key at n with Σ cos((m − n − offset) θ), largest at m − n = offset.
            first.q_proj.bias[low] = LOOK_BACK_STRENGTH
            first.k_proj.bias[low] = LOOK_BACK_STRENGTH * torch.cos(offset * frequency)
            first.k_proj.bias[high] = LOOK_BACK_STRENGTH * torch.sin(offset * frequency)
            if head:
                first.v_proj.weight[start : start + width] = first.v_proj.weight[:width]
                first.o_proj.weight[:, start : start + width] = first.o_proj.weight[:, :width]
        for layer in model.model.layers[1:]:
            layer.self_attn.k_proj.weight.copy_(layer.self_attn.q_proj.weight)
    return model


def save_checkpoint(model: LlamaForCausalLM, folder: Path = CHECKPOINT) -> None:
    """Write config, float16 safetensors and tokenizer, as `AutoModelForCausalLM.from_pretrained` reads them."""
    import copy

    import torch

    half: Any = copy.deepcopy(model)
    half = half.to("cpu", dtype=torch.float16)
    half.save_pretrained(folder)
    build_tokenizer().save_pretrained(folder)
