"""The attention function and mask that ICLens registers with transformers.

`AttentionInterface` lets one function stand in for a model's attention, `AttentionMaskInterface` for its masks. Ours
do what transformers' own "sdpa" pair does, and on request

- lay the mask of a trie: a token sees its ancestors only, and the model's own rule (causal, window, chunk) is asked
  with depths in place of places, so that each layer keeps its own window;
- compute beside the fused attention the softmax of a few query rows: softmax(scale · q_r Kᵀ + mask_r).

Requests live in a thread-local `Request`, so that one thread's pass never sees another's.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "iclens"
_ROWS_AT_ONCE = 512  # query rows of the model's own eager attention, where the fused one cannot do it


@dataclass
class TreeShape:
    """Tries side by side, padded to one length n.

    Attributes:
        depths: (B, n) int64 depth of each node below the trunk.
        ends: (B, n) int64 one past the node's subtree; a padding node sees itself alone.
        trunk: tokens in front of all of them.
        parts: where several tries follow one another in one row, the nodes from … to of each; attention then goes
            part by part, so that texts which share nothing cost no padding and no masked pairs.
    """

    depths: Tensor
    ends: Tensor
    trunk: int
    parts: tuple[tuple[int, int], ...] = ()

    def sees(self) -> Tensor:
        """(B, 1, n, trunk + n) bool: which keys are on the path of which query."""
        batch, size = self.depths.shape
        place = torch.arange(size, device=self.depths.device)
        tree = (place[None, None, :] <= place[None, :, None]) & (place[None, :, None] < self.ends[:, None, :])
        front = torch.ones(batch, size, self.trunk, dtype=torch.bool, device=tree.device)
        return torch.cat([front, tree], dim=-1)[:, None]

    def positions(self) -> Tensor:
        """(B, n) position ids."""
        return self.depths + self.trunk

    def key_positions(self) -> Tensor:
        """(B, trunk + n) position ids of the keys."""
        front = torch.arange(self.trunk, device=self.depths.device).expand(len(self.depths), -1)
        return torch.cat([front, self.positions()], dim=-1)


@dataclass
class Rows:
    """Attention rows to keep during a pass over one text.

    Attributes:
        rows: places of the queries, not negative.
        head: (layer, head) whose whole map is wanted, or None.
        kept: per layer (heads, rows, t) float32.
        map: (t, t) float32 of `head`.
    """

    rows: list[int]
    head: tuple[int, int] | None = None
    kept: list[Tensor] = field(default_factory=list)
    map: Tensor | None = None

    def keep(self, query: Tensor, key: Tensor, mask: Tensor | None, scale: float, softcap: float | None) -> None:
        """Take this layer's rows; `query` is (1, H, t, d), `key` (1, K, t, d) with H a multiple of K."""
        layer = len(self.kept)
        self.kept.append(_weights(query[0][:, self.rows], key[0], mask, self.rows, scale, softcap))
        if self.head is not None and self.head[0] == layer:
            chosen, group = self.head[1], query.shape[1] // key.shape[1]
            one = mask if mask is None or mask.shape[1] == 1 else mask[:, chosen : chosen + 1]
            every = list(range(query.shape[2]))
            keys = key[0][chosen // group][None]
            self.map = _weights(query[0][chosen][None], keys, one, every, scale, softcap)[0]

    def take(self, weights: Tensor) -> None:
        """Take this layer's rows out of (1, H, t, t) weights that the model gave itself."""
        layer = len(self.kept)
        self.kept.append(weights[0][:, self.rows].float())
        if self.head is not None and self.head[0] == layer:
            self.map = weights[0][self.head[1]].float()


def _weights(
    query: Tensor, key: Tensor, mask: Tensor | None, rows: list[int], scale: float, softcap: float | None
) -> Tensor:
    """softmax(scale · q Kᵀ + mask) of (H, r, d) queries on (K, t, d) keys, in float32: (H, r, t)."""
    heads, count, width = query.shape
    grouped = query.reshape(key.shape[0], heads // key.shape[0] * count, width)
    scores = (grouped @ key.transpose(-1, -2) * scale).float().reshape(heads, count, -1)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    places = torch.tensor(rows, device=scores.device)
    if mask is None:
        allowed = torch.arange(key.shape[1], device=scores.device)[None, :] <= places[:, None]
        scores = scores.masked_fill(~allowed, -torch.inf)
    elif mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask[0][:, places], -torch.inf)
    else:
        scores = scores + mask[0][:, places].float()
    return scores.softmax(dim=-1)


@dataclass
class Request(threading.local):
    """What the pass that runs in this thread is asked for, and how often our functions were called in it."""

    tree: TreeShape | None = None
    rows: Rows | None = None
    attention_calls: int = 0
    mask_calls: int = 0


REQUEST = Request()


def attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, Tensor | None]:
    """transformers' sdpa attention, with the rows asked for kept aside.

    Options that the fused kernel lacks (a soft cap, attention sinks, a position bias) go through the model's own
    eager function, a few hundred query rows at a time.
    """
    REQUEST.attention_calls += 1
    parts = REQUEST.tree.parts if REQUEST.tree is not None else ()
    if parts and attention_mask is not None:
        outputs = []
        for a, b in parts:
            part = slice(a, b)
            mask = attention_mask[:, :, part, part]
            outputs.append(_attend(module, query[:, :, part], key[:, :, part], value[:, :, part], mask, options)[0])
        return torch.cat(outputs, dim=1), None
    return _attend(module, query, key, value, attention_mask, options)


