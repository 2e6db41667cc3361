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
class Variant:
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


def variants(layers: int, heads: int, sentence_encoders: Sequence[str] = ()) -> tuple[Variant, ...]:
    """Every kernel of the registry, in menu order: once as the study sets it, or one by one for what it reads.

    A kernel that reads `heads` comes as the study's own choice of heads and as every single head, one that reads
    `hidden_layer` once a layer, one that reads `encoder` once an encoder.

    Args:
        layers, heads: the model's shape.
        sentence_encoders: folders and hub names beside the registry's encoders.
    """
    found: list[Variant] = []
    for entry in kernels:
        title = entry.title
        if "heads" in entry.reads:
            found.append(Variant(title, entry.name))
            found += [
                Variant(f"{title} {layer}.{head}", entry.name, (("heads", ((layer, head),)),))
                for layer in range(layers)
                for head in range(heads)
            ]
        elif "hidden_layer" in entry.reads:
            found += [
                Variant(f"{title} {layer}", entry.name, (("hidden_layer", layer),)) for layer in range(layers + 1)
            ]
        elif "encoder" in entry.reads:
            named = [(encoder.title, encoder.name) for encoder in encoders]
            named += [
                (source.rstrip("/").split("/")[-1], PREFIX + source) for source in dict.fromkeys(sentence_encoders)
            ]
            found += [Variant(f"{title}: {name}", entry.name, (("encoder", source),)) for name, source in named]
        else:
            found.append(Variant(title, entry.name))
    return tuple(found)


def one_of_each(study: Study, offered: Sequence[Variant], layers: int) -> tuple[Variant, ...]:
    """Of what is offered, one variant of every kernel: the study's heads, its hidden layer, its encoder.

    The encoder of hidden states is the hidden kernel once more, so words stand in for it.
    """
    encoder = "tfidf" if study.encoder == "hidden" else study.encoder
    own = {"hidden_layer": study.hidden_layer % (layers + 1), "encoder": encoder}
    found: dict[str, Variant] = {}
    for variant in offered:
        if all(own.get(field) == value for field, value in variant.settings):
            found.setdefault(variant.kernel, variant)
    return tuple(found.values())
