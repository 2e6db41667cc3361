"""A tokenizer that grew: rows of the old one's embedding, found again by their tokens' names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch


def tokens_of(folder: Path) -> tuple[str, ...]:
    """Every token of a checkpoint's tokenizer, by id."""
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return tuple(sorted(vocabulary, key=lambda token: vocabulary[token]))


def regrown(rows: torch.Tensor, before: Sequence[str], after: Sequence[str], fill: torch.Tensor) -> torch.Tensor:
    """Rows (V, d) in the order of the new tokens; those of tokens that are new are `fill`, (d,).

    Raises:
        ValueError: the rows are not those of the old tokens.
    """
    if len(rows) != len(before):
        raise ValueError("An embedding has one row for every token.")
    place = {token: i for i, token in enumerate(before)}
    out = fill.expand(len(after), -1).clone()
    known = [i for i, token in enumerate(after) if token in place]
    out[known] = rows[[place[after[i]] for i in known]]
    return out
