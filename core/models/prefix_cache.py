"""Keys and values of what was read lately, so that an edit reads on from where it begins.

Texts that begin alike have the same keys and values as far as they do: a causal model's states of a token depend on the
tokens before it alone. They are kept in a radix tree, every shared beginning once, as SGLang keeps them for a server
(Zheng et al. 2024, RadixAttention); the ends that were used longest ago make room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from core.models.trie import Ints, shared

KeysValues = list[tuple[Tensor, Tensor]]
"""By layer, (1, K, n, d) keys and values of n tokens that follow one another."""

MAX_BYTES = 256 * 2**20
"""Kept for one model: some 5,600 tokens of SmolLM2-135M in float32."""


@dataclass(eq=False)
class _Node:
    """A stretch of tokens behind its parent's.

    Attributes:
        tokens: (n,) at least one, but for the root.
        states: their keys and values.
        children: by first token.
        used: when it was used last, as a count of uses.
    """

    tokens: Ints
    states: KeysValues
    parent: _Node | None
    children: dict[int, _Node] = field(default_factory=dict)
    used: int = 0

    @property
    def nbytes(self) -> int:
        return sum(keys.nbytes + values.nbytes for keys, values in self.states)


class PrefixCache:
    """Keys and values by token sequence. Whoever asks holds the model's lock.

    Attributes:
        most: bytes that it may hold.
        nbytes: bytes that it holds, at most `most`.
    """

    def __init__(self, most: int = MAX_BYTES) -> None:
        self.most, self.nbytes = most, 0
        self._uses = 0
        self._root = _Node(np.empty(0, np.int64), [], None)

    def known(self, tokens: Ints) -> int:
        """How many of the first tokens it holds."""
        return sum(matched for _, matched in self._path(tokens))

    def take(self, tokens: Ints) -> KeysValues:
        """Keys and values of the first tokens that it holds, which count as used; nobody writes into them."""
        self._uses += 1
        pieces: list[KeysValues] = []
        for node, matched in self._path(tokens):
            node.used = self._uses
            whole = matched == len(node.tokens)
            pieces.append(node.states if whole else [(k[:, :, :matched], v[:, :, :matched]) for k, v in node.states])
        if len(pieces) < 2:
            return pieces[0] if pieces else []
        return [
            (torch.cat([k for k, _ in layer], dim=2), torch.cat([v for _, v in layer], dim=2))
            for layer in zip(*pieces, strict=True)
        ]

    def keep(self, tokens: Ints, places: Ints, states: KeysValues) -> None:
        """Hold a sequence, what is not held of it yet, if there is room for it once the oldest have gone.

        Args:
            tokens: (n,) at least one.
            places: (n,) of its keys and values among those given.
            states: of a pass.
        """
        self._uses += 1
        node, known = self._root, 0
        for below, matched in list(self._path(tokens)):
            node = below if matched == len(below.tokens) else self._split(below, matched)
            node.used = self._uses
            known += matched
        if known == len(tokens):
            return
        new = _Node(tokens[known:].copy(), _at(states, places[known:]), node, used=self._uses)
        if not self._make_room(new.nbytes):
            return
        node.children[int(new.tokens[0])] = new
        self.nbytes += new.nbytes

    def clear(self) -> None:
        """Hold nothing."""
        self._root.children.clear()
        self.nbytes = 0

    def _path(self, tokens: Ints) -> Iterator[tuple[_Node, int]]:
        """The nodes along a sequence, and how many tokens of each agree."""
        node, at = self._root, 0
        while at < len(tokens) and int(tokens[at]) in node.children:
            node = node.children[int(tokens[at])]
            matched = shared(node.tokens, tokens[at:])
            yield node, matched
            at += matched
            if matched < len(node.tokens):
                return

    def _split(self, node: _Node, at: int) -> _Node:
        """Cut a node in two, and return the first half, which has the second as its child."""
        assert node.parent is not None
        front = _Node(node.tokens[:at], _copy(node.states, 0, at), node.parent, {int(node.tokens[at]): node}, node.used)
        node.parent.children[int(front.tokens[0])] = front
        node.tokens, node.states, node.parent = node.tokens[at:], _copy(node.states, at, len(node.tokens)), front
        return front

    def _make_room(self, size: int) -> bool:
        """Let go of the ends used longest ago, but for those in use now, until `size` bytes fit; False where they
        cannot."""
        while self.nbytes + size > self.most:
            ends = [node for node in self._nodes() if not node.children and node.used < self._uses]
            if not ends:
                return False
            oldest = min(ends, key=lambda node: node.used)
            assert oldest.parent is not None
            del oldest.parent.children[int(oldest.tokens[0])]
            self.nbytes -= oldest.nbytes
        return True

    def _nodes(self) -> Iterator[_Node]:
        waiting: list[_Node] = list(self._root.children.values())
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children.values()


def _at(states: KeysValues, places: Ints) -> KeysValues:
    """Keys and values at some places: copies, so that no view keeps the whole of a pass alive, but where it is all."""
    size = states[0][0].shape[2]
    if len(places) == size and bool((places == np.arange(size)).all()):
        return states
    at = torch.from_numpy(np.ascontiguousarray(places)).to(states[0][0].device)
    return [(keys.index_select(2, at), values.index_select(2, at)) for keys, values in states]


def _copy(states: KeysValues, start: int, end: int) -> KeysValues:
    """Keys and values of some of the tokens, in memory of their own."""
    return [(keys[:, :, start:end].clone(), values[:, :, start:end].clone()) for keys, values in states]