def _attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> tuple[Tensor, Tensor | None]:
    beyond = any(options.get(name) is not None for name in ("softcap", "s_aux", "position_bias"))
    if beyond:
        return _eager(module, query, key, value, mask, options)
    if REQUEST.rows is not None:
        scale = options.get("scaling")
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        REQUEST.rows.keep(query, key, mask, float(scale), None)
    output, _ = sdpa_attention_forward(module, query, key, value, mask, **options)
    return output, None


def _eager(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, options: dict[str, Any]
) -> tuple[Tensor, Tensor | None]:
    own: Callable[..., tuple[Tensor, Tensor]] = vars(sys.modules[type(module).__module__])["eager_attention_forward"]
    size, past = query.shape[2], key.shape[2] - query.shape[2]
    places = torch.arange(size, device=query.device)
    if mask is None:
        mask = (torch.arange(key.shape[2], device=query.device)[None, :] <= places[:, None] + past)[None, None]
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill(~mask, torch.finfo(query.dtype).min)
    request = REQUEST.rows
    if request is not None:
        if options.get("softcap") is not None and options.get("s_aux") is None and options.get("position_bias") is None:
            scale = options.get("scaling")
            scale = query.shape[-1] ** -0.5 if scale is None else scale
            request.keep(query, key, mask, float(scale), float(options["softcap"]))
        else:
            request.take(own(module, query, key, value, mask, **options)[1])
    parts = [
        own(module, query[:, :, a : a + _ROWS_AT_ONCE], key, value, mask[:, :, a : a + _ROWS_AT_ONCE], **options)[0]
        for a in range(0, size, _ROWS_AT_ONCE)
    ]
    return torch.cat(parts, dim=1), None


def tree_mask(**options: Any) -> Tensor | None:
    """transformers' sdpa mask, or with a trie in the request: ancestors, and the model's own rule on depths."""
    REQUEST.mask_calls += 1
    tree = REQUEST.tree
    if tree is None:
        result: Tensor | None = sdpa_mask(**options)
        return result
    if options.get("kv_offset") or options["kv_length"] != tree.trunk + tree.depths.shape[1]:
        raise NotImplementedError("a cache that forgets cannot carry a trie")
    rule = options["mask_function"]
    batch = torch.arange(len(tree.depths), device=tree.depths.device)[:, None, None, None]
    head = torch.zeros(1, 1, 1, 1, dtype=torch.int64, device=tree.depths.device)
    own = rule(batch, head, tree.positions()[:, None, :, None], tree.key_positions()[:, None, None, :])
    allowed: Tensor = tree.sees() & own
    return allowed


@contextmanager
def watching(rows: Rows) -> Iterator[None]:
    """Passes of this thread fill `rows`, on a model that calls our attention function."""
    REQUEST.rows = rows
    try:
        yield
    finally:
        REQUEST.rows = None


@contextmanager
def eager(model: Any, rows: Rows) -> Iterator[None]:
    """Passes fill `rows`, on a model that has attention code of its own: its eager weights, layer by layer.

    Each layer's (1, H, t, t) weights are let go as soon as the rows are taken. The model must be asked for
    `output_attentions`, and be the caller's alone meanwhile.
    """

    def take(_module: torch.nn.Module, _inputs: Any, output: Any) -> Any:
        weights = output[1] if isinstance(output, tuple) and len(output) > 1 else None
        if not isinstance(weights, Tensor) or weights.ndim != 4 or weights.shape[-1] != weights.shape[-2]:
            return output
        rows.take(weights)
        return (output[0], None, *output[2:])

    hooks = [module.register_forward_hook(take) for module in model.modules()]
    before = model.config._attn_implementation
    model.config._attn_implementation = "eager"
    try:
        yield
    finally:
        model.config._attn_implementation = before
        for hook in hooks:
            hook.remove()


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, tree_mask)
