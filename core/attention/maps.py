"""Attention between groups of tokens, and token by token, summed while a pass goes by: the whole is never built."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.attention.answer import check_heads
from core.attention.groups import Groups, Places
from core.errors import StudyError
from core.runtime.progress import Stop, part
from core.study.study import Head

if TYPE_CHECKING:
    from core.models import LanguageModel

Floats = NDArray[np.float64]
LARGEST = 512  # rows or columns of a token map; longer stretches are put together in blocks
EVERY_HEAD = 1 << 24  # numbers kept when every head is kept apart; above, the mean over the chosen heads
ANSWER = "answer position"


@dataclass(frozen=True)
class Between:
    """Which group of tokens attends to which, on average over the attending tokens.

    Attributes:
        rows: (R,) names of the attending groups, the last one the prompt's last token alone.
        row_demonstrations: (R,) 0-based place of a group's demonstration, or None.
        columns, column_demonstrations: (C,) the same for the groups attended to.
        row_sizes, column_sizes: (R,), (C,) tokens in each.
        weights: (layers, heads, R, C), or (1, 1, R, C), the mean over `heads`. W[g, c] is the mean over tokens i of g
            of Σ_{j in c} A[i, j]: the share of a token's attention that falls on c. A row sums to one where the
            columns hold every token.
        heads: the heads of that mean, empty for all of them (rollout), or None where every head is kept.
    """

    rows: tuple[str, ...]
    row_demonstrations: tuple[int | None, ...]
    row_sizes: Places
    columns: tuple[str, ...]
    column_demonstrations: tuple[int | None, ...]
    column_sizes: Places
    weights: NDArray[np.float32]
    heads: tuple[Head, ...] | None

    def mean(self, heads: Collection[Head]) -> Floats:
        """(R, C) the mean over some heads, all where none is named.

        Raises:
            ValueError: only another mean was kept.
        """
        if self.heads is not None:
            if heads and set(heads) != set(self.heads):
                raise ValueError("The mean over other heads was kept.")
            kept = self.weights[0]
        elif heads:
            layers, within = zip(*heads, strict=True)
            kept = self.weights[list(layers), list(within)]
        else:
            kept = self.weights.reshape(-1, *self.weights.shape[2:])
        mean: Floats = kept.mean(0, dtype=np.float64)
        return mean


@dataclass(frozen=True)
class TokenMap:
    """Attention from tokens to tokens, or from blocks of neighbours to blocks.

    Attributes:
        rows, columns: for each row and column, the first and one past the last of its tokens, as places in the list of
            tokens that was asked for.
        weights: (R, C) float32: mean over the tokens of a row's block of the sum over a column's block.
    """

    rows: tuple[tuple[int, int], ...]
    columns: tuple[tuple[int, int], ...]
    weights: NDArray[np.float32]

    @property
    def blocks(self) -> bool:
        """Whether any row or column stands for several tokens."""
        return any(b - a > 1 for a, b in (*self.rows[:1], *self.columns[:1]))


def fits(model: LanguageModel, rows: Groups, columns: Groups) -> bool:
    """Whether `between` keeps every head by itself."""
    return model.layers * model.heads * (len(rows.names) + 1) * len(columns.names) <= EVERY_HEAD


def between(
    model: LanguageModel,
    text: str,
    rows: Groups,
    columns: Groups,
    *,
    heads: Collection[Head] = (),
    stop: Stop | None = None,
) -> Between:
    """Attention between groups of tokens in one pass, a few rows of one head at a time.

    W[l, h, g, c] = 1/|g| Σ_{i in g} Σ_{j in c} A_lh[i, j], for every head while that is at most 2²⁴ numbers; where it
    would be more, the mean over `heads` (all, where none is named). The size does not depend on the text's length.

    Raises:
        StudyError: no token in the rows or in the columns; a head that the model lacks.
        ModelError: the architecture gives no attention weights.
        PromptTooLong, Cancelled.
    """
    from core.models.observers import Columns, Pooled  # late: loads torch

    check_heads(list(heads), model.layers, model.heads)
    if not rows.names or not columns.names:
        raise StudyError("No token of the prompt is of the kinds chosen; choose other kinds.")
    last = len(rows.of) - 1
    places = [*np.flatnonzero(rows.of >= 0).tolist(), last]
    count = len(rows.names) + 1
    into = [*rows.of[rows.of >= 0].tolist(), count - 1]
    chosen: tuple[Head, ...] | None = None
    if not fits(model, rows, columns):
        chosen = tuple(heads) or tuple((layer, head) for layer in range(model.layers) for head in range(model.heads))
    seen = Pooled(places, into, count, Columns(columns.of.tolist(), len(columns.names)), chosen)
    with part(0.0, 1.0):
        model.observe(text, seen, stop=stop)
    if chosen is None:
        sums = np.stack([kept.numpy() for kept in seen.kept])
    else:
        assert seen.total is not None
        sums = seen.total.numpy()[None, None] / len(chosen)
    sizes = np.array([*rows.sizes, 1], dtype=np.float64)
    return with_answer(rows, columns, (sums / sizes[:, None]).astype(np.float32), chosen)


def with_answer(rows: Groups, columns: Groups, weights: NDArray[np.float32], heads: tuple[Head, ...] | None) -> Between:
    """Weights (…, R + 1, C) with their names, the last row that of the prompt's last token."""
    return Between(
        (*rows.names, ANSWER),
        (*rows.demonstrations, None),
        np.array([*rows.sizes, 1], dtype=np.intp),
        columns.names,
        columns.demonstrations,
        columns.sizes,
        weights,
        heads,
    )


