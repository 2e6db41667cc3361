"""An encoder's cosine as a kernel: how near two inputs are to one that never saw the demonstrations' labels."""

from __future__ import annotations

import numpy as np

from core.embeddings.encoders import find_encoder
from core.kernels import kernels
from core.kernels.scene import Scene, Weighed
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
)
def weigh(study: Study, scene: Scene) -> Weighed:
    """K(x, x_i) = cos(e(x), e(x_i)), e the study's encoder. (Q, n).

    An encoder with a corpus (TF-IDF) takes every input of the study for it: demonstrations, pool and its query.

    Raises:
        StudyError: no such encoder, or it cannot be loaded.
        Unavailable: what it needs is not installed.
    """
    encoder, title = find_encoder(study.encoder)
    rows = (*scene.study.demonstrations, *scene.study.pool)
    known = {row.input.strip() for row in rows if usable(row)}
    corpus = sorted(known | set(scene.inputs) | {scene.study.query})
    texts = list(dict.fromkeys(scene.inputs))
    raw = np.zeros((len(scene.queries), len(scene.shown)))
    for place, query in enumerate(scene.queries if texts else ()):
        check(scene.stop)
        cosine = np.clip(encoder(scene.model, corpus, query, texts), -1.0, 1.0)
        value = dict(zip(texts, cosine, strict=True))
        raw[place] = [value[text] for text in scene.inputs]
    return Weighed(raw, f"cosine of inputs, {title}")
