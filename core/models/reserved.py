"""Room for a pass's keys and values, set aside before it: one block for all layers.

A cache that grows layer by layer ends up between the pass's activations, whose memory can then not be given back while
the keys and values are kept: of 1,679 tokens of SmolLM2-135M, 77 MB, some 130 MB more stayed taken.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from core.models.prefix_cache import KeysValues


def reserved(known: KeysValues, layers: int) -> DynamicCache:
    """A cache that goes on from what is known, by layer, or from nothing; what is known is never written into.

    Args:
        layers: of the model.
    """
    cache = DynamicCache()
    block = _Block(layers)
    cache.layers = [_Layer(block, place, *known[place : place + 1]) for place in range(layers)]
    return cache


class _Block:
    """(layers, 2, B, K, n, d), allocated when the first layer says how large its keys and values are."""

    def __init__(self, layers: int) -> None:
        self._layers = layers
        self._tensor: Tensor | None = None

    def room(self, place: int, keys: Tensor, values: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
        """Of one layer, keys and values of so many tokens, to be written; a layer of another shape has its own."""
        shapes = [(*one.shape[:2], tokens, one.shape[3]) for one in (keys, values)]
        if self._tensor is None and shapes[0] == shapes[1]:
            self._tensor = keys.new_empty((self._layers, 2, *shapes[0]))
        block = self._tensor
        if block is not None and all(shape == block.shape[2:] for shape in shapes) and block.dtype == keys.dtype:
            return block[place, 0], block[place, 1]
        return keys.new_empty(shapes[0]), values.new_empty(shapes[1])


class _Layer(DynamicLayer):  # type: ignore[no-untyped-call]  # transformers registers subclasses by an untyped function
    """A layer whose first update goes into the block; later ones grow as transformers' own do."""

    def __init__(self, block: _Block, place: int, known: tuple[Tensor, Tensor] | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._block: _Block | None = block
        self._place = place
        if known is not None:
            self.lazy_initialization(*known)
            self.keys, self.values = known

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Put the states of a pass behind those that are known."""
        if self._block is None:
            grown: tuple[Tensor, Tensor] = super().update(key_states, value_states, *args, **kwargs)
            return grown
        front, before = self.get_seq_length(), (self.keys, self.values)
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        new = (key_states, value_states)
        room = self._block.room(self._place, *new, front + key_states.shape[2])
        for to, old, states in zip(room, before, new, strict=True):
            if front and old is not None:
                to[:, :, :front] = old
            to[:, :, front:] = states
        self.keys, self.values = room
        self._block = None
        return room
