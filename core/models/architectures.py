"""Which models can be packed, and how: found out on the model itself rather than read off a list.

Two routes lead a trie's mask into a model. Where attention goes through `AttentionInterface`, our own functions
answer the model's questions ("interface"). Elsewhere a ready 4-D mask is passed in ("mask"). Position ids are depths
on both. Neither is trusted: when a model is loaded, a few random sequences are scored packed and one by one.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Literal

import torch

from core.models.capture import NAME, REQUEST
from core.models.drift import Drift

Route = Literal["interface", "mask"]
_LOCAL = ("window", "chunk", "local", "sparse")  # in the name of a setting, it speaks of attention to a part


@dataclass(frozen=True)
class Abilities:
    """What a loaded model can do.

    Attributes:
        route: how a trie's mask gets in, and attention rows get out.
        why_not_packable: one sentence, "" when the model can be packed.
        cacheable: whether keys and values of a prefix can be kept and continued.
        attentive: whether attention weights can be had, and belong to the numbers that scoring gives.
        drift: what a 16-bit format does to its predictions; None in float32.
        continuing: whether a text may go on from what an earlier pass read of it, beside texts that stand apart.
        last_states: whether what the model below the output layer gives are its last hidden states.
    """

    route: Route
    why_not_packable: str
    cacheable: bool
    attentive: bool
    drift: Drift | None = None
    continuing: bool = False
    last_states: bool = False

    @property
    def forest(self) -> bool:
        """Whether tries may follow one another in one row, attention part by part."""
        return self.packable and self.route == "interface"

    @property
    def passing(self) -> bool:
        """Whether attention can be taken from a pass that serves others as well."""
        return self.attentive and self.route == "interface"

    @property
    def packable(self) -> bool:
        return not self.why_not_packable


def route_of(model: Any) -> Route:
    """Switch the model to our attention function where it lets us, and see whether every layer then calls it."""
    before = model.config._attn_implementation
    if not (getattr(model, "_supports_attention_backend", False) and model._can_set_attn_implementation()):
        return "mask"
    model.set_attn_implementation(NAME)
    REQUEST.attention_calls = REQUEST.mask_calls = 0
    with torch.inference_mode():
        ids = torch.tensor([[0, 1]], device=model.device) % model.config.get_text_config().vocab_size
        model(input_ids=ids, use_cache=False)
    layers = model.config.get_text_config().num_hidden_layers
    if REQUEST.attention_calls == layers and REQUEST.mask_calls > 0:
        return "interface"
    model.set_attn_implementation(before)
    return "mask"


def obstacle(model: Any, route: Route) -> str:
    """A reason not even to try packing, or ""."""
    if "position_ids" not in inspect.signature(model.forward).parameters:
        return f"{kind(model)} takes no position ids, so a branch cannot be placed at its depth"
    settings = model.config.get_text_config().to_dict()
    partial = any(value and any(word in name for word in _LOCAL) for name, value in settings.items())
    if route == "mask" and partial:
        return f"{kind(model)} lays its local windows by place rather than by depth"
    return ""


def kind(model: Any) -> str:
    """The architecture's name for people, such as "gpt_neo"."""
    return str(model.config.model_type)
