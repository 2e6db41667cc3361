"""The attention function and mask that ICLens registers with transformers.

`AttentionInterface` lets one function stand in for a model's attention, `AttentionMaskInterface` for its masks. Ours
do what transformers' own "sdpa" pair does, and on request

- lay the mask of a trie: a token sees its ancestors only, and the model's own rule (causal, window, chunk) is asked
  with depths in place of places, so that each layer keeps its own window;
- show each layer, beside the fused attention, to an observer that computes the rows it wants (`core.models.layer`).

Requests live in a thread-local `CaptureRequest`, so that one thread's pass never sees another's. It is the one
thread-local left: transformers calls our functions with no argument of ours, and they write into it at every layer.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from core.models.layer import Layer, Observed, Observer

NAME = "iclens"
_ROWS_AT_ONCE = 512  # query rows of the model's own eager attention, where the fused one cannot do it


@dataclass
class TreeShape:
    """Tries side by side, padded to one length n.

    Attributes:
        depths: (B, n) int64 depth of each node below the trunk.
        ends: (B, n) int64 one past the node's subtree; a padding node sees itself alone.
        trunk: tokens in front of them, read in an earlier pass.
        parts: where several tries follow one another in one row, the nodes from … to of each; attention then goes
            part by part, so that texts which share nothing cost no padding and no masked pairs.
        keys: for each part the keys that its nodes see, trunk first.
        watched: the part that is shown to an observer.
        apart: (B, n) bool nodes of texts that do not stand behind the trunk and see nothing of it; None for none.
    """

    depths: Tensor
    ends: Tensor
    trunk: int
    parts: tuple[tuple[int, int], ...] = ()
    keys: tuple[Tensor | slice, ...] = ()
    watched: int = 0
    apart: Tensor | None = None
    _masks: dict[tuple[int, int], tuple[Tensor, Tensor | None]] = field(default_factory=dict)

    def mask_of(self, number: int, mask: Tensor) -> Tensor | None:
        """What the nodes of a part see of its keys, of the mask of all; None where it is plainly causal."""
        # by identity: layers of one kind are given one mask, which is held on to so that no other takes its place
        found = self._masks.get((id(mask), number))
        if found is None:
            part = mask[:, :, slice(*self.parts[number])][..., self.keys[number]]
            size = part.shape[-1]
            square = part.dtype == torch.bool and part.shape[-2] == size
            causal = square and torch.equal(part[0, 0], part.new_ones(size, size).tril_())
            found = self._masks[id(mask), number] = mask, None if causal and len(part) == 1 else part
        return found[1]

    def sees(self) -> Tensor:
        """(B, 1, n, trunk + n) bool: which keys are on the path of which query."""
        batch, size = self.depths.shape
        place = torch.arange(size, device=self.depths.device)
        tree = (place[None, None, :] <= place[None, :, None]) & (place[None, :, None] < self.ends[:, None, :])
        front = torch.ones(batch, size, self.trunk, dtype=torch.bool, device=tree.device)
        if self.apart is not None:
            front &= ~self.apart[:, :, None]
        return torch.cat([front, tree], dim=-1)[:, None]

    def positions(self) -> Tensor:
        """(B, n) position ids."""
        return self.depths + (self.trunk if self.apart is None else self.trunk * ~self.apart)

    def key_positions(self) -> Tensor:
        """(B, trunk + n) position ids of the keys."""
        front = torch.arange(self.trunk, device=self.depths.device).expand(len(self.depths), -1)
        return torch.cat([front, self.positions()], dim=-1)


@dataclass
class CaptureRequest(threading.local):
    """What the pass that runs in this thread is asked for, and how often our functions were called in it."""

    tree: TreeShape | None = None
    watch: Observed | None = None
    attention_calls: int = 0
    mask_calls: int = 0


REQUEST = CaptureRequest()


def attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, Tensor | None]:
    """transformers' sdpa attention, with the layer shown to whoever watches.

    Options that the fused kernel lacks (a soft cap, attention sinks, a position bias) go through the model's own
    eager function, a few hundred query rows at a time.
    """
    REQUEST.attention_calls += 1
    tree, watch = REQUEST.tree, REQUEST.watch
    if tree is not None and tree.parts and attention_mask is not None:
        outputs = []
        for number, (part, seen) in enumerate(zip(tree.parts, tree.keys, strict=True)):
            rows, mask = slice(*part), tree.mask_of(number, attention_mask)
            own = watch if number == tree.watched else None
            call = _Call(module, query[:, :, rows], _at(key, seen), _at(value, seen), mask, options)
            outputs.append(_attend(call, own))
        return torch.cat(outputs, dim=1), None
    return _attend(_Call(module, query, key, value, attention_mask, options), watch), None


class _Call(NamedTuple):
    """What a layer asks of its attention function: queries (1, H, t, d), keys and values (1, K, p + t, d), a mask that
    adds or selects or None for causal, and the architecture's own options."""

    module: torch.nn.Module
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    options: dict[str, Any]

    @property
    def past(self) -> int:
        """p, keys of tokens that were read before the queries."""
        return self.key.shape[2] - self.query.shape[2]


