"""Forward passes over a plan: trunk once, then batch after batch, logits at the marked nodes alone."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache

from core.errors import Cancelled, ModelError
from core.models.architectures import Route
from core.models.capture import REQUEST, TreeShape, watching
from core.models.observers import LastRow
from core.models.packing import Plan, Row, stem
from core.models.prefix_cache import KeysValues, PrefixCache
from core.models.reserved import reserved
from core.models.trie import Ints
from core.runtime.cost import count
from core.runtime.progress import Advance

BLOCK = 128  # nodes of a trie whose attention goes together; fewer would be more calls, more would be masked pairs
_PACED = 48  # tokens of a pass by which the pace is told; shorter ones cost what their calls do
_SMALLEST_PART = 96  # nodes; below, masked pairs are cheaper than another call
Stop = Callable[[], bool]


class Look:
    """The attention of one sequence's last token, taken in passing from the pass that reads it.

    It is there where one row holds all of its pass; where rows stand side by side, the text has to be read apart.
    """

    def __init__(self, member: int) -> None:
        """
        Args:
            member: the sequence's place among those planned.
        """
        self.member = member
        self._rows: LastRow | None = None
        self._path: Ints = np.empty(0, np.int64)

    def place(self, batch: tuple[Row, ...]) -> int | None:
        """Which row of a batch holds the sequence; None for none."""
        return next((place for place, row in enumerate(batch) if self.member in row.trie.members), None)

    @contextmanager
    def at(self, row: Row, offset: int, front: int) -> Iterator[None]:
        """Around the pass of its row: watches it.

        Args:
            offset: nodes before the row's in what is watched of the pass.
            front: keys before those of all nodes there.
        """
        path = offset + row.trie.paths[row.trie.members.index(self.member)]
        self._rows = LastRow(int(path[-1]))
        self._path = np.concatenate([np.arange(row.front), front + path])
        with watching(self._rows):
            yield

    @property
    def attention(self) -> NDArray[np.float32] | None:
        """(layers, heads, 1, t) over the sequence's own tokens, or None where it was not seen."""
        if self._rows is None or not len(self._rows):
            return None
        with torch.inference_mode():
            seen: NDArray[np.float32] = self._rows.weights().cpu().numpy()
        return seen[:, :, None, self._path]


class Alone:
    """Mean last-layer states of texts that are read alone, taken in passing from passes that are made anyway.

    They are there where one row holds all of a pass.
    """

    def __init__(self, own: dict[int, Ints]) -> None:
        """
        Args:
            own: by sequence, the places among those planned, which of its tokens the mean is over.
        """
        self.own = own
        self.means: dict[int, NDArray[np.float32]] = {}

    def any_in(self, batch: tuple[Row, ...]) -> bool:
        """Whether a batch holds one of the texts."""
        return any(member in self.own for row in batch for member in row.trie.members)

    def take(self, batch: tuple[Row, ...], states: Tensor) -> None:
        """Read them off a batch's (n, d) states, its rows one after another."""
        start = 0
        for row in batch:
            for member, path in zip(row.trie.members, row.trie.paths, strict=True):
                if member in self.own and self.own[member][0] >= row.front:
                    places = start + path[self.own[member] - row.front]
                    self.means[member] = states[places].float().mean(dim=0).cpu().numpy()
            start += len(row.trie.tokens)


@dataclass(frozen=True)
class Kept:
    """A sequence of a pass whose keys and values are kept.

    Attributes:
        prefixes: where.
        tokens: (n,) of the sequence, those of the trunk included.
        places: (n,) of its keys among those of the pass, the trunk's first.
    """

    prefixes: PrefixCache
    tokens: Ints
    places: Ints

    def take(self, cache: DynamicCache) -> None:
        """Keep them, by the pass's cache."""
        self.prefixes.keep(self.tokens, self.places, _states(cache))


