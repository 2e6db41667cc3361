"""A model of many heads: the mean of each layer, the heads that lead by a score, and a head by its name.

A score is a number for every head, (layers, heads): a share of the answer position's attention, how much of its vote
is the model's answer (`vote`), or a role (`core.attention.head_roles`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.kernels.regression import one_hot
from core.study.study import Head

Floats = NDArray[np.float64]
NAME = re.compile(r"\s*(?:l(?:ayer)?\s*)?(\d+)(?:\s*[.,/ ]?\s*(?:h(?:ead)?\s*)|\s*[.,/ ]\s*)(\d+)\s*", re.IGNORECASE)
LAYER = re.compile(r"\s*l(?:ayer)?\s*(\d+)\s*", re.IGNORECASE)
OWN = re.compile(r"\s*h(?:ead)?\s*(\d+)\s*", re.IGNORECASE)
LONGEST = 400  # characters that are read


def named(head: Head) -> str:
    """L12H3."""
    return f"L{head[0]}H{head[1]}"


def found(text: str, layers: int, heads: int) -> tuple[Head, ...]:
    """The heads that a text names, in order: "L12H3", "12.3" or "layer 12 head 3" one, "L12" a layer's, "H3" one of
    every layer, and several with commas or semicolons between them; none where the model has no such head or the text
    names nothing.
    """
    text = " ".join(text.split())[:LONGEST]  # its patterns would try a long run of blanks from every blank anew
    parts = [_found(part, layers, heads) for part in re.split("[,;]", text)]
    whole = _found(text, layers, heads)  # a comma may stand inside a name
    return whole or tuple(sorted({head for part in parts for head in part}))


def _found(text: str, layers: int, heads: int) -> tuple[Head, ...]:
    every = [(layer, head) for layer in range(layers) for head in range(heads)]
    for pattern, places in ((NAME, (0, 1)), (LAYER, (0,)), (OWN, (1,))):
        match = pattern.fullmatch(text)
        if match is not None:
            wanted = tuple(int(number) for number in match.groups())
            return tuple(head for head in every if tuple(head[place] for place in places) == wanted)
    return ()


def leading(scores: ArrayLike, count: int) -> tuple[Head, ...]:
    """At most `count` heads by falling score, ties to the first in the order of layers and heads; no NaN among them."""
    values = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-np.where(np.isnan(values), -np.inf, values), axis=None, kind="stable")
    places = [int(place) for place in order if not np.isnan(values.flat[place])]
    return tuple(divmod(place, values.shape[1]) for place in places[:count])


def vote(weights: ArrayLike, given: Sequence[str], answer: str) -> Floats:
    """ŷ_h(y*) = Σ_i a_hi [y_i = y*] / Σ_i a_hi, (layers, heads) in [0, 1]: the share of a head's attention to the
    demonstrations that falls on those labelled as the model answers, y* (docs/methods.md §2.9 reads heads so).

    NaN where a head looks at no demonstration at all. White space at the labels' ends does not count. It says how far
    a head agrees on one query; which head agrees in general takes many (`core.analysis.kernel.head_atlas`).

    Args:
        weights: (layers, heads, n) attention of the answer position to each demonstration.
        given: (n,) their labels.
        answer: y*.
    """
    looks = np.asarray(weights, dtype=np.float64)
    alike = one_hot(given, [answer])[:, 0]
    total = looks.sum(-1)
    shares: Floats = np.divide(looks @ alike, total, out=np.full(total.shape, np.nan), where=total > 0)
    return shares


def layer_means(weights: ArrayLike, most: int) -> tuple[tuple[str, ...], Floats]:
    """Names and means of at most `most` rows of layers, each row the mean over the heads of one layer, or of as many
    neighbouring ones as it takes.

    Args:
        weights: (layers, heads, S).
        most: at least 1.

    Returns:
        (R,) "L0" or "L0–1", and (R, S).
    """
    means = np.asarray(weights, dtype=np.float64).mean(1)
    layers = len(means)
    size = max(1, -(-layers // most))
    blocks = [(a, min(a + size, layers)) for a in range(0, layers, size)]
    names = tuple(f"L{a}" if b - a == 1 else f"L{a}–{b - 1}" for a, b in blocks)
    return names, np.array([means[a:b].mean(0) for a, b in blocks])
