"""Attention by the parts of a prompt: from the answer position for every head, between parts, and token by token."""

from __future__ import annotations

from core.attention.answer import check_heads, first_apart, label_tokens, part_of_tokens, pool, read_attention
from core.attention.groups import GROUPINGS, KINDS, START, Groups, Tokens, group, tokens_of
from core.attention.maps import (
    ANSWER,
    LARGEST,
    Between,
    TokenMap,
    between,
    block_groups,
    fits,
    stretch,
    token_map,
    with_answer,
)

__all__ = [
    "ANSWER",
    "GROUPINGS",
    "KINDS",
    "LARGEST",
    "START",
    "Between",
    "Groups",
    "TokenMap",
    "Tokens",
    "between",
    "block_groups",
    "check_heads",
    "first_apart",
    "fits",
    "group",
    "label_tokens",
    "part_of_tokens",
    "pool",
    "read_attention",
    "stretch",
    "token_map",
    "tokens_of",
    "with_answer",
]
