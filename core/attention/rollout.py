"""Attention rollout: attention of one layer after another as one flow from the input tokens (Abnar & Zuidema 2020)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from core.attention import LARGEST, Between, Groups, TokenMap, block_groups, stretch, with_answer
from core.errors import StudyError
from core.runtime.progress import Stop, part

if TYPE_CHECKING:
    from core.attention.maps import Floats
    from core.models import LanguageModel


def rollout_between(
    model: LanguageModel,
    text: str,
    rows: Groups,
    columns: Groups,
    *,
    top: int | None = None,
    stop: Stop | None = None,
) -> Between:
    """Rollout between groups of tokens: W[g, c] = 1/|g| Σ_{i in g} Σ_{j in c} R[i, j], as a mean over all heads.

    R = Ã_top … Ã_0 with Ã_l = ½ Ā_l + ½ I, Ā_l the mean over heads and every row made to sum to one: half of what a
    position holds is taken to have come through the residual connection (Abnar & Zuidema 2020, §3). R says how much
    of a position could stem from which input token, not how much was used.

    Args:
        top: the last layer that takes part; None is the model's last.

    Raises:
        StudyError: no token in the rows or in the columns; a layer that the model lacks.
        ModelError: the architecture gives no attention weights.
        PromptTooLong, Cancelled.
    """
    if not rows.names or not columns.names:
        raise StudyError("No token of the prompt is of the kinds chosen; choose other kinds.")
    flow = _flow(model, text, columns.of.tolist(), len(columns.names), top, stop)
    sums = np.zeros((len(rows.names), flow.shape[1]))
    inside = rows.of >= 0
    np.add.at(sums, rows.of[inside], flow[inside])
    weights = np.concatenate([sums / rows.sizes[:, None], flow[-1:]])
    return with_answer(rows, columns, weights[None, None].astype(np.float32), ())


def rollout_map(
    model: LanguageModel,
    text: str,
    rows: Collection[int],
    columns: Collection[int],
    *,
    top: int | None = None,
    most: int = LARGEST,
    stop: Stop | None = None,
) -> TokenMap:
    """Rollout from some tokens to some tokens, in blocks where there are more than `most`; see `rollout_between`.

    Raises:
        StudyError: no token in the rows or in the columns; a layer that the model lacks.
        ModelError: the architecture gives no attention weights.
        PromptTooLong, Cancelled.
    """
    down, across = stretch(len(rows), most), stretch(len(columns), most)
    if not down or not across:
        raise StudyError("No token of the prompt is in the stretch and of the kinds chosen; choose others.")
    groups = block_groups(columns, across, len(model.encode(text)))
    flow = _flow(model, text, groups, len(across), top, stop)[np.array(list(rows), dtype=np.intp)]
    weights = np.stack([flow[a:b].mean(0) for a, b in down])
    return TokenMap(down, across, weights.astype(np.float32))


def _flow(
    model: LanguageModel,
    text: str,
    groups: list[int],
    count: int,
    top: int | None,
    stop: Stop | None,
) -> Floats:
    """(t, C) R C, the rollout with its columns summed into groups."""
    from core.models.observers import Columns, Rolled  # late: loads torch

    top = model.layers - 1 if top is None else top
    if not 0 <= top < model.layers:
        raise StudyError(f"There is no layer {top}: this model has layers 0 to {model.layers - 1}.")
    seen = Rolled(Columns(groups, count), top)
    with part(0.0, 1.0):
        model.observe(text, seen, stop=stop)
    return seen.flow.double().cpu().numpy()