def token_map(
    model: LanguageModel,
    text: str,
    rows: Collection[int],
    columns: Collection[int],
    *,
    heads: Collection[Head] = (),
    most: int = LARGEST,
    stop: Stop | None = None,
) -> TokenMap:
    """Attention from some tokens to some tokens, the mean over `heads` (all, where none is named).

    Up to `most` tokens each is its own row or column; more are put together in blocks of equal length, so that the map
    has at most `most` rows and columns whatever the text's length: mean over a row block, sum over a column block.

    Args:
        rows, columns: ascending places of tokens.

    Raises:
        StudyError: no token in the rows or in the columns; a head that the model lacks.
        ModelError: the architecture gives no attention weights.
        PromptTooLong, Cancelled.
    """
    from core.models.observers import Columns, Pooled  # late: loads torch

    check_heads(list(heads), model.layers, model.heads)
    chosen = list(heads) or [(layer, head) for layer in range(model.layers) for head in range(model.heads)]
    down, across = stretch(len(rows), most), stretch(len(columns), most)
    if not down or not across:
        raise StudyError("No token of the prompt is in the stretch and of the kinds chosen; choose others.")
    into = [place for place, (a, b) in enumerate(down) for _ in range(a, b)]
    size = len(model.encode(text))
    seen = Pooled(list(rows), into, len(down), Columns(block_groups(columns, across, size), len(across)), chosen)
    with part(0.0, 1.0):
        model.observe(text, seen, stop=stop)
    assert seen.total is not None
    sizes = np.array([b - a for a, b in down], dtype=np.float64)
    weights = seen.total.numpy() / (len(chosen) * sizes[:, None])
    return TokenMap(down, across, weights.astype(np.float32))


def stretch(count: int, most: int = LARGEST) -> tuple[tuple[int, int], ...]:
    """`count` tokens as at most `most` blocks of equal length, from … to of each; the last may be shorter."""
    width = max(1, -(-count // most))
    return tuple((a, min(a + width, count)) for a in range(0, count, width))


def block_groups(places: Collection[int], blocks: tuple[tuple[int, int], ...], size: int) -> list[int]:
    """(size,) the block of every token, −1 outside `places`."""
    groups = np.full(size, -1, dtype=np.intp)
    at = np.array(list(places), dtype=np.intp)
    for number, (a, b) in enumerate(blocks):
        groups[at[a:b]] = number
    return groups.tolist()
