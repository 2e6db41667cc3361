"""Every head with what is known of it: where the answer position looks, how it votes, and the roles it plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.attention.many_heads import found, leading, named
from core.study.study import Head

Floats = NDArray[np.float64]


def head_rows(
    scores: Mapping[str, Floats], by: str, text: str = "", roles: Mapping[Head, str] | None = None
) -> list[dict[str, Any]]:
    """A row a head, by falling score, heads without one last in the order of layers; only those that a text names,
    where it names any, and for the letters of a role those that play it.

    Args:
        scores: (layers, heads) by name; a row holds each, None where it is no number.
        by: name of the score that sorts.
        text: "L12H3", "L12", "H3", or letters of roles, "IL" for heads that play both; all where it is blank.
        roles: letters of the roles that a head plays.
    """
    roles = roles or {}
    layers, heads = scores[by].shape
    ranked = leading(scores[by], layers * heads)
    silent = [head for head in _every(layers, heads) if head not in set(ranked)]
    wanted = _wanted(text, layers, heads, roles)
    return [
        {"head": named(head), "layer": head[0], "number": head[1], "roles": roles.get(head, "")}
        | {name: _number(values[head]) for name, values in scores.items()}
        for head in (*ranked, *silent)
        if wanted is None or head in wanted
    ]


def _every(layers: int, heads: int) -> Sequence[Head]:
    return [(layer, head) for layer in range(layers) for head in range(heads)]


def _wanted(text: str, layers: int, heads: int, roles: Mapping[Head, str]) -> set[Head] | None:
    if not text.strip():
        return None
    letters = set(text.strip().upper())
    playing = {head for head, known in roles.items() if letters <= set(known)}
    return set(found(text, layers, heads)) or playing


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
