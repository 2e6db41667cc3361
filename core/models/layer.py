"""One layer's attention during a pass over one text, row by row and on demand: the whole map is never built.

A pass shows each of its layers, in order, to an `Observer`, which asks for the rows that it wants and keeps what it
makes of them. What the rows of one call cost in memory is the caller's choice; `chunks` picks a good size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

# Weights at once, 2 MB of float32: near the cache of a processor core. On GPT-2 small and 4,096 tokens, 2^18 to 2^20
# took the same time, 2^22 a quarter more.
AT_ONCE = 1 << 19

Given = Callable[[slice | Tensor], Tensor]  # places of queries → (1, H, r, t) weights that the model itself computes


@dataclass
class Layer:
    """One layer of a pass over a text of t tokens.

    Attributes:
        number: 0 is the first.
        heads: H query heads.
        size: t.
        query, key: (H, t, d) and (K, p + t, d), H a multiple of K (grouped queries), positions already turned in; None
            where the model gives weights alone.
        mask: (1 or H, t, p + t) what each query may see, bool or additive; None is causal.
        scale, softcap: of the scores.
        given: the model's own weights, where they are not softmax(scale · q Kᵀ + mask).
        value: (K, p + t, d) what is attended to, or None where the model keeps it to itself.
        module: the attention module, whose output projection the heads share, or None.
        past: p, keys of tokens that were read in an earlier pass and stand in front.
    """

    number: int
    heads: int
    size: int
    query: Tensor | None = None
    key: Tensor | None = None
    mask: Tensor | None = None
    scale: float = 1.0
    softcap: float | None = None
    given: Given | None = None
    value: Tensor | None = None
    module: torch.nn.Module | None = None
    past: int = 0

    @property
    def device(self) -> torch.device:
        """Where its rows are computed."""
        return self.rows(slice(0, 1), range(1)).device if self.query is None else self.query.device

    def rows(self, places: slice | Sequence[int], heads: range | None = None) -> Tensor:
        """Attention of the queries at `places`: softmax_j(scale · q_i·k_j + mask_ij), float32.

        Args:
            places: 0 ≤ i < t, as a slice or in any order.
            heads: consecutive ones; None is all of them.

        Returns:
            (heads, places, reach), where reach is one past the last place's key: what stands behind has no weight.
        """
        heads = range(self.heads) if heads is None else heads
        reach = self.past + (places.stop if isinstance(places, slice) else max(places) + 1)
        if self.given is not None:
            chosen = places if isinstance(places, slice) else torch.tensor(list(places))
            return self.given(chosen)[0, heads.start : heads.stop, :, :reach].float()
        scores = self._scores(places, heads, reach)
        if self.softcap is not None:
            scores = scores.div_(self.softcap).tanh_().mul_(self.softcap)
        return self._masked(scores, places, heads, reach).softmax(dim=-1)

    def _scores(self, places: slice | Sequence[int], heads: range, reach: int) -> Tensor:
        """(heads, places, reach) scale · q Kᵀ, one product for the heads that share keys."""
        assert self.query is not None
        assert self.key is not None
        group = self.heads // len(self.key)
        wanted = self.query[heads.start : heads.stop, places]  # (h, r, d)
        count, rows, width = wanted.shape
        if heads.start % group == 0 and count % group == 0:
            keys = self.key[heads.start // group : heads.stop // group, :reach]
            wanted = wanted.reshape(len(keys), group * rows, width)
        elif count == 1:
            keys = self.key[heads.start // group, :reach][None]
        else:
            keys = self.key[[head // group for head in heads], :reach]
        nothing = wanted.new_empty(1, 1, 1)
        product = torch.baddbmm(nothing, wanted, keys.transpose(-1, -2), beta=0.0, alpha=self.scale)
        return product.float().reshape(count, rows, reach)

    def _masked(self, scores: Tensor, places: slice | Sequence[int], heads: range, reach: int) -> Tensor:
        if self.mask is None:
            if isinstance(places, slice):  # behind the first place alone is anything to be hidden
                corner = scores[:, :, self.past + places.start :]
                future = torch.ones(corner.shape[1:], dtype=torch.bool, device=scores.device).triu_(1)
                corner.masked_fill_(future, -torch.inf)
                return scores
            at = torch.tensor(list(places), device=scores.device) + self.past
            return scores.masked_fill_(torch.arange(reach, device=scores.device) > at[:, None], -torch.inf)
        own = self.mask if len(self.mask) == 1 else self.mask[heads.start : heads.stop]
        part = own[:, places, :reach]
        if part.dtype == torch.bool:
            return scores.masked_fill_(~part, -torch.inf)
        return scores.add_(part.float())

    def chunks(self, start: int = 0, stop: int | None = None, heads: int = 1) -> Iterator[slice]:
        """Consecutive places from `start` to `stop`, so many at once that `heads` heads' rows stay small."""
        stop = self.size if stop is None else stop
        step = max(16, AT_ONCE // (heads * max(stop, 1)))
        for place in range(start, stop, step):
            yield slice(place, min(place + step, stop))


class Observer(Protocol):
    """Sees every layer of a pass, in order."""

    def see(self, layer: Layer) -> None:
        """Called once a layer, while its attention is at hand; tensors must not be kept beyond what is needed."""


@dataclass
class Observed:
    """An observer and the number of the layer that comes next."""

    observer: Observer
    number: int = 0

    def show(self, layer: Layer) -> None:
        """Hand over the next layer."""
        layer.number = self.number
        self.number += 1
        self.observer.see(layer)
