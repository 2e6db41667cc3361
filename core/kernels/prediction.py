"""Prediction similarity as a kernel: whether the model, asked without demonstrations, would say the same to both."""

from __future__ import annotations

import numpy as np

from core.kernels import kernels
from core.kernels.context import KernelContext, KernelWeights
from core.study.study import Study


def read_ahead(study: Study, context: KernelContext) -> None:
    """The next token after every text."""
    context.predictions()


@kernels.register(
    "prediction",
    title="Prediction",
    help="chance that the model would begin its answers to the two inputs alike, asked without demonstrations",
    place=30,
    symmetric=True,
    read_ahead=read_ahead,
)
def weigh(study: Study, context: KernelContext) -> KernelWeights:
    """K(x, x_i) = p_LM(· | x)ᵀ p_LM(· | x_i), over the next token after each input alone in the template, without
    demonstrations or instruction (docs/methods.md §2.5). (Q, n), in [0, 1].

    Raises:
        PromptTooLong: an input is longer than the model's context.
    """
    detail = "p(next token | x)ᵀ p(next token | xᵢ), each input alone in the template"
    if not context.shown:
        return KernelWeights(np.zeros((len(context.queries), 0)), detail)
    found = context.predictions()
    queries, inputs = (
        np.stack([found[text] for text in texts]).astype(np.float64) for texts in (context.queries, context.inputs)
    )
    return KernelWeights(queries @ inputs.T, detail)
