"""A token trie in depth-first order, in which "is an ancestor of" is two comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Trie:
    """Token sequences with every shared prefix once, nodes numbered depth first.

    Node j is an ancestor of node i, or i itself, exactly when j ≤ i < ends[j]: a subtree is a run of numbers.

    Attributes:
        tokens: (n,) token of each node.
        depths: (n,) tokens before it on its path.
        ends: (n,) one past the last node of its subtree.
        members: places of the sequences in the caller's list.
        paths: for each member, the (length,) nodes of its tokens.
    """

    tokens: Ints
    depths: Ints
    ends: Ints
    members: tuple[int, ...]
    paths: tuple[Ints, ...]

    @property
    def is_chain(self) -> bool:
        """One path only: ordinary causal attention needs no mask of ours."""
        return bool(len(self.depths) == 0 or self.depths[-1] == len(self.depths) - 1)


def shared(a: Ints, b: Ints) -> int:
    """Length of the longest common prefix."""
    size = min(len(a), len(b))
    differs = a[:size] != b[:size]
    first = int(differs.argmax()) if size else 0
    return first if size and differs[first] else size


def lexicographic(sequences: Sequence[Ints]) -> list[int]:
    """Places of the sequences in dictionary order, in which neighbours share the most."""
    keys = [sequence.astype(">u4").tobytes() for sequence in sequences]
    return sorted(range(len(sequences)), key=keys.__getitem__)


def distinct(sequences: Sequence[Ints]) -> int:
    """Nodes of the trie of all of them: tokens, every shared beginning once."""
    order = lexicographic(sequences)
    pairs = zip([None, *order], order, strict=False)
    return sum(len(sequences[b]) - (0 if a is None else shared(sequences[a], sequences[b])) for a, b in pairs)


def build(sequences: Sequence[Ints] | dict[int, Ints], members: Sequence[int], common: Sequence[int]) -> Trie:
    """The trie of `sequences[m] for m in members`, members in dictionary order.

    `common[i]` is the length of the prefix that member i shares with member i − 1 (0 for the first).
    """
    tokens: list[Ints] = []
    depths: list[Ints] = []
    paths: list[Ints] = []
    count = 0
    for member, prefix in zip(members, common, strict=True):
        sequence = sequences[member]
        added = len(sequence) - prefix
        fresh = np.arange(count, count + added)
        paths.append(np.concatenate([paths[-1][:prefix], fresh]) if prefix else fresh)
        tokens.append(sequence[prefix:])
        depths.append(np.arange(prefix, len(sequence)))
        count += added
    depth = np.concatenate(depths)
    return Trie(np.concatenate(tokens), depth, _subtree_ends(depth), tuple(members), tuple(paths))


def _subtree_ends(depths: Ints) -> Ints:
    """A subtree ends at the next node that is no deeper than its root."""
    ends = np.full(len(depths), len(depths), dtype=np.int64)
    path: list[int] = []  # path[d] is the open node at depth d
    for node, depth in enumerate(depths.tolist()):
        if depth < len(path):
            ends[path[depth:]] = node
            del path[depth:]
        path.append(node)
    return ends
