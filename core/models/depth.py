"""Whether a model's settings announce as many layers as its weights hold, before either is read further.

transformers builds what the settings announce: a million layers take it minutes, and of two layers announced as one it
loads the first without a word, which is another model.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import ModelError

_LAYER = re.compile(r"(.*?(?:^|\.)(?:layers?|h|blocks?|blk)\.)(\d+)\.")
_ANNOUNCED = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_BESIDE = "num_nextn_predict_layers"  # read ahead more than one token, and stand behind the others


def announces_depth(settings: Mapping[str, Any]) -> bool:
    """Whether the settings of a config.json say how many layers there are."""
    return _announced(settings)[1] is not None


def _announced(settings: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """The settings of the text's model, and what its number of layers is called in them."""
    inner = settings.get("text_config")
    text = inner if isinstance(inner, Mapping) else settings
    return text, next((key for key in _ANNOUNCED if key in text), None)


def check_depth(settings: Mapping[str, Any], tensors: Iterable[str], name: str) -> None:
    """Compare the settings of a config.json with the names of the tensors.

    Raises:
        ModelError: in one sentence: the number of layers is none, or another one than the weights hold.
    """
    text, key = _announced(settings)
    if key is None:
        return
    announced = text[key]
    if not isinstance(announced, int) or isinstance(announced, bool) or announced < 1:
        said = json.dumps(announced, default=str)[:40]
        raise ModelError(f'The config.json of "{name}" says “{said}” layers: it takes a number above 0.')
    beside = text.get(_BESIDE)
    compare_depth(announced, beside if isinstance(beside, int) else 0, tensors, name)


def compare_depth(announced: int, beside: int, tensors: Iterable[str], name: str) -> None:
    """The same by numbers.

    Args:
        announced: layers by the settings.
        beside: layers behind them that may be there or not.
        tensors: names; those of a layer hold its number behind "layers.", "h.", "blocks." or "blk.".

    Raises:
        ModelError: the weights hold fewer layers or more.
    """
    names = list(tensors)
    stacks = _stacks(names)
    if not stacks:
        if announced > len(names):
            raise _not_complete(name, announced, f"{len(names):,} tensors")
        return
    if any(announced <= held <= announced + max(0, beside) for held in stacks.values()):
        return
    held = max(stacks.values())
    if held < announced:
        raise _not_complete(name, announced, f"{held:,}")
    raise ModelError(
        f'The settings of "{name}" announce {announced:,} layer{"s" if announced > 1 else ""} and its weights hold '
        f"{held:,}: they are not of one model, so choose another folder, or save it again."
    )


def _stacks(names: Iterable[str]) -> dict[str, int]:
    """How many layers there are, by what stands before their numbers."""
    found: dict[str, set[int]] = defaultdict(set)
    for name in names:
        layer = _LAYER.match(name)
        if layer is not None:
            found[layer[1]].add(int(layer[2]))
    return {prefix: len(numbers) for prefix, numbers in found.items()}


def _not_complete(name: str, announced: int, held: str) -> ModelError:
    return ModelError(
        f'The weights of "{name}" are not complete: its settings announce {announced:,} layers and the weights hold '
        f"{held}. Save or download it again."
    )
