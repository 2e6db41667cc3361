"""What can be made of attention while it passes by: rows, sums by groups of tokens, rollout, short whole maps.

None of them ever holds a (t, t) map of every head. Sums are taken a few rows of a few heads at a time, so that they
need the size of their result and a few megabytes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from core.models.layer import AT_ONCE, Layer


@dataclass
class Rows:
    """Attention rows to keep.

    Attributes:
        rows: places of the queries, not negative.
        head: (layer, head) whose whole map is wanted, or None.
        kept: per layer (heads, rows, t) float32, t with the tokens of an earlier pass that stand in front.
        map: (t, t) float32 of `head`.
    """

    rows: list[int]
    head: tuple[int, int] | None = None
    kept: list[Tensor] = field(default_factory=list)
    map: Tensor | None = None

    def see(self, layer: Layer) -> None:
        """Take this layer's rows."""
        found = layer.rows(self.rows)
        self.kept.append(torch.nn.functional.pad(found, (0, layer.past + layer.size - found.shape[-1])))
        if self.head is not None and self.head[0] == layer.number:
            head = range(self.head[1], self.head[1] + 1)
            self.map = found.new_zeros(layer.size, layer.size)
            for places in layer.chunks():
                self.map[places, : places.stop] = layer.rows(places, head)[0]


_STACKED = 1 << 22  # numbers of several layers' keys that are copied to be multiplied in one call


