"""What a model says after a text, remembered: an edit of the query leaves most prompts of the probes as they were."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from core.runtime.progress import Stop
from core.scoring.shared import model_of

if TYPE_CHECKING:
    from core.models import LanguageModel

Rows = NDArray[np.float32]
MAX_BYTES = 64 * 2**20
"""Kept for one model; the texts asked for longest ago go first."""

_kept: WeakKeyDictionary[LanguageModel, OrderedDict[str, Rows]] = WeakKeyDictionary()
_lock = threading.Lock()


def next_logprobs(model: LanguageModel, texts: Sequence[str], *, stop: Stop | None = None) -> Rows:
    """(N, V) `model.next_logprobs(texts)`, of which only what was not asked for lately is computed.

    A text gives the same numbers in every pass up to rounding in float32, about 1e-6.

    Raises:
        PromptTooLong, Cancelled: as the model does.
    """
    with _lock:
        kept = _kept.setdefault(model_of(model), OrderedDict())
        found = {text: kept[text] for text in texts if text in kept}
    missing = list(dict.fromkeys(text for text in texts if text not in found))
    if missing:
        # Outside the lock: another model's texts need not wait for this pass.
        rows = model.next_logprobs(missing, stop=stop)
        found |= {text: row.copy() for text, row in zip(missing, rows, strict=True)}
    with _lock:
        for text, row in found.items():
            kept[text] = row
            kept.move_to_end(text)
        room = max(1, MAX_BYTES // (4 * model.vocabulary_size))
        while len(kept) > room:
            kept.popitem(last=False)
    return np.stack([found[text] for text in texts])
