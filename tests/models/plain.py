"""The oracle: transformers alone, one text at a time, eager attention."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, AutoTokenizer


@lru_cache(maxsize=32)
def load(folder: Path, attention: str = "eager", dtype: torch.dtype = torch.float32) -> tuple[Any, Any]:
    """Model and tokenizer as transformers loads them."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation=attention)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def score(folder: Path, context: str, continuation: str, dtype: torch.dtype = torch.float32) -> NDArray[np.float64]:
    """log p of each token of the continuation, from the whole text's own tokens."""
    ends, logs = whole(folder, context + continuation, dtype)
    return logs[np.array(ends, dtype=int) > len(context)]


def whole(folder: Path, text: str, dtype: torch.dtype = torch.float32) -> tuple[list[int], NDArray[np.float64]]:
    """Where each token of a text ends, from the second on, and log p of it."""
    model, tokenizer = load(folder, dtype=dtype)
    encoded = tokenizer(text, return_offsets_mapping=True)
    ids, spans = encoded["input_ids"], encoded["offset_mapping"]
    with torch.no_grad():
        logged = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), dim=-1)
    found = np.array([float(logged[i - 1, ids[i]]) for i in range(1, len(ids))])
    return [end for _, end in spans[1:]], found


def read(folder: Path, text: str) -> Any:
    """The whole output on one text, attention and hidden states included."""
    model, tokenizer = load(folder)
    with torch.no_grad():
        return model(torch.tensor([tokenizer(text)["input_ids"]]), output_attentions=True, output_hidden_states=True)


def alone(folder: Path, text: str) -> NDArray[np.float64]:
    """(layers + 1, t, d) hidden states of the text's own tokens, what stands first left out.

    That is the start token, or the text's first where there is none; a single token is read behind a start token.
    """
    model, tokenizer = load(folder)
    encoded = tokenizer(text, return_offsets_mapping=True)
    ids = encoded["input_ids"]
    if len(ids) == 1 and encoded["offset_mapping"][0][1] > 0:
        ids = [tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id, *ids]
    with torch.no_grad():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
    return np.array(torch.stack(states)[:, 0, 1:].double().numpy())