class Passes:
    """Runs a model's forward passes; the caller holds the model's lock during each, and need not between two.

    With `forest`, rows of a batch follow one another in a single row; else they stand side by side, padded. With
    `prefixes`, keys and values are kept from pass to pass. With `last_states`, what the model below the output layer
    gives are its last hidden states; else those of every layer are asked for, to have the last. `pace` is how many
    tokens a second were read lately, None before the first passes of some length.
    """

    def __init__(self, model: Any, route: Route, forest: bool = False) -> None:
        self.model, self.route, self.forest = model, route, forest
        self.prefixes: PrefixCache | None = None
        self.last_states = False
        self.pace: float | None = None
        self._layers = int(model.config.get_text_config().num_hidden_layers)
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters

    def run(
        self,
        plans: list[Plan],
        stop: Stop | None = None,
        advance: Advance = lambda done: None,
        look: Look | None = None,
        blocks: bool = False,
        alone: Alone | None = None,
    ) -> Iterator[tuple[tuple[Row, ...], Tensor]]:
        """For each batch, its rows and the (marked nodes, V) logits, rows one after another.

        Of what is read, trunks are kept and the text that is looked at; where all is one row, what its texts have in
        common too. More would be what a question of many texts shares by itself.

        Raises:
            Cancelled: `stop` said so between two passes.
        """
        done = 0
        for plan in plans:
            check(stop)
            trunk = self.cache(plan.trunk) if len(plan.trunk) else None
            for batch in plan.batches:
                check(stop)
                kept = self._kept(plan.trunk, batch, look, len(plans) == len(plan.batches) == 1)
                watched, watch = self._watch(batch, trunk, blocks, look)
                with watch:
                    logits = self.logits(batch, trunk, blocks, alone, kept, watched)
                yield batch, logits
                done += 1
                advance(done)

    def cache(self, tokens: Ints) -> DynamicCache:
        """Keys and values of one sequence, every layer in full (a windowed layer forgets by its mask)."""
        known = [] if self.prefixes is None else self.prefixes.take(tokens)
        front = known[0][0].shape[2] if known else 0
        kept = reserved(known, self._layers)
        if front == len(tokens):
            return kept
        inputs = {"input_ids": self._tensor(tokens[front:])[None], "past_key_values": kept, "use_cache": True}
        self._forward(inputs, None)
        if self.prefixes is not None:
            self.prefixes.keep(tokens, np.arange(len(tokens)), _states(kept))
        return kept

    def _kept(self, trunk: Ints, batch: tuple[Row, ...], look: Look | None, only: bool) -> Kept | None:
        """What is to be kept of a batch's keys and values."""
        if self.prefixes is None or (len(batch) > 1 and not self.forest):
            return None
        place = None if look is None else look.place(batch)
        if place is None:
            if not only or len(batch) > 1:
                return None
            path = np.arange(stem(batch[0].trie))
            place = 0
        else:
            assert look is not None
            path = batch[place].trie.paths[batch[place].trie.members.index(look.member)]
        row = batch[place]
        tokens = np.concatenate([trunk[: row.front], row.trie.tokens[path]])
        start = sum(len(other.trie.tokens) for other in batch[:place])
        behind = len(trunk) + start + path
        return Kept(self.prefixes, tokens, np.concatenate([np.arange(row.front), behind]))

    def _watch(
        self, batch: tuple[Row, ...], trunk: DynamicCache | None, blocks: bool, look: Look | None
    ) -> tuple[int, AbstractContextManager[None]]:
        """The part of a pass that is watched, and what is around the pass meanwhile."""
        place = None if look is None else look.place(batch)
        front = 0 if trunk is None else trunk.get_seq_length()
        if look is None or place is None:
            return 0, nullcontext()
        if not self._in_a_row(batch, trunk, blocks):
            return 0, look.at(batch[0], 0, front) if len(batch) == 1 else nullcontext()
        layout = _layout(batch)
        number = next(number for number, (a, b) in enumerate(layout.parts) if a <= layout.starts[place] < b)
        offset = layout.starts[place] - layout.parts[number][0]
        return number, look.at(batch[place], offset, front if layout.behind[number] else 0)

    def _in_a_row(self, batch: tuple[Row, ...], trunk: DynamicCache | None, blocks: bool) -> bool:
        """Whether a batch's tries follow one another in one row."""
        if trunk is not None:
            return self.forest and (
                any(not row.front for row in batch) or (self.prefixes is not None and len(batch) > 1)
            )
        return self.forest and (len(batch) > 1 or (blocks and not batch[0].trie.is_chain))

    def logits(
        self,
        batch: tuple[Row, ...],
        trunk: DynamicCache | None,
        blocks: bool = False,
        alone: Alone | None = None,
        kept: Kept | None = None,
        watched: int = 0,
    ) -> Tensor:
        """(marked nodes of all rows, V) next-token logits; with `blocks`, attention of a large trie goes in blocks.

        Args:
            alone: takes what it wants of the states, where one row holds all of the pass.
            kept: takes what it wants of the keys and values.
            watched: which part of a row of several tries is shown to an observer.
        """
        take = None if alone is None or not alone.any_in(batch) else partial(alone.take, batch)
        if self._in_a_row(batch, trunk, blocks):
            return self._in_one_row(batch, trunk, blocks, take, kept, watched)
        ids = _table([row.trie.tokens for row in batch])
        keep = np.zeros(ids.shape, dtype=bool)
        for place, row in enumerate(batch):
            keep[place, row.marked] = True
        inputs = {"input_ids": self._tensor(ids), **_past(trunk, len(batch), kept, self._layers)}
        front = 0 if trunk is None else trunk.get_seq_length()
        tree = None
        # padding stands to the right of every token that counts, so that chains need no mask at all
        if not batch[0].trie.is_chain:
            ends = _table([row.trie.ends for row in batch], np.arange(1, ids.shape[1] + 1))
            depths = _table([row.trie.depths for row in batch])
            tree = TreeShape(self._tensor(depths), self._tensor(ends), front)
            inputs |= self._tree_inputs(tree)
        return self._forward(inputs, self._tensor(keep), tree, take if len(batch) == 1 else None, kept)

    def _in_one_row(
        self,
        batch: tuple[Row, ...],
        trunk: DynamicCache | None,
        blocks: bool,
        take: Callable[[Tensor], None] | None,
        kept: Kept | None,
        watched: int,
    ) -> Tensor:
        """Tries one after another instead of side by side: no padding, and one copy of a trunk's keys for all."""
        layout = _layout(batch)
        starts, parts = layout.starts, layout.parts
        keep = np.zeros((1, starts[-1]), dtype=bool)
        keep[0, np.concatenate([row.marked + start for row, start in zip(batch, starts, strict=False)])] = True
        ends = np.concatenate([row.trie.ends + start for row, start in zip(batch, starts, strict=False)])
        depths = np.concatenate([row.trie.depths for row in batch])
        front = 0 if trunk is None else trunk.get_seq_length()
        before = [front if behind else 0 for behind in layout.behind]
        keys = [self._keys(front, own, np.arange(*part)) for part, own in zip(parts, before, strict=True)]
        if blocks:
            cut = [(block, own) for part, own in zip(parts, before, strict=True) for block in _blocks(*part)]
            parts = tuple(block for block, _ in cut)
            keys = [self._keys(front, own, _open_before(ends, *block)) for block, own in cut]
        apart = np.repeat([not row.front for row in batch], np.diff(starts))
        tree = TreeShape(
            self._tensor(depths)[None],
            self._tensor(ends)[None],
            front,
            parts,
            tuple(keys),
            watched,
            self._tensor(apart)[None] if front and apart.any() else None,
        )
        ids = self._tensor(np.concatenate([row.trie.tokens for row in batch]))[None]
        inputs = {"input_ids": ids, **_past(trunk, 1, kept, self._layers), **self._tree_inputs(tree)}
        return self._forward(inputs, self._tensor(keep), tree, take, kept)

    def _keys(self, front: int, own: int, nodes: Ints) -> Tensor | slice:
        """Places of keys: the first `own` of the `front` before all nodes, and some nodes; a slice where it is one."""
        if len(nodes) == nodes[-1] - nodes[0] + 1 and (not own or not nodes[0]):
            return slice(front + int(nodes[0]) - own, front + int(nodes[-1]) + 1)
        return self._tensor(np.concatenate([np.arange(own), front + nodes]))

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
        with torch.inference_mode(), _within_memory(inputs):
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
        kept: Kept | None = None,
    ) -> Tensor:
        inputs |= {"output_hidden_states": True} if take is not None and not self.last_states else {}
        if self._keeps:
            inputs["logits_to_keep"] = 1 if keep is None else keep
        REQUEST.tree = tree if self.route == "interface" else None
        count(passes=1)
        start = time.perf_counter()
        try:
            with torch.inference_mode(), self.below_output() as seen, _within_memory(inputs):
                output = self.model(**inputs)
            logits: Tensor = output.logits
            if take is not None:
                take(seen[-1][0] if self.last_states else output.hidden_states[-1][0])
            if kept is not None:
                kept.take(inputs["past_key_values"])
        finally:
            REQUEST.tree = None
        tokens = int(inputs["input_ids"].numel())
        if tokens >= _PACED:
            logits.reshape(-1)[:1].cpu()  # an accelerator answers before it is done: wait, or the pace is no pace
            now = tokens / max(time.perf_counter() - start, 1e-9)
            self.pace = now if self.pace is None else 0.5 * (self.pace + now)
        return logits if keep is None or logits.ndim == 2 else logits[keep]

    @contextmanager
    def below_output(self) -> Iterator[list[Tensor]]:
        """(B, n, d) what the model below the output layer gives in a pass, where it gives it."""
        seen: list[Tensor] = []
        base = getattr(self.model, "base_model", self.model)

        def keep(_module: Any, _inputs: Any, output: Any) -> None:
            states = getattr(output, "last_hidden_state", None)
            if states is not None:
                seen.append(states)

        hook = base.register_forward_hook(keep) if base is not self.model else None
        try:
            yield seen
        finally:
            if hook is not None:
                hook.remove()

    def _tensor(self, array: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.model.device)


