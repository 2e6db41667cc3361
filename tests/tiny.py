"""Tiny random models, loaded once, and the plain way to score with them: one text at a time, transformers alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, AutoTokenizer

from core import Demonstration, load_model
from core.models import LanguageModel
from tests.models.checkpoints import write_tiny

torch.set_num_threads(1)  # more threads only wait for each other on matrices this small

ARCHITECTURES = ("llama", "gpt2")  # one whose tokenizer puts a start token first, one whose does not


@lru_cache
def folder(architecture: str) -> Path:
    """Where the checkpoint was written."""
    return write_tiny(architecture, Path(tempfile.mkdtemp(prefix=f"iclens-{architecture}-")))


@lru_cache
def tiny(architecture: str = "llama") -> LanguageModel:
    """The checkpoint as a user would load it."""
    return load_model(str(folder(architecture)))


@lru_cache
def folder_of(layers: int, heads: int) -> Path:
    """A Llama of this shape, 8 numbers a head, and 2,048 positions."""
    shape = {"num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": heads}
    sizes = {"hidden_size": 8 * heads, "head_dim": 8, "max_position_embeddings": 2_048}
    place = Path(tempfile.mkdtemp(prefix=f"iclens-llama-{layers}x{heads}-"))
    return write_tiny("llama", place, scale=0.1, **shape, **sizes)


@lru_cache
def _plain(architecture: str) -> tuple[object, object]:
    model = AutoModelForCausalLM.from_pretrained(folder(architecture), attn_implementation="eager").eval()
    return model, AutoTokenizer.from_pretrained(folder(architecture))


def plain_logprobs(architecture: str, context: str, continuation: str) -> NDArray[np.float64]:
    """log p of the tokens that end behind the context, from one forward pass over this one text."""
    model, tokenizer = _plain(architecture)
    encoding = tokenizer(context + continuation, return_offsets_mapping=True)  # type: ignore[operator]
    ids = torch.tensor([encoding["input_ids"]])
    with torch.no_grad():
        logits = model(ids).logits[0].double()  # type: ignore[operator]
    logs = torch.log_softmax(logits, dim=-1)
    places = [i for i, (_, end) in enumerate(encoding["offset_mapping"]) if i > 0 and end > len(context)]
    return np.array([float(logs[i - 1, ids[0, i]]) for i in places])


def rows(pairs: Sequence[tuple[str, str]]) -> tuple[Demonstration, ...]:
    """Demonstrations from (input, label) pairs."""
    return tuple(Demonstration(input=x, label=y) for x, y in pairs)


REVIEWS = rows(
    [
        ("a very good film", "positive"),
        ("a very bad plot", "negative"),
        ("the plot was good", "positive"),
        ("the film was bad", "negative"),
        ("what a bird", "positive"),
        ("the house of the dog", "negative"),
    ]
)
