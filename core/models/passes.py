"""Forward passes over a plan: trunk once, then batch after batch, logits at the marked nodes alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from core.errors import Cancelled
from core.models.architectures import Route
from core.models.capture import REQUEST, TreeShape, watching
from core.models.observers import Rows
from core.models.packing import Plan, Row
from core.models.trie import Ints
from core.runtime.cost import count
from core.runtime.progress import Advance

_BLOCK = 128  # nodes of a trie whose attention goes together; fewer would be more calls, more would be masked pairs
_SMALLEST_PART = 96  # nodes; below, masked pairs are cheaper than another call
Stop = Callable[[], bool]


class Look:
    """The attention of one sequence's last token, taken in passing from the pass that reads it.

    It is there where the sequence's trie is the only one of its pass and no trunk stands in front; elsewhere the text
    has to be read apart.
    """

    def __init__(self, member: int) -> None:
        """
        Args:
            member: the sequence's place among those planned.
        """
        self._member = member
        self._rows: Rows | None = None
        self._path: Ints = np.empty(0, np.int64)

    @contextmanager
    def at(self, batch: tuple[Row, ...], behind_a_trunk: bool) -> Iterator[None]:
        """Around the pass of a batch: watches it where it holds the sequence."""
        trie = batch[0].trie
        if len(batch) > 1 or behind_a_trunk or self._member not in trie.members:
            yield
            return
        self._path = trie.paths[trie.members.index(self._member)]
        self._rows = Rows([int(self._path[-1])])
        with watching(self._rows):
            yield

    @property
    def attention(self) -> NDArray[np.float32] | None:
        """(layers, heads, 1, t) over the sequence's own tokens, or None where it was not seen."""
        if self._rows is None or not self._rows.kept:
            return None
        seen: NDArray[np.float32] = torch.stack(self._rows.kept).float().cpu().numpy()
        return seen[..., self._path]


class Alone:
    """Mean last-layer states of texts that are read alone, taken in passing from passes that are made anyway.

    They are there for texts whose trie begins at their first token: no trunk stands in front.
    """

    def __init__(self, own: dict[int, Ints]) -> None:
        """
        Args:
            own: by sequence, the places among those planned, which of its tokens the mean is over.
        """
        self._own = own
        self.means: dict[int, NDArray[np.float32]] = {}

    def take(self, batch: tuple[Row, ...], states: Tensor) -> None:
        """Read them off a batch's (n, d) states, its rows one after another."""
        start = 0
        for row in batch:
            for member, path in zip(row.trie.members, row.trie.paths, strict=True):
                if member in self._own:
                    self.means[member] = states[start + path[self._own[member]]].float().mean(dim=0).cpu().numpy()
            start += len(row.trie.tokens)