def check(stop: Stop | None) -> None:
    """Raise `Cancelled` when `stop` says so."""
    if stop is not None and stop():
        raise Cancelled


def _repeat(known: KeysValues, times: int) -> DynamicCache:
    """A copy of one sequence's keys and values for `times` rows, which may grow without touching the original."""
    return DynamicCache([(k.expand(times, -1, -1, -1), v.expand(times, -1, -1, -1)) for k, v in known])


@dataclass(frozen=True)
class _Layout:
    """Rows of a batch that follow one another.

    Attributes:
        starts: where each begins, the end too.
        parts: from … to of each part.
        behind: whether a part holds a row that stands behind the trunk.
    """

    starts: list[int]
    parts: tuple[tuple[int, int], ...]
    behind: list[bool]


def _layout(batch: tuple[Row, ...]) -> _Layout:
    starts = np.cumsum([0, *(len(row.trie.tokens) for row in batch)]).tolist()
    parts = _parts(starts)
    behind = [any(row.front and a <= at < b for row, at in zip(batch, starts, strict=False)) for a, b in parts]
    return _Layout(starts, parts, behind)


def _past(trunk: DynamicCache | None, rows: int, kept: Kept | None, layers: int) -> dict[str, Any]:
    """The cache that a pass goes on from: the trunk's for every row, an empty one where keys and values are wanted."""
    if trunk is None and kept is None:
        return {"use_cache": False}
    known = [] if trunk is None else _states(trunk)
    return {"use_cache": True, "past_key_values": _repeat(known, rows) if rows > 1 else reserved(known, layers)}


