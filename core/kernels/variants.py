"""Kernels with their settings: the rows of a table, each under a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.embeddings.encoders import encoders
from core.embeddings.sentence_encoders import PREFIX
from core.kernels import kernels
from core.study.study import Study


@dataclass(frozen=True)
class KernelVariant:
    """A kernel with some settings.

    Attributes:
        name: unique, for menus and rows.
        kernel: name in the registry.
        settings: fields of `Study` that it sets, and their values.
    """

    name: str
    kernel: str
    settings: tuple[tuple[str, Any], ...] = ()

    def of(self, study: Study) -> Study:
        """The study with these settings."""
        return study.model_copy(update=dict(self.settings)) if self.settings else study


def variants(layers: int, heads: int, sentence_encoders: Sequence[str] = ()) -> tuple[KernelVariant, ...]:
    """Every kernel of the registry, in menu order: once as the study sets it, or one by one for what it varies by.

    A kernel that varies by `heads` comes as the study's own choice of heads and as every single head, one that varies
    by `hidden_layer` once a layer, one that varies by `encoder` once an encoder.

    Args:
        layers, heads: the model's shape.
        sentence_encoders: folders and hub names beside the registry's encoders.
    """
    found: list[KernelVariant] = []
    for entry in kernels:
        title = entry.title
        if entry.varies == "heads":
            found.append(KernelVariant(title, entry.name))
            found += [
                KernelVariant(f"{title} {layer}.{head}", entry.name, (("heads", ((layer, head),)),))
                for layer in range(layers)
                for head in range(heads)
            ]
        elif entry.varies == "hidden_layer":
            found += [
                KernelVariant(f"{title} {layer}", entry.name, (("hidden_layer", layer),)) for layer in range(layers + 1)
            ]
        elif entry.varies == "encoder":
            named = [(encoder.title, encoder.name) for encoder in encoders]
            named += [
                (source.rstrip("/").split("/")[-1], PREFIX + source) for source in dict.fromkeys(sentence_encoders)
            ]
            found += [KernelVariant(f"{title}: {name}", entry.name, (("encoder", source),)) for name, source in named]
        else:
            found.append(KernelVariant(title, entry.name))
    return tuple(found)


def one_of_each(study: Study, offered: Sequence[KernelVariant], layers: int) -> tuple[KernelVariant, ...]:
    """Of what is offered, one variant of every kernel: the study's heads, its hidden layer, its encoder.

    An encoder that reads the model's own hidden states is the hidden kernel once more, so the first of the menu that
    reads something else (words) stands in for it.
    """
    encoder = study.encoder
    if encoder in encoders and encoders.find(encoder).hidden_states:
        encoder = next(entry.name for entry in encoders if not entry.hidden_states)
    own = {"hidden_layer": study.hidden_layer % (layers + 1), "encoder": encoder}
    found: dict[str, KernelVariant] = {}
    for variant in offered:
        if all(own.get(field) == value for field, value in variant.settings):
            found.setdefault(variant.kernel, variant)
    return tuple(found.values())
