"""Forward passes over a plan: trunk once, then batch after batch, logits at the marked nodes alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from core.errors import Cancelled
from core.models.architectures import Route
from core.models.capture import REQUEST, TreeShape
from core.models.packing import Plan, Row
from core.models.trie import Ints

Stop = Callable[[], bool]


class Passes:
    """Runs a model's forward passes; the caller holds the model's lock."""

    def __init__(self, model: Any, route: Route) -> None:
        self.model, self.route = model, route
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters

    def run(self, plans: list[Plan], stop: Stop | None = None) -> Iterator[tuple[int, tuple[Row, ...], Tensor]]:
        """For each batch, tokens of its trunk, its rows and the (marked nodes, V) logits, rows one after another.

        Raises:
            Cancelled: `stop` said so between two passes.
        """
        for plan in plans:
            check(stop)
            trunk = self.cache(plan.trunk) if len(plan.trunk) else None
            for batch in plan.batches:
                check(stop)
                yield len(plan.trunk), batch, self.logits(batch, trunk)

    def cache(self, tokens: Ints) -> DynamicCache:
        """Keys and values of one sequence, every layer in full (a windowed layer forgets by its mask)."""
        kept = DynamicCache()
        self._forward({"input_ids": self._tensor(tokens)[None], "past_key_values": kept, "use_cache": True}, None)
        return kept

    def logits(self, batch: tuple[Row, ...], trunk: DynamicCache | None) -> Tensor:
        """(marked nodes of all rows, V) next-token logits."""
        size = max(len(row.trie.tokens) for row in batch)
        ids = np.zeros((len(batch), size), dtype=np.int64)
        marked = np.zeros((len(batch), size), dtype=bool)
        for place, row in enumerate(batch):
            ids[place, : len(row.trie.tokens)] = row.trie.tokens
            marked[place, row.marked] = True
        inputs: dict[str, Any] = {"input_ids": self._tensor(ids), "use_cache": trunk is not None}
        front = 0
        if trunk is not None:
            front = trunk.get_seq_length()
            inputs["past_key_values"] = _repeat(trunk, len(batch))
        # padding stands to the right of every token that counts, so that chains need no mask at all
        tree = None if batch[0].trie.is_chain else self._shape(batch, size, front)
        keep = self._tensor(marked)
        if tree is not None:
            inputs |= self._tree_inputs(tree)
        logits = self._forward(inputs, keep, tree)
        return logits if logits.ndim == 2 else logits[keep]

    def hidden(self, batch: tuple[Row, ...], layer: int) -> Tensor:
        """(B, n, d) hidden states of one layer, for a batch of chains."""
        size = max(len(row.trie.tokens) for row in batch)
        ids = np.zeros((len(batch), size), dtype=np.int64)
        for place, row in enumerate(batch):
            ids[place, : len(row.trie.tokens)] = row.trie.tokens
        states: Tensor = self.last(
            {"input_ids": self._tensor(ids), "use_cache": False}, output_hidden_states=True
        ).hidden_states[layer]
        return states

    def last(self, inputs: dict[str, Any], **options: Any) -> Any:
        """The model's whole output, with logits at the last place alone."""
        with torch.inference_mode():
            return self.model(**inputs, **options, **({"logits_to_keep": 1} if self._keeps else {}))

    def _shape(self, batch: tuple[Row, ...], size: int, front: int) -> TreeShape:
        depths = np.zeros((len(batch), size), dtype=np.int64)
        ends = np.tile(np.arange(1, size + 1), (len(batch), 1))
        for place, row in enumerate(batch):
            depths[place, : len(row.trie.depths)] = row.trie.depths
            ends[place, : len(row.trie.ends)] = row.trie.ends
        return TreeShape(self._tensor(depths), self._tensor(ends), front)

    def _tree_inputs(self, tree: TreeShape) -> dict[str, Any]:
        if self.route == "interface":
            # a 2-D mask keeps transformers from reading the depths as several texts packed one after another
            ones = torch.ones(tree.key_positions().shape, dtype=torch.int64, device=tree.depths.device)
            return {"position_ids": tree.positions(), "attention_mask": ones}
        allowed = tree.sees()
        blocked = torch.finfo(self.model.dtype).min
        mask = torch.zeros(allowed.shape, dtype=self.model.dtype, device=allowed.device)
        return {"position_ids": tree.positions(), "attention_mask": mask.masked_fill_(~allowed, blocked)}

    def _forward(self, inputs: dict[str, Any], keep: Tensor | None, tree: TreeShape | None = None) -> Tensor:
        if self._keeps:
            inputs["logits_to_keep"] = 1 if keep is None else keep
        REQUEST.tree = tree if self.route == "interface" else None
        try:
            with torch.inference_mode():
                logits: Tensor = self.model(**inputs).logits
        finally:
            REQUEST.tree = None
        return logits

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