def _at(tensor: Tensor, places: Tensor | slice) -> Tensor:
    """Keys or values at some places."""
    return tensor[:, :, places] if isinstance(places, slice) else tensor.index_select(2, places)


def _attend(call: _Call, watch: Observed | None) -> Tensor:
    """(1, t, H, d) what the queries attend to."""
    if any(call.options.get(name) is not None for name in ("softcap", "s_aux", "position_bias")):
        return _eager(call, watch)
    if watch is not None:
        watch.show(_layer(call))
    output: Tensor = sdpa_attention_forward(*call[:5], **call.options)[0]
    return output


def _eager(call: _Call, watch: Observed | None) -> Tensor:
    """The same by the model's own function."""
    module, query, key, value, mask, options = call
    own: Callable[..., tuple[Tensor, Tensor]] = vars(sys.modules[type(module).__module__])["eager_attention_forward"]
    size = query.shape[2]
    places = torch.arange(size, device=query.device)
    if mask is None:
        mask = (torch.arange(key.shape[2], device=query.device)[None, :] <= places[:, None] + call.past)[None, None]
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill(~mask, torch.finfo(query.dtype).min)
    if watch is not None:
        layer = _layer(call._replace(mask=mask))
        if options.get("s_aux") is not None or options.get("position_bias") is not None:
            full = mask

            def given(places: slice | Tensor) -> Tensor:
                return own(module, query[:, :, places], key, value, full[:, :, places], **options)[1]

            layer.given = given
        watch.show(layer)
    parts = [
        own(module, query[:, :, a : a + _ROWS_AT_ONCE], key, value, mask[:, :, a : a + _ROWS_AT_ONCE], **options)[0]
        for a in range(0, size, _ROWS_AT_ONCE)
    ]
    return torch.cat(parts, dim=1)


def _layer(call: _Call) -> Layer:
    """What an observer may see of a layer of a pass over one text."""
    scale, softcap = call.options.get("scaling"), call.options.get("softcap")
    return Layer(
        number=0,
        heads=call.query.shape[1],
        size=call.query.shape[2],
        query=call.query[0],
        key=call.key[0],
        mask=None if call.mask is None else call.mask[0],
        scale=float(call.query.shape[-1] ** -0.5 if scale is None else scale),
        softcap=None if softcap is None else float(softcap),
        value=call.value[0],
        module=call.module,
        past=call.past,
    )


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
def watching(observer: Observer) -> Iterator[None]:
    """Passes of this thread show their layers, on a model that calls our attention function."""
    REQUEST.watch = Observed(observer)
    try:
        yield
    finally:
        REQUEST.watch = None


@contextmanager
def eager(model: Any, observer: Observer) -> Iterator[None]:
    """Passes show their layers, on a model that has attention code of its own: its eager weights, layer by layer.

    Each layer's (1, H, t, t) weights are let go as soon as it has been seen. The model must be asked for
    `output_attentions`, and be the caller's alone meanwhile.
    """
    watch = Observed(observer)

    def take(_module: torch.nn.Module, _inputs: Any, output: Any) -> Any:
        weights = output[1] if isinstance(output, tuple) and len(output) > 1 else None
        if not isinstance(weights, Tensor) or weights.ndim != 4 or weights.shape[-1] != weights.shape[-2]:
            return output
        given = weights
        watch.show(Layer(0, weights.shape[1], weights.shape[2], given=lambda places: given[:, :, places]))
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
