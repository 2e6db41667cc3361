"""An encoder's cosine as a kernel: how near two inputs are to one that never saw the demonstrations' labels."""

from __future__ import annotations

import numpy as np

from core.embeddings.encoders import find_encoder
from core.kernels import kernels
from core.kernels.context import KernelContext, KernelWeights
from core.runtime.progress import check
from core.study.cleaning import usable
from core.study.study import Study


@kernels.register(
    "encoder",
    title="Encoder",
    help="cosine of the two inputs in the eyes of an encoder: words, hidden states, a sentence encoder",
    reads=("encoder",),
    place=20,
    symmetric=True,
    varies="encoder",
)
def weigh(study: Study, context: KernelContext) -> KernelWeights:
    """K(x, x_i) = cos(e(x), e(x_i)), e the study's encoder. (Q, n).

    An encoder with a corpus (TF-IDF) takes every input of the study for it: demonstrations, pool and its query.

    Raises:
        StudyError: no such encoder, or it cannot be loaded.
        Unavailable: what it needs is not installed.
    """
    encoder, title = find_encoder(study.encoder)
    rows = (*context.study.demonstrations, *context.study.pool)
    known = {row.input.strip() for row in rows if usable(row)}
    corpus = sorted(known | set(context.inputs) | {context.study.query})
    texts = list(dict.fromkeys(context.inputs))
    raw = np.zeros((len(context.queries), len(context.shown)))
    for place, query in enumerate(context.queries if texts else ()):
        check(context.stop)
        cosine = np.clip(encoder(context.model, corpus, query, texts), -1.0, 1.0)
        value = dict(zip(texts, cosine, strict=True))
        raw[place] = [value[text] for text in context.inputs]
    return KernelWeights(raw, f"cosine of inputs, {title}")
