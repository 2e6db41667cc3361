"""What a model says after a text, remembered: an edit of the query leaves most prompts of the probes as they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.runtime.lru import Rows, RowsByText
from core.runtime.progress import Stop
from core.scoring.shared import model_of

if TYPE_CHECKING:
    from core.models import LanguageModel

MAX_BYTES = 64 * 2**20
"""Kept for one model; the texts asked for longest ago go first."""

_kept = RowsByText()


def next_logprobs(model: LanguageModel, texts: Sequence[str], *, stop: Stop | None = None) -> Rows:
    """(N, V) `model.next_logprobs(texts)`, of which only what was not asked for lately is computed.

    A text gives the same numbers in every pass up to rounding in float32, about 1e-6.

    Raises:
        PromptTooLong, Cancelled: as the model does.
    """
    return _kept.rows(model_of(model), texts, lambda missing: model.next_logprobs(missing, stop=stop), MAX_BYTES)
