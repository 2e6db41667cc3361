"""Attention as a kernel: how much the last token of the prompt looks at each demonstration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.attention import START, check_heads, label_tokens, part_of_tokens
from core.errors import Unavailable
from core.kernels import kernels
from core.kernels.context import KernelContext, KernelWeights, Read
from core.study.study import Head, Pooling, Span, Study

Floats = NDArray[np.float64]


@kernels.register(
    "attention",
    title="Attention",
    help="weight from the prompt's last token to a demonstration, of one head or the mean of several",
    reads=("heads", "span", "pooling"),
    place=0,
    every_run=True,
    varies="heads",
    converges="The attention kernel, as the kernel settings say.",
)
def weigh(study: Study, context: KernelContext) -> KernelWeights:
    """K(x, x_i) = mean over `study.heads` (all heads of all layers where none is named) of the largest attention weight
    from the prompt's last token to a token of demonstration i, or the sum of those weights (Han et al. 2023 take the
    largest). With span "label", to the label's tokens alone. On a model without a start token the first token of the
    prompt, on which heads rest whatever it is, counts to no demonstration. (Q, n).

    Neither symmetric nor, unlike kernels of the texts alone, the same in every order of the demonstrations.

    Raises:
        Unavailable: the architecture gives no attention.
        StudyError: a head that the model lacks.
    """
    check_heads(study.heads, context.model.layers, context.model.heads)
    rows = [of_heads(head_weights(context.read(x), study.span, study.pooling), study.heads) for x in context.queries]
    views = [context.read(x).attention for x in context.queries]
    apart = any(view is not None and START in view.spans for view in views)
    detail = _in_words(study) + (", first token set apart" if apart else "")
    return KernelWeights(np.array(rows).reshape(len(rows), len(context.shown)), detail)


def head_weights(read: Read, span: Span = "demonstration", pooling: Pooling = "max") -> Floats:
    """(layers, heads, n) weight from the prompt's last token to each demonstration or its label, by pooling.

    Raises:
        Unavailable: the architecture gives no attention.
    """
    attention = read.attention
    if attention is None:
        raise Unavailable("This model gives no attention weights.")
    if pooling == "max":
        return attention.maxima if span == "demonstration" else attention.label_maxima
    count = attention.maxima.shape[2]
    if span == "demonstration":
        return attention.pooled[:, :, [attention.spans.index(str(i + 1)) for i in range(count)]]
    return _label_sums(read, count)


def of_heads(weights: Floats, heads: Sequence[Head] = ()) -> Floats:
    """(n,) mean of (layers, heads, n) over some heads, or over all where none is named."""
    mean: Floats = np.mean([weights[layer, head] for layer, head in heads], axis=0) if heads else weights.mean((0, 1))
    return mean


def _label_sums(read: Read, count: int) -> Floats:
    if read.reading is None or read.reading.attention is None:
        raise Unavailable("This model gives no attention weights.")
    row = read.reading.attention[:, :, 0, :].astype(np.float64)  # (layers, heads, t)
    starts, ends, parts = read.reading.starts, read.reading.ends, read.prompt.parts
    masks = label_tokens(parts, part_of_tokens(parts, ends), starts, ends, count)
    return np.stack([row[:, :, mask].sum(2) for mask in masks], axis=2) if count else np.zeros((*row.shape[:2], 0))


def _in_words(study: Study) -> str:
    what = "largest weight" if study.pooling == "max" else "summed weight"
    to = f"{what} in each {study.span}"
    if not study.heads:
        return f"{to}, mean of all heads"
    return f"{to}, " + ", ".join(f"layer {layer} head {head}" for layer, head in study.heads)