class LastRow:
    """One query's attention in every layer, worked out at the end for all layers at once: one small product a layer
    would cost more in calls than in numbers."""

    def __init__(self, place: int) -> None:
        """
        Args:
            place: of the query.
        """
        self._place = place
        self._asked: list[tuple[Tensor, Tensor, Tensor | None, float]] = []  # query (H, d), keys (K, r, d), mask, scale
        self._known: dict[int, Tensor] = {}  # (H, r) of layers whose weights are no plain softmax

    def see(self, layer: Layer) -> None:
        """Take what this layer's row is made of."""
        if layer.query is None or layer.key is None or layer.softcap is not None or layer.given is not None:
            self._known[len(self)] = layer.rows([self._place])[:, 0]
            return
        reach = layer.past + self._place + 1
        mask = None if layer.mask is None else layer.mask[:, self._place, :reach]
        query = layer.query[:, self._place].clone()  # a view would keep the queries of all tokens
        self._asked.append((query, layer.key[:, :reach], mask, layer.scale))

    def __len__(self) -> int:
        """Layers seen."""
        return len(self._asked) + len(self._known)

    def weights(self) -> Tensor:
        """(layers, H, reach) float32."""
        if not self._asked:
            return torch.stack([self._known[number] for number in sorted(self._known)])
        alike = len({(query.shape, keys.shape) for query, keys, _, _ in self._asked}) == 1
        some = max(1, _STACKED // max(keys.numel() for _, keys, _, _ in self._asked)) if alike else 1
        together = [self._asked[start : start + some] for start in range(0, len(self._asked), some)]
        rows = iter([row for some in together for row in _rows(some)])
        return torch.stack([self._known[n] if n in self._known else next(rows) for n in range(len(self))])


def _rows(asked: list[tuple[Tensor, Tensor, Tensor | None, float]]) -> Tensor:
    """(layers, H, r) softmax(scale · q Kᵀ + mask) of layers of one shape."""
    keys = torch.stack([keys for _, keys, _, _ in asked])  # (layers, K, r, d)
    layers, groups, reach, width = keys.shape
    queries = torch.stack([scale * query for query, _, _, scale in asked]).reshape(layers, groups, -1, width)
    scores = (queries @ keys.transpose(-1, -2)).float().reshape(layers, -1, reach)
    for layer, (_, _, mask, _) in enumerate(asked):
        if mask is not None and mask.dtype == torch.bool:
            scores[layer].masked_fill_(~mask, -torch.inf)
        elif mask is not None:
            scores[layer] += mask.float()
    return scores.softmax(dim=-1)


class Columns:
    """Which tokens are summed into which column; a token may be in one column or in none."""

    def __init__(self, groups: Sequence[int], count: int) -> None:
        """
        Args:
            groups: (t,) the column of every token, −1 for none.
            count: C, how many columns.
        """
        self.count, self.size = count, len(groups)
        self._of = torch.tensor(list(groups), dtype=torch.int64)
        inside = torch.nonzero(self._of >= 0).flatten()
        self._start = int(inside[0]) if len(inside) else 0
        self._stop = int(inside[-1]) + 1 if len(inside) else 0
        self._width = self._even()
        self._matrix = torch.empty(0, dtype=torch.float32) if self._width else self.indicator()

    def indicator(self) -> Tensor:
        """(t, C) one where a token is in a column."""
        matrix = torch.zeros(self.size, self.count, dtype=torch.float32)
        inside = torch.nonzero(self._of >= 0).flatten()
        matrix[inside, self._of[inside]] = 1.0
        return matrix

    def _even(self) -> int:
        """Tokens in each column, where columns are neighbouring stretches of equal length (the last may lack some);
        else 0."""
        of = self._of[self._start : self._stop]
        if not len(of):
            return 0
        width = -(-len(of) // self.count)
        return width if torch.equal(of, torch.arange(len(of)) // width) else 0

    def pool(self, weights: Tensor) -> Tensor:
        """(…, reach) weights summed into (…, C); places from `reach` on have none."""
        reach = weights.shape[-1]
        if not self._width:
            self._matrix = self._matrix.to(weights.device)
            return weights @ self._matrix[:reach]
        part = weights[..., self._start : min(self._stop, reach)]
        part = torch.nn.functional.pad(part, (0, self.count * self._width - part.shape[-1]))
        return part if self._width == 1 else part.reshape(*part.shape[:-1], self.count, self._width).sum(dim=-1)


class Pooled:
    """Attention summed over groups of tokens: S[g, c] = Σ_{i in row group g} Σ_{j in column c} A[i, j].

    Every head by itself, or the sum over some of them. Rows go through in chunks, in the pass that computes them.
    """

    def __init__(
        self,
        places: Sequence[int],
        into: Sequence[int],
        count: int,
        columns: Columns,
        heads: Collection[tuple[int, int]] | None = None,
    ) -> None:
        """
        Args:
            places: (p,) ascending places of queries; one that belongs to two groups stands twice.
            into: (p,) the group of each.
            count: R, how many groups.
            columns: which tokens are summed into which column.
            heads: (layer, head) pairs to sum over; None keeps every head apart.
        """
        self.count, self.columns = count, columns
        self.heads = None if heads is None else set(heads)
        self.kept: list[Tensor] = []  # per layer (H, R, C) float64
        self.total: Tensor | None = None  # (R, C) float64
        step = max(16, AT_ONCE // max(columns.size, 1))
        self._pieces = [
            (_places(places[a : a + step]), torch.tensor(list(into[a : a + step]), dtype=torch.int64))
            for a in range(0, len(places), step)
        ]

    def see(self, layer: Layer) -> None:
        """Add this layer's attention."""
        if self.heads is None:
            self.kept.append(torch.stack([self._sums(layer, [head]) for head in range(layer.heads)]))
            return
        chosen = sorted(head for number, head in self.heads if number == layer.number)
        if chosen:
            sums = self._sums(layer, chosen)
            self.total = sums if self.total is None else self.total + sums

    def _sums(self, layer: Layer, heads: list[int]) -> Tensor:
        """(R, C) sums over some heads of a layer."""
        sums = torch.zeros(self.count, self.columns.count, dtype=torch.float64)
        for places, into in self._pieces:
            weights = layer.rows(places, range(heads[0], heads[0] + 1))[0]
            for head in heads[1:]:
                weights += layer.rows(places, range(head, head + 1))[0]
            sums.index_add_(0, into, self.columns.pool(weights).double().cpu())
        return sums


def _places(places: Sequence[int]) -> slice | list[int]:
    """A slice where places follow one another, which costs no copy."""
    if list(places) == list(range(places[0], places[0] + len(places))):
        return slice(places[0], places[0] + len(places))
    return list(places)


class Rolled:
    """Attention rollout with its columns summed, layer by layer as they come (Abnar & Zuidema 2020, §3).

    Ã_l = ½ Ā_l + ½ I with Ā_l the mean over heads, rows made to sum to one; R = Ã_L … Ã_1. With C the (t, columns)
    indicator of the columns, Z_0 = C and Z_l = Ã_l Z_{l−1} gives R C without R.
    """

    def __init__(self, columns: Columns, top: int) -> None:
        """
        Args:
            columns: which tokens are summed into which column.
            top: the last layer that takes part.
        """
        self.top = top
        self.flow = columns.indicator()  # (t, C)

    def see(self, layer: Layer) -> None:
        """Let what has come so far pass through this layer."""
        if layer.number > self.top:
            return
        before = self.flow.to(layer.device)
        after = torch.empty_like(before)
        for places in layer.chunks(heads=layer.heads):
            mean = layer.rows(places).mean(dim=0)  # (r, reach)
            mixed = 0.5 * (mean @ before[: places.stop]) + 0.5 * before[places]
            after[places] = mixed / (0.5 * mean.sum(dim=-1, keepdim=True) + 0.5)
        self.flow = after


@dataclass
class Inside:
    """Whole maps and values of a short text, for head roles.

    Attributes:
        maps: per layer (H, t, t) float32.
        values: per layer (K, t, d), where the model shows them.
        modules: per layer the attention module, where the model shows it.
    """

    maps: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    modules: list[torch.nn.Module] = field(default_factory=list)

    def see(self, layer: Layer) -> None:
        """Keep this layer."""
        self.maps.append(layer.rows(slice(0, layer.size)).cpu())
        if layer.value is not None and layer.module is not None:
            self.values.append(layer.value)
            self.modules.append(layer.module)
