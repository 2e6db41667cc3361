"""Tiny random checkpoints, written to disk as a user would have them: config, safetensors, fast tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

WINDOW = 8  # shorter than every prompt that the tests use
CONTEXT = 320
VOCABULARY = 400

CORPUS = [
    "the film was positive and the plot was negative -> positive\n",
    "dog -> chien\ncat -> chat\nhouse -> maison\nbird -> oiseau\n",
    "Review: a very good film.\nSentiment: positive\n\nReview: a very bad plot.\nSentiment: negative\n",
    "Q: what is the capital of France?\nA: Paris\n",
] * 8

_SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT,
}
_GROUPED: dict[str, Any] = {**_SMALL, "num_key_value_heads": 2}
_NEO_LAYERS = {"num_layers": 4, "num_heads": 4, "window_size": WINDOW, "attention_types": [[["global", "local"], 2]]}

# architecture -> (model type, config). Windows are shorter than the prompts, heads are grouped where they can be.
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": CONTEXT}),
    "gpt_neox": ("gpt_neox", {**_SMALL, "rotary_pct": 0.5}),
    "opt": (
        "opt",
        {**_SMALL, "ffn_dim": 48, "word_embed_proj_dim": 32, "pad_token_id": 1},
    ),
    "llama": ("llama", _GROUPED),
    "mistral": ("mistral", {**_GROUPED, "sliding_window": WINDOW}),
    "gemma3": (
        "gemma3_text",
        {
            **_GROUPED,
            "num_hidden_layers": 4,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": WINDOW,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "final_logit_softcapping": 30.0,
        },
    ),
    "qwen2": ("qwen2", _GROUPED),
    "qwen3": ("qwen3", {**_GROUPED, "head_dim": 16}),
    "phi": ("phi", {**_GROUPED, "partial_rotary_factor": 0.5}),
    "falcon": ("falcon", {**_SMALL, "multi_query": True, "parallel_attn": True, "alibi": False}),
    "bloom": ("bloom", {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 3, "n_head": 4, "seq_length": CONTEXT}),
    "gpt_neo": (
        "gpt_neo",
        {"vocab_size": VOCABULARY, "hidden_size": 32, "max_position_embeddings": CONTEXT, **_NEO_LAYERS},
    ),
    # beyond the twelve: attention with a soft cap, and ALiBi in an architecture that is otherwise packed
    "gemma2": (
        "gemma2",
        {
            **_GROUPED,
            "num_hidden_layers": 4,
            "head_dim": 16,
            "query_pre_attn_scalar": 16,
            "sliding_window": WINDOW,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "attn_logit_softcapping": 5.0,
            "final_logit_softcapping": 30.0,
        },
    ),
    "falcon_alibi": ("falcon", {**_SMALL, "multi_query": False, "parallel_attn": False, "alibi": True}),
    "gptj": (
        "gptj",
        {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": CONTEXT, "rotary_dim": 4},
    ),
}
TWELVE = tuple(ARCHITECTURES)[:12]
WITH_BOS = {"llama", "mistral", "gemma2", "gemma3"}


def write_tokenizer(folder: Path, bos: bool) -> None:
    """A byte-level BPE tokenizer of 400 tokens; with `bos` its post-processor puts "<s>" first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<s>", "<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    else:
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    ).save_pretrained(folder)


def write_tiny(architecture: str, folder: Path, *, seed: int = 0, scale: float = 0.25, **other: Any) -> Path:
    """Write a random checkpoint of `architecture` (a key of `ARCHITECTURES`, whose settings but for `other` it has)
    into `folder`, and return the folder.

    Weights are drawn wide enough (standard deviation `scale`) that every context changes every prediction: at the
    usual 0.02 a wrong mask would hide below any tolerance.
    """
    kind, settings = ARCHITECTURES[architecture]
    config = AutoConfig.for_model(
        kind, **{"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1, **settings, **other}
    )
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim >= 2:
                weight.normal_(0.0, scale)
            elif name.endswith("bias"):
                weight.normal_(0.0, 0.1)
            else:
                weight.add_(torch.randn_like(weight) * 0.1)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    write_tokenizer(folder, bos=architecture in WITH_BOS)
    return folder