def _states(cache: DynamicCache) -> KeysValues:
    """Its keys and values by layer."""
    layers: list[Any] = list(cache.layers)
    return [(layer.keys, layer.values) for layer in layers if layer.keys is not None]


def _parts(starts: list[int]) -> tuple[tuple[int, int], ...]:
    """From … to of each part: tries in order, small ones together until a call of attention is worth while."""
    cuts = [0]
    for end in starts[1:]:
        if end - cuts[-1] >= _SMALLEST_PART or end == starts[-1]:
            cuts.append(end)
    return tuple(pairwise(cuts))


def _blocks(start: int, end: int) -> list[tuple[int, int]]:
    """A part in pieces of `BLOCK` nodes."""
    return [(place, min(place + BLOCK, end)) for place in range(start, end, BLOCK)]


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


@contextmanager
def _within_memory(inputs: dict[str, Any]) -> Iterator[None]:
    """Say what did not fit where memory ends; what had been taken for the pass is free again.

    Raises:
        ModelError: the machine has no memory for this pass.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # On a processor torch has no error of its own for it.
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and "not enough memory" not in str(error) and "out of memory" not in str(error):
            raise
        rows, tokens = inputs["input_ids"].shape
        device = inputs["input_ids"].device.type
        raise ModelError(
            f"A pass of {rows:,} × {tokens:,} tokens does not fit in the memory of {device}: "
            "a shorter prompt with fewer demonstrations, a smaller model or a 16-bit format takes less."
        ) from None