class Passes:
    """Runs a model's forward passes; the caller holds the model's lock.

    With `forest`, rows of a batch follow one another in a single row; else they stand side by side, padded.
    """

    def __init__(self, model: Any, route: Route, forest: bool = False) -> None:
        self.model, self.route, self.forest = model, route, forest
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters

    def run(
        self,
        plans: list[Plan],
        stop: Stop | None = None,
        advance: Advance = lambda done: None,
        look: Look | None = None,
        blocks: bool = False,
        alone: Alone | None = None,
    ) -> Iterator[tuple[int, tuple[Row, ...], Tensor]]:
        """For each batch, tokens of its trunk, its rows and the (marked nodes, V) logits, rows one after another.

        Raises:
            Cancelled: `stop` said so between two passes.
        """
        done = 0
        for plan in plans:
            check(stop)
            trunk = self.cache(plan.trunk) if len(plan.trunk) else None
            for batch in plan.batches:
                check(stop)
                with nullcontext() if look is None else look.at(batch, trunk is not None):
                    logits = self.logits(batch, trunk, blocks, alone)
                yield len(plan.trunk), batch, logits
                done += 1
                advance(done)

    def cache(self, tokens: Ints) -> DynamicCache:
        """Keys and values of one sequence, every layer in full (a windowed layer forgets by its mask)."""
        kept = DynamicCache()
        self._forward({"input_ids": self._tensor(tokens)[None], "past_key_values": kept, "use_cache": True}, None)
        return kept

    def logits(
        self,
        batch: tuple[Row, ...],
        trunk: DynamicCache | None,
        blocks: bool = False,
        alone: Alone | None = None,
    ) -> Tensor:
        """(marked nodes of all rows, V) next-token logits; with `blocks`, attention of a large trie goes in blocks.

        Args:
            alone: takes what it wants of the states, where rows follow one another and no trunk stands in front.
        """
        if self.forest and trunk is None and (len(batch) > 1 or (blocks and not batch[0].trie.is_chain)):
            return self._in_one_row(batch, blocks, alone)
        ids = _table([row.trie.tokens for row in batch])
        keep = np.zeros(ids.shape, dtype=bool)
        for place, row in enumerate(batch):
            keep[place, row.marked] = True
        inputs: dict[str, Any] = {"input_ids": self._tensor(ids), "use_cache": trunk is not None}
        front = 0
        if trunk is not None:
            front = trunk.get_seq_length()
            inputs["past_key_values"] = _repeat(trunk, len(batch))
        tree = None
        # padding stands to the right of every token that counts, so that chains need no mask at all
        if not batch[0].trie.is_chain:
            ends = _table([row.trie.ends for row in batch], np.arange(1, ids.shape[1] + 1))
            depths = _table([row.trie.depths for row in batch])
            tree = TreeShape(self._tensor(depths), self._tensor(ends), front)
            inputs |= self._tree_inputs(tree)
        return self._forward(inputs, self._tensor(keep), tree)

    def _in_one_row(self, batch: tuple[Row, ...], blocks: bool, alone: Alone | None) -> Tensor:
        """Tries one after another instead of side by side: no padding."""
        starts = np.cumsum([0, *(len(row.trie.tokens) for row in batch)])
        keep = np.zeros((1, starts[-1]), dtype=bool)
        keep[0, np.concatenate([row.marked + start for row, start in zip(batch, starts, strict=False)])] = True
        ends = np.concatenate([row.trie.ends + start for row, start in zip(batch, starts, strict=False)])
        depths = np.concatenate([row.trie.depths for row in batch])
        parts = _parts(starts.tolist())
        keys: list[Tensor] = []
        if blocks:
            parts = tuple(block for part in parts for block in _blocks(*part))
            keys = [self._tensor(_open_before(ends, *block)) for block in parts]
        tree = TreeShape(self._tensor(depths)[None], self._tensor(ends)[None], 0, parts, tuple(keys))
        ids = self._tensor(np.concatenate([row.trie.tokens for row in batch]))[None]
        inputs = {"input_ids": ids, "use_cache": False, **self._tree_inputs(tree)}
        return self._forward(inputs, self._tensor(keep), tree, None if alone is None else partial(alone.take, batch))

    def hidden(self, batch: tuple[Row, ...], layer: int) -> Tensor:
        """(B, n, d) hidden states of one layer, for a batch of chains."""
        ids = _table([row.trie.tokens for row in batch])
        states: Tensor = self.last(
            {"input_ids": self._tensor(ids), "use_cache": False}, output_hidden_states=True
        ).hidden_states[layer]
        return states

    def last(self, inputs: dict[str, Any], **options: Any) -> Any:
        """The model's whole output, with logits at the last place alone."""
        count(passes=1)
        with torch.inference_mode():
            return self.model(**inputs, **options, **({"logits_to_keep": 1} if self._keeps else {}))

    def _tree_inputs(self, tree: TreeShape) -> dict[str, Any]:
        if self.route == "interface":
            # a 2-D mask keeps transformers from reading the depths as several texts packed one after another
            ones = torch.ones(tree.key_positions().shape, dtype=torch.int64, device=tree.depths.device)
            return {"position_ids": tree.positions(), "attention_mask": ones}
        allowed = tree.sees()
        blocked = torch.finfo(self.model.dtype).min
        mask = torch.zeros(allowed.shape, dtype=self.model.dtype, device=allowed.device)
        return {"position_ids": tree.positions(), "attention_mask": mask.masked_fill_(~allowed, blocked)}

    def _forward(
        self,
        inputs: dict[str, Any],
        keep: Tensor | None,
        tree: TreeShape | None = None,
        take: Callable[[Tensor], None] | None = None,
    ) -> Tensor:
        if take is not None:
            inputs["output_hidden_states"] = True
        if self._keeps:
            inputs["logits_to_keep"] = 1 if keep is None else keep
        REQUEST.tree = tree if self.route == "interface" else None
        count(passes=1)
        try:
            with torch.inference_mode():
                output = self.model(**inputs)
            logits: Tensor = output.logits
            if take is not None:
                take(output.hidden_states[-1][0])
        finally:
            REQUEST.tree = None
        return logits if keep is None or logits.ndim == 2 else logits[keep]

    def _tensor(self, array: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.model.device)


def check(stop: Stop | None) -> None:
    """Raise `Cancelled` when `stop` says so."""
    if stop is not None and stop():
        raise Cancelled


def _repeat(cache: DynamicCache, times: int) -> DynamicCache:
    """A copy of a cache of one sequence for `times` rows, which may grow without touching the original."""
    layers: list[Any] = list(cache.layers)
    return DynamicCache([(x.keys.expand(times, -1, -1, -1), x.values.expand(times, -1, -1, -1)) for x in layers])


def _parts(starts: list[int]) -> tuple[tuple[int, int], ...]:
    """From … to of each part: tries in order, small ones together until a call of attention is worth while."""
    cuts = [0]
    for end in starts[1:]:
        if end - cuts[-1] >= _SMALLEST_PART or end == starts[-1]:
            cuts.append(end)
    return tuple(pairwise(cuts))


def _blocks(start: int, end: int) -> list[tuple[int, int]]:
    """A part in pieces of `_BLOCK` nodes."""
    return [(place, min(place + _BLOCK, end)) for place in range(start, end, _BLOCK)]


def _open_before(ends: Ints, start: int, end: int) -> Ints:
    """What nodes from `start` to `end` may see: the nodes before them whose subtree reaches them, and themselves.

    In depth-first order these are few, however large the trie: the path to the first of them.
    """
    return np.concatenate([np.flatnonzero(ends[:start] > start), np.arange(start, end)])


def _table(rows: list[Ints], padding: Ints | None = None) -> Ints:
    """Rows side by side, (B, longest), filled up with zeros or with the end of `padding`."""
    longest = max(len(row) for row in rows)
    table = np.zeros((len(rows), longest), dtype=np.int64) if padding is None else np.tile(padding, (len(rows), 1))
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table
