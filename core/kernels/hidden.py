"""Hidden states as a kernel: how near two inputs are inside the model, each read alone."""

from __future__ import annotations

import numpy as np

from core.errors import StudyError
from core.kernels import kernels
from core.kernels.context import KernelContext, KernelWeights
from core.kernels.similarity import SIMILARITIES, median_distance
from core.study.study import Study


def read_ahead(study: Study, context: KernelContext) -> None:
    """The states of the layer that the study names."""
    context.states(place_of(study.hidden_layer, context.model.layers))


@kernels.register(
    "hidden",
    title="Hidden states",
    help="nearness of the two inputs in one layer, each read alone",
    reads=("hidden_layer", "similarity", "bandwidth"),
    place=10,
    symmetric=True,
    every_run=True,
    varies="hidden_layer",
    read_ahead=read_ahead,
)
def weigh(study: Study, context: KernelContext) -> KernelWeights:
    """K(x, x_i) = cosine, dot product or RBF of h(x) and h(x_i), h the mean over an input's tokens of one layer's
    hidden states, without the first token where no start token stands in front of it (docs/methods.md §2.3). (Q, n).

    RBF: exp(−‖h − h_i‖²/2σ²) with σ = `study.bandwidth` × the median distance between all pairs of the study's query
    and x_1 … x_n, so that σ does not depend on which other queries are asked.

    Raises:
        StudyError: a layer that the model lacks.
        PromptTooLong: an input is longer than the model's context.
    """
    layer = place_of(study.hidden_layer, context.model.layers)
    detail = f"{study.similarity} of inputs read alone, layer {layer} of {context.model.layers}"
    if not context.shown:
        return KernelWeights(np.zeros((len(context.queries), 0)), detail)
    states = context.states(layer)
    queries, inputs = (np.stack([states[text] for text in texts]) for texts in (context.queries, context.inputs))
    sigma = 0.0
    if study.similarity == "rbf":
        median = median_distance(np.vstack([states[context.study.query][None], inputs]))
        sigma = study.bandwidth * median
        detail += f", σ = {study.bandwidth:g} × the median distance {median:.3g}"
    return KernelWeights(SIMILARITIES[study.similarity](queries, inputs, sigma), detail)


def place_of(layer: int, layers: int) -> int:
    """0 … layers, from a number that may count from the last; 0 is the embedding.

    Raises:
        StudyError: there is no such layer.
    """
    if not -(layers + 1) <= layer <= layers:
        raise StudyError(f"There is no layer {layer}: this model has layers 0 (the embedding) to {layers}.")
    return layer % (layers + 1)
